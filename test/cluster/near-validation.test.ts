import { beforeEach, expect, it } from '@jest/globals';
import { InMemorySessionStore, TestClock } from 'nestjs-sessions/testing';
import { NearCache } from '../../src/cluster/near-cache.js';
import { MACHINE_TIME } from '../../src/cluster/node-time.js';
import type { Showing } from '../../src/core/life/validation.js';
import type { SessionModuleOptions } from '../../src/core/options/options.js';
import { resolveOptions } from '../../src/core/options/resolve-options.js';
import { SessionCore } from '../../src/core/session-core.js';
import { SessionService } from '../../src/session.service.js';

const SILENT = {
  onOutage: () => {},
  onRecovery: () => {},
  onSubscriberError: () => {},
  onUnknownRoles: () => {},
};
const MEBIBYTE = 1_048_576;

let reads: number;
let clock: TestClock;
let monotonic: number;
let permission: { isMember: boolean; mayAnswer: () => boolean };

beforeEach(() => {
  reads = 0;
  monotonic = 0;
  clock = new TestClock();
  permission = { isMember: true, mayAnswer: () => true };
});

function node(options: SessionModuleOptions = {}) {
  const store = new InMemorySessionStore();
  const { findBySeries } = store;
  store.findBySeries = (seriesHash) => {
    reads++;
    return findBySeries.call(store, seriesHash);
  };
  const time = { ...MACHINE_TIME, monotonic: () => monotonic };
  const memory = new NearCache(permission, time, MEBIBYTE);
  const announcer = {
    announce: async (changes: Parameters<NearCache['forget']>[0]) => memory.forget(changes),
  };
  const resolved = resolveOptions({ clock: clock.now, ...options });
  const core = new SessionCore(resolved, store, SILENT, { announcer, memory });
  const service = new SessionService(core);
  const show = async (token: string, showing?: Showing) =>
    (await core.validation.validate(token, showing)).reason;
  return { core, memory, service, store, show };
}

/** A session whose token its client has, kept in memory. */
async function kept(made: ReturnType<typeof node>) {
  const { service, show } = made;
  const issued = await service.create({ userId: 'ana', roles: ['customer'] });
  await show(issued.token); // first shown
  await show(issued.token); // kept
  reads = 0;
  expect(await show(issued.token)).toBeUndefined();
  expect(reads).toBe(0);
  return issued;
}

it('answers from memory what it has read once', async () => {
  await kept(node());
});

it('is one memory for the guard and for SessionService.validate', async () => {
  const made = node();
  const { token } = await kept(made);
  expect(await made.service.validate(token)).toMatchObject({
    session: { userId: 'ana', roles: ['customer'] },
  });
  expect(reads).toBe(0);
});

it('asks the store about unknown tokens, and about the first showing', async () => {
  const { core, service, show } = node();
  expect(await show(core.tokens.mint().text)).toBe('unknown');
  const { token } = await service.create({ userId: 'ana' });
  await show(token);
  await show(token);
  expect(reads).toBe(3);
});

it('asks the store about another token of the session', async () => {
  const made = node();
  const { token } = await kept(made);
  const other = made.core.tokens.mintInSeriesOf(made.core.tokens.parse(token)!);
  expect(await made.show(other.text)).toBe('rotated');
  expect(reads).toBe(1);
});

it('asks the store where a level or a recent sign-in is asked for', async () => {
  const made = node();
  const { token } = await kept(made);
  await made.show(token, { isStrict: true });
  expect(reads).toBe(1);
});

it('asks the store where activity is to be written, unless the request is in the background', async () => {
  const made = node({ touchEvery: '1m' });
  const { token } = await kept(made);
  clock.advance('1m');
  await made.show(token, { isActivity: false });
  expect(reads).toBe(0);
  await made.show(token);
  expect(reads).toBe(1);
});

it('remembers the activity that it has written', async () => {
  const made = node({ touchEvery: '1m' });
  const { token } = await kept(made);
  clock.advance('1m');
  await made.show(token);
  expect(reads).toBe(1);
  const { session } = await made.service.validate(token);
  expect(reads).toBe(1);
  expect(session?.lastSeenAt).toEqual(new Date(clock.now()));
});

it('remembers no activity that could not be written', async () => {
  const made = node({ touchEvery: '1m' });
  const { token } = await kept(made);
  const { touch } = made.store;
  made.store.touch = () => Promise.reject(new Error('away'));
  clock.advance('1m');
  await made.show(token);
  made.store.touch = touch;
  await made.show(token);
  await made.show(token);
  expect(reads).toBe(2);
});

it('activity of before brings nothing back: not what was forgotten, no roles, no sign-in, no earlier time', async () => {
  const { memory, service, show, store, core } = node();
  const { session, token } = await service.create({ userId: 'ana', roles: ['customer'] });
  for (let shown = 0; shown < 2; shown++) await show(token);
  const record = (await store.findById(session.id))!;
  const { seriesHash } = core.tokens.parse(token)!;
  const later = record.lastSeenAt + 1;
  for (const other of [{ roles: '["admin"]' }, { authenticatedAt: later }, { lastSeenAt: later - 2 }]) {
    memory.touch({ ...record, lastSeenAt: later, ...other });
    expect(memory.recall(seriesHash)).toEqual(record);
  }
  memory.touch({ ...record, lastSeenAt: later });
  expect(memory.recall(seriesHash)).toEqual({ ...record, lastSeenAt: later });
  memory.forget([{ scope: 'session', id: session.id }]);
  memory.touch({ ...record, lastSeenAt: later });
  expect(memory.size).toBe(0);
});

it('asks the store where the session has expired', async () => {
  const made = node({ timeouts: { idle: '10m', renewal: '1h' }, touchEvery: '5m' });
  const { token } = await kept(made);
  clock.advance('10m');
  expect(await made.show(token, { isActivity: false })).toBe('expired');
  expect(reads).toBe(1);
});

it('asks the store where a renewal is due', async () => {
  const made = node({ timeouts: { idle: '20m', renewal: '15m' }, touchEvery: '10m' });
  const { token } = await kept(made);
  clock.advance('15m');
  await made.show(token, { isActivity: false });
  expect(reads).toBe(1);
});

it('keeps no anonymous session', async () => {
  const { memory, service, show } = node();
  const { token } = await service.createAnonymous();
  for (let shown = 0; shown < 3; shown++) await show(token);
  expect(memory.size).toBe(0);
  expect(reads).toBe(3);
});

it('answers only while it may, and keeps only what is younger than a minute', async () => {
  const made = node();
  const { token } = await kept(made);
  permission.mayAnswer = () => false;
  await made.show(token);
  expect(reads).toBe(1);
  permission.mayAnswer = () => true;
  monotonic += 59_999;
  await made.show(token);
  expect(reads).toBe(1);
  monotonic += 1;
  await made.show(token);
  expect(reads).toBe(2);
});

it('keeps nothing that was announced while it was read', async () => {
  for (const change of [
    (id: string) => ({ scope: 'session', id }) as const,
    () => ({ scope: 'user', id: 'ana' }) as const,
    () => ({ scope: 'all' }) as const,
  ]) {
    const { memory, service, show, store } = node();
    const { session, token } = await service.create({ userId: 'ana' });
    await show(token);
    const { findBySeries } = store;
    store.findBySeries = async (seriesHash) => {
      const record = await findBySeries.call(store, seriesHash);
      memory.forget([{ scope: 'user', id: 'ben' }]);
      memory.forget([change(session.id)]);
      return record;
    };
    await show(token);
    expect(memory.size).toBe(0);
  }
});

it('keeps nothing where more was announced during the read than it remembers', async () => {
  const { memory, service, show, store } = node();
  const { token } = await service.create({ userId: 'ana' });
  await show(token);
  const { findBySeries } = store;
  store.findBySeries = async (seriesHash) => {
    for (let heard = 0; heard < 5_000; heard++) memory.forget([{ scope: 'user', id: 'ben' }]);
    return findBySeries.call(store, seriesHash);
  };
  await show(token);
  expect(memory.size).toBe(0);
});

it('drops the old entry when a rotation by id gives another series', async () => {
  const made = node();
  const { session, token } = await kept(made);
  const record = (await made.store.findById(session.id))!;
  made.memory.keep({ ...record, seriesHash: 'another' }, made.memory.beginRead());
  expect(made.memory.size).toBe(1);
  expect(made.memory.recall(made.core.tokens.parse(token)!.seriesHash)).toBeNull();
});

it('is limited in bytes, and drops what was not used for longest', async () => {
  const made = node();
  const first = await kept(made);
  const record = (await made.store.findById(first.session.id))!;
  for (let number = 0; number < 2_000; number++) {
    const [id, userId, seriesHash] = [`id-${number}`, `user-${number % 10}`, `series-${number}`];
    made.memory.keep({ ...record, id, userId, seriesHash }, made.memory.beginRead());
  }
  expect(made.memory.size).toBeLessThan(MEBIBYTE / 1_000);
  expect(made.memory.size).toBeGreaterThan(MEBIBYTE / 4_000);
  expect(made.memory.recall('series-0')).toBeNull();
  expect(made.memory.recall('series-1999')).not.toBeNull();
  made.memory.forget([{ scope: 'user', id: 'user-9' }]);
  expect(made.memory.recall('series-1999')).toBeNull();
  expect(made.memory.recall('series-1998')).not.toBeNull();
});
