import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { SessionQueue } from '../../src/core/life/session-queue.js';
import { StoreUnavailableError } from '../../src/core/model/errors.js';
import { STORE_PATIENCE } from '../../src/core/outage/time-budgets.js';

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

const pass = (milliseconds: number) => jest.advanceTimersByTimeAsync(milliseconds);
const sleep = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

it('lets changes of one session follow each other, in the order in which they came', async () => {
  const queue = new SessionQueue();
  const log: string[] = [];
  const change = (name: string) =>
    queue.run('a', async () => {
      log.push(`${name} begins`);
      await sleep(10);
      log.push(`${name} ends`);
      return name;
    });
  const all = Promise.all([change('1'), change('2'), change('3')]);
  await pass(30);
  expect(await all).toEqual(['1', '2', '3']);
  expect(log).toEqual(['1 begins', '1 ends', '2 begins', '2 ends', '3 begins', '3 ends']);
});

it('lets other sessions not wait, nor those behind a change that fails', async () => {
  const queue = new SessionQueue();
  const slow = queue.run('a', () => sleep(100).then(() => 'slow'));
  expect(await queue.run('b', async () => 'at once')).toBe('at once');
  const failing = queue.run('a', async () => {
    throw new RangeError('no');
  });
  const next = queue.run('a', async () => 'next');
  const failed = expect(failing).rejects.toThrow(RangeError);
  await pass(100);
  await failed;
  expect(await Promise.all([slow, next])).toEqual(['slow', 'next']);
});

it('remembers no session once nobody changes it', async () => {
  const queue = new SessionQueue();
  const all = Array.from({ length: 10 }, (_, at) => queue.run(`${at % 3}`, () => sleep(5)));
  void Promise.allSettled(all);
  await pass(100);
  expect((Reflect.get(queue, 'ends') as Map<string, unknown>).size).toBe(0);
});

it('fails whoever has waited too long, and does nothing for them afterwards', async () => {
  const queue = new SessionQueue();
  const done: string[] = [];
  const change = (name: string, duration: number) =>
    queue.run('a', async () => {
      await sleep(duration);
      done.push(name);
      return name;
    });
  const [first, late] = [change('first', STORE_PATIENCE - 1), change('late', STORE_PATIENCE)];
  const never = change('never', 1);
  const failures = Promise.all(
    [late, never].map((each) => expect(each).rejects.toThrow(StoreUnavailableError)),
  );
  await pass(STORE_PATIENCE);
  await failures;
  expect(await first).toBe('first');
  await pass(10 * STORE_PATIENCE);
  expect(done).not.toContain('never');
  const after = change('after', 1);
  await pass(1);
  expect(await after).toBe('after');
});

it('tells an attempt that reads for too long to change nothing', async () => {
  const queue = new SessionQueue();
  let changes = 0;
  const change = queue.run('a', async (deadline) => {
    await sleep(STORE_PATIENCE);
    deadline.assertAhead();
    return ++changes;
  });
  const failure = expect(change).rejects.toThrow(StoreUnavailableError);
  await pass(2 * STORE_PATIENCE);
  await failure;
  expect(changes).toBe(0);
});

it('tries again, more and more rarely, until it gives up', async () => {
  const queue = new SessionQueue();
  let attempts = 0;
  const change = queue.run('a', async () => {
    attempts++;
    return null;
  });
  const failure = expect(change).rejects.toThrow(StoreUnavailableError);
  await pass(STORE_PATIENCE / 10);
  const early = attempts;
  expect(early).toBeGreaterThan(5);
  await pass(2 * STORE_PATIENCE);
  await failure;
  const made = attempts;
  expect(made).toBeLessThan(150);
  await pass(STORE_PATIENCE);
  expect(attempts).toBe(made);
});
