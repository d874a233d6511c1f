import { expect, it } from '@jest/globals';
import { DeadlineWheel } from '../../src/realtime/deadline-wheel.js';

const entry = (sessionId: string) => ({ sessionId, due: 0 });

it('gives what is due, once', () => {
  const wheel = new DeadlineWheel();
  wheel.plan(entry('a'), 1_000);
  wheel.plan(entry('b'), 1_050);
  wheel.plan(entry('c'), 5_000);
  expect(wheel.take(900)).toEqual([]);
  expect(wheel.take(1_000)).toEqual(['a']);
  expect(wheel.take(2_000)).toEqual(['b']);
  expect(wheel.take(2_000)).toEqual([]);
});

it('gives again what was planned anew for the same time', () => {
  const wheel = new DeadlineWheel();
  const again = entry('a');
  wheel.plan(again, 1_000);
  wheel.take(1_000);
  wheel.plan(again, 1_000);
  expect(wheel.take(1_000)).toEqual(['a']);
});

it('has one place for each, and none for what was dropped', () => {
  const wheel = new DeadlineWheel();
  const [moved, dropped] = [entry('a'), entry('b')];
  wheel.plan(moved, 1_000);
  wheel.plan(moved, 3_000);
  wheel.plan(dropped, 1_000);
  wheel.drop(dropped);
  expect(wheel.take(2_000)).toEqual([]);
  expect(wheel.take(3_000)).toEqual(['a']);
});
