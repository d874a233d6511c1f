import { expect, it } from '@jest/globals';
import { TestClock } from 'nestjs-sessions/testing';

const START = new Date('2026-01-01T00:00:00Z');

it('starts at the present, or where it is told to', () => {
  const before = Date.now();
  expect(new TestClock().now()).toBeGreaterThanOrEqual(before);
  expect(new TestClock(START).now()).toBe(START.getTime());
  expect(new TestClock(5).now()).toBe(5);
});

it('stands still until it is moved', () => {
  const { now } = new TestClock(START);
  expect([now(), now()]).toEqual([START.getTime(), START.getTime()]);
});

it('advances by durations, and is set to times', () => {
  const clock = new TestClock(START);
  clock.advance('31m');
  expect(clock.now()).toBe(START.getTime() + 31 * 60_000);
  clock.advance(250);
  expect(clock.now()).toBe(START.getTime() + 31 * 60_000 + 250);
  clock.set(START);
  expect(clock.now()).toBe(START.getTime());
  clock.set(5);
  expect(clock.now()).toBe(5);
});

it.each(['31', '31 minits', -1, NaN, undefined])('does not advance by %p', (by) => {
  const clock = new TestClock(START);
  expect(() => clock.advance(by as number)).toThrow(
    /^`by` is .*: use milliseconds, or a string with a unit such as '31m'\.$/,
  );
  expect(clock.now()).toBe(START.getTime());
});

it.each([new Date('no date'), NaN, Infinity])('cannot be set to %p', (to) => {
  expect(() => new TestClock(START).set(to)).toThrow('use a date or epoch milliseconds.');
  expect(() => new TestClock(to)).toThrow('use a date or epoch milliseconds.');
});
