import { afterEach, expect, it, jest } from '@jest/globals';
import { Deadline } from '../../src/core/outage/deadline.js';
import { STORE_PATIENCE, WORK_PATIENCE } from '../../src/core/outage/time-budgets.js';
import { WatchedStore } from '../../src/core/outage/watched-store.js';
import {
  InvalidArgumentError,
  StoreRejectedError,
  StoreUnavailableError,
} from '../../src/core/model/errors.js';
import type { SessionStore } from '../../src/core/model/store.js';

/** Every method of the contract, and whether it may take as long as it needs. */
const METHODS: Readonly<Record<keyof SessionStore, 'bounded' | 'unbounded'>> = {
  findBySeries: 'bounded',
  findByAnySeries: 'bounded',
  findById: 'bounded',
  findMany: 'bounded',
  latestChange: 'bounded',
  findLive: 'bounded',
  countLive: 'bounded',
  insert: 'bounded',
  admit: 'bounded',
  change: 'bounded',
  touch: 'bounded',
  flush: 'unbounded',
  mark: 'bounded',
  setRoles: 'bounded',
  delete: 'bounded',
  deleteExpected: 'bounded',
  deleteReused: 'bounded',
  deleteByUser: 'bounded',
  deleteAll: 'bounded',
  purgeExpired: 'unbounded',
  clockSkew: 'bounded',
};
const names = Object.keys(METHODS) as (keyof SessionStore)[];
const SILENT = { onOutage: () => {}, onRecovery: () => {} };

type Method = (...args: unknown[]) => Promise<unknown>;

/** A store all of whose methods are this one. */
function storeOf(method: (name: string, args: unknown[]) => Promise<unknown>): SessionStore {
  const methods = names.map((name) => [name, (...args: unknown[]) => method(name, args)]);
  return Object.fromEntries(methods) as SessionStore;
}

function call(store: SessionStore, name: keyof SessionStore, ...args: unknown[]): Promise<unknown> {
  return (store[name] as Method).apply(store, args);
}

afterEach(() => {
  jest.useRealTimers();
});

it('takes a store that throws at once for as unavailable as one that rejects', async () => {
  const onOutage = jest.fn();
  const fails = (): never => {
    throw new Error('not connected');
  };
  const rejects = () => Promise.reject(new Error('not connected'));
  const store = { findById: fails, touch: fails, delete: rejects } as unknown as SessionStore;
  const watched = new WatchedStore(store, { onOutage, onRecovery: () => {} });
  const calls = [watched.findById('id'), watched.touch({} as never, false), watched.delete('id')];
  for (const each of calls) await expect(each).rejects.toThrow(StoreUnavailableError);
  expect(onOutage).toHaveBeenCalledTimes(1);
});

it('takes a store that refuses what it was given for one that is there', async () => {
  const reports: string[] = [];
  const errors = [
    new StoreRejectedError('a duplicate'),
    new Error('not connected'),
    new InvalidArgumentError('userId', 'é', 'use another.'),
  ];
  const asked = errors.values();
  const findById = async () => {
    throw asked.next().value;
  };
  const store = { findById } as unknown as SessionStore;
  const watched = new WatchedStore(store, {
    onOutage: () => reports.push('down'),
    onRecovery: () => reports.push('up'),
  });
  await expect(watched.findById('id')).rejects.toBe(errors[0]);
  expect(reports).toEqual([]);
  await expect(watched.findById('id')).rejects.toThrow(StoreUnavailableError);
  await expect(watched.findById('id')).rejects.toBe(errors[2]);
  expect(reports).toEqual(['down', 'up']);
});

/** What only notes, or takes as long as it needs, is none of them. */
const CHANGING = [
  'insert',
  'admit',
  'change',
  'setRoles',
  'delete',
  'deleteExpected',
  'deleteReused',
  'deleteByUser',
] as const;

it.each(CHANGING)(
  'asks for no %s that comes too late, and tells a store that works on when to stop',
  async (name) => {
    jest.useFakeTimers();
    const deadlines: Deadline[] = [];
    const store = storeOf(async () => void deadlines.push(Deadline.current));
    const watched = new WatchedStore(store, SILENT);
    const outer = Deadline.after(WORK_PATIENCE / 2);
    await call(watched, name, {}, {}, {}, {});
    await outer.run(() => call(watched, name, {}, {}, {}, {}));
    expect(deadlines.map(({ left }) => left)).toEqual([WORK_PATIENCE, WORK_PATIENCE / 2]);
    await jest.advanceTimersByTimeAsync(WORK_PATIENCE / 2);
    await expect(outer.run(() => call(watched, name, {}, {}, {}, {}))).rejects.toThrow(StoreUnavailableError);
    expect(deadlines).toHaveLength(2);
  },
);

it.each(CHANGING)('tells of %s where nobody knows whether it was made', async (name) => {
  const told: unknown[] = [];
  const outcomes = ['answered', 'refused', 'lost'].values();
  const store = storeOf(() => {
    const outcome = outcomes.next().value;
    const send = async () => {
      if (outcome !== 'answered') throw new Error(outcome);
    };
    return Deadline.current.change(send, (error) => (error as Error).message === 'refused');
  });
  const watched = new WatchedStore(store, SILENT, (change) => told.push(change));
  await call(watched, name, {}, {}, {}, {});
  await expect(call(watched, name, {}, {}, {}, {})).rejects.toThrow(StoreUnavailableError);
  expect(told).toEqual([]);
  await expect(call(watched, name, {}, {}, {}, {})).rejects.toThrow(StoreUnavailableError);
  expect(told).toHaveLength(1);
});

it.each(names)('passes on what %s is asked and answers', async (name) => {
  const asked: unknown[] = [];
  const store = storeOf(async (...what) => {
    asked.push(what);
    return 'answer';
  });
  const args = [{}, {}, {}, {}].slice(0, (WatchedStore.prototype[name] as Method).length);
  expect(await call(new WatchedStore(store, SILENT), name, ...args)).toBe('answer');
  expect(asked).toEqual([[name, args]]);
});

it.each(names)('waits for %s as long as the contract says', async (name) => {
  jest.useFakeTimers();
  const watched = new WatchedStore(
    storeOf(() => new Promise(() => {})),
    SILENT,
  );
  let outcome: unknown = 'waiting';
  call(watched, name, {}, {}, {}, {}).catch((error: unknown) => (outcome = error));
  await jest.advanceTimersByTimeAsync(STORE_PATIENCE - 1);
  expect(outcome).toBe('waiting');
  await jest.advanceTimersByTimeAsync(10 * STORE_PATIENCE);
  if (METHODS[name] === 'unbounded') expect(outcome).toBe('waiting');
  else expect(outcome).toBeInstanceOf(StoreUnavailableError);
});
