import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { DataSource } from 'typeorm';
import { StoreUnavailableError } from '../../src/core/model/errors.js';
import { Deadline } from '../../src/core/outage/deadline.js';
import { WORK_PATIENCE } from '../../src/core/outage/time-budgets.js';
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

it('is that of the call in all that the call awaits, and of no other', async () => {
  const [one, other] = [Deadline.after(10), Deadline.after(20)];
  const seen = Promise.all(
    [one, other].map((deadline) =>
      deadline.run(async () => {
        await sleep(5);
        return Deadline.current;
      }),
    ),
  );
  expect(Deadline.current.left).toBe(Infinity);
  await pass(5);
  expect(await seen).toEqual([one, other]);
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

it('holds on SQLite too, behind a transaction of the application', async () => {
  const dataSource = await new DataSource({ type: SQLITE_DRIVER, database: ':memory:' }).initialize();
  const connection = new SharedConnection(dataSource);
  const runner = dataSource.createQueryRunner();
  await runner.startTransaction();
  const work = jest.fn(async () => {});
  const written = Deadline.after(100).run(() => connection.write(work));
  const refused = expect(written).rejects.toThrow(StoreUnavailableError);
  await pass(100);
  await runner.commitTransaction();
  await refused;
  expect(work).not.toHaveBeenCalled();
  await dataSource.destroy();
});
