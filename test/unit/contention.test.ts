import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { SessionTurns } from '../../src/core/life/contention.js';
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
  const turns = new SessionTurns();
  const log: string[] = [];
  const change = (name: string) =>
    turns.untilUncontended('a', async () => {
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
  const turns = new SessionTurns();
  const slow = turns.untilUncontended('a', () => sleep(100).then(() => 'slow'));
  expect(await turns.untilUncontended('b', async () => 'at once')).toBe('at once');
  const failing = turns.untilUncontended('a', async () => {
    throw new RangeError('no');
  });
  const next = turns.untilUncontended('a', async () => 'next');
  const failed = expect(failing).rejects.toThrow(RangeError);
  await pass(100);
  await failed;
  expect(await Promise.all([slow, next])).toEqual(['slow', 'next']);
});

it('remembers no session once nobody changes it', async () => {
  const turns = new SessionTurns();
  const all = Array.from({ length: 10 }, (_, at) => turns.untilUncontended(`${at % 3}`, () => sleep(5)));
  void Promise.allSettled(all);
  await pass(100);
  expect((Reflect.get(turns, 'ends') as Map<string, unknown>).size).toBe(0);
});

it('fails whoever has waited too long, and does nothing for them afterwards', async () => {
  const turns = new SessionTurns();
  const done: string[] = [];
  const change = (name: string, duration: number) =>
    turns.untilUncontended('a', async () => {
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
  const turns = new SessionTurns();
  let changes = 0;
  const change = turns.untilUncontended('a', async (inTime) => {
    await sleep(STORE_PATIENCE);
    inTime();
    return ++changes;
  });
  const failure = expect(change).rejects.toThrow(StoreUnavailableError);
  await pass(2 * STORE_PATIENCE);
  await failure;
  expect(changes).toBe(0);
});

it('tries again, more and more rarely, until it gives up', async () => {
  const turns = new SessionTurns();
  let attempts = 0;
  const change = turns.untilUncontended('a', async () => {
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
