import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { Patience } from '../../src/core/outage/patience.js';
import { STORE_PATIENCE } from '../../src/core/outage/time-budgets.js';

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

const pass = (milliseconds: number) => jest.advanceTimersByTimeAsync(milliseconds);
const never = () => new Promise<never>(() => {});

/** Notes when a call is given up. */
function giveUpTime(patience: Patience): () => number | null {
  let at: number | null = null;
  patience.within(never()).catch(() => (at = performance.now()));
  return () => at;
}

it('passes answers and errors on', async () => {
  const patience = new Patience();
  expect(await patience.within(Promise.resolve('answer'))).toBe('answer');
  await expect(patience.within(Promise.reject(new Error('lost')))).rejects.toThrow('lost');
});

it('gives every call its whole time, and none of them more', async () => {
  const patience = new Patience();
  const began = performance.now();
  const given: (() => number | null)[] = [];
  for (let made = 0; made < 6; made++) {
    given.push(giveUpTime(patience));
    void patience.within(Promise.resolve());
    await pass(1_000);
  }
  await pass(STORE_PATIENCE);
  expect(given.map((at) => (at() ?? 0) - began)).toEqual([5_000, 6_000, 7_000, 8_000, 9_000, 10_000]);
});

it('gives up on a call that is made after a pause', async () => {
  const patience = new Patience();
  await patience.within(Promise.resolve());
  await pass(3 * STORE_PATIENCE);
  const began = performance.now();
  const given = giveUpTime(patience);
  await pass(STORE_PATIENCE);
  expect(given()).toBe(began + STORE_PATIENCE);
});

it('sets one timer for all that is asked while it runs, and leaves none behind', async () => {
  const setTimer = jest.spyOn(globalThis, 'setTimeout');
  const patience = new Patience();
  for (let made = 0; made < 1_000; made++) await patience.within(Promise.resolve());
  await Promise.all(Array.from({ length: 1_000 }, () => patience.within(Promise.resolve())));
  expect(setTimer).toHaveBeenCalledTimes(1);
  await pass(STORE_PATIENCE);
  expect(setTimer).toHaveBeenCalledTimes(1);
  expect(jest.getTimerCount()).toBe(0);
  setTimer.mockRestore();
});

it('keeps the process alive only while it waits', async () => {
  const setTimer = jest.spyOn(globalThis, 'setTimeout');
  const patience = new Patience();
  const timer = () => setTimer.mock.results[0]?.value as NodeJS.Timeout;
  await patience.within(Promise.resolve());
  expect(timer().hasRef()).toBe(false);
  patience.within(never()).catch(() => {});
  expect(timer().hasRef()).toBe(true);
  setTimer.mockRestore();
});
