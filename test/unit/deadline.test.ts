import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { DataSource } from 'typeorm';
import { SessionEvents } from '../../src/core/events/session-events.js';
import { StoreUnavailableError } from '../../src/core/model/errors.js';
import { Deadline } from '../../src/core/outage/deadline.js';
import { STORE_PATIENCE, WORK_PATIENCE } from '../../src/core/outage/time-budgets.js';
import { SharedConnection } from '../../src/store/shared-connection.js';
import { SQLITE_DRIVER } from '../support/sqlite-driver.js';

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
});
afterEach(() => {
  jest.useRealTimers();
});

const pass = (milliseconds: number) => jest.advanceTimersByTimeAsync(milliseconds);
const sleep = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

it('is that of the call until it first awaits, and of no other', async () => {
  const [one, other] = [Deadline.after(10), Deadline.after(20)];
  const seen: Deadline[] = [];
  const afterwards = one.run(async () => {
    seen.push(Deadline.current);
    other.run(() => seen.push(Deadline.current));
    expect(() =>
      other.run(() => {
        throw new RangeError('no');
      }),
    ).toThrow(RangeError);
    seen.push(Deadline.current);
    await sleep(5);
    return Deadline.current;
  });
  expect(seen).toEqual([one, other, one]);
  expect(Deadline.current.left).toBe(Infinity);
  await pass(5);
  expect((await afterwards).left).toBe(Infinity);
});

it('gives a call that is a part of another no longer than that', async () => {
  const outer = Deadline.ofCall();
  expect(outer.left).toBe(WORK_PATIENCE);
  await pass(WORK_PATIENCE - 100);
  expect(outer.run(() => Deadline.ofCall().left)).toBe(100);
  expect(Deadline.ofCall().left).toBe(WORK_PATIENCE);
  await pass(100);
  expect(() => outer.run(() => Deadline.current.assertAhead())).toThrow(StoreUnavailableError);
});

it('is not that of what a subscriber of events calls', () => {
  const events = new SessionEvents(Date.now, () => {});
  const seen: Deadline[] = [];
  events.stream.subscribe(() => seen.push(Deadline.ofCall()));
  Deadline.after(0).run(() => events.emit({ type: 'purged', count: 1 }));
  expect(seen.map(({ left }) => left)).toEqual([WORK_PATIENCE]);
});

it('gives a read a time of its own', () => {
  expect(Deadline.ofRead().left).toBe(STORE_PATIENCE);
  expect(Deadline.after(0).run(() => Deadline.ofRead().left)).toBe(STORE_PATIENCE);
});

it('holds on SQLite too, behind a transaction of the application', async () => {
  const dataSource = await new DataSource({ type: SQLITE_DRIVER, database: ':memory:' }).initialize();
  const connection = new SharedConnection(dataSource);
  const runner = dataSource.createQueryRunner();
  await runner.startTransaction();
  const work = jest.fn(async () => {});
  const written = connection.write(work, Deadline.after(100));
  const refused = expect(written).rejects.toThrow(StoreUnavailableError);
  await pass(100);
  await runner.commitTransaction();
  await refused;
  expect(work).not.toHaveBeenCalled();
  await dataSource.destroy();
});
