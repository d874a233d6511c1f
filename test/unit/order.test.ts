import { expect, it } from '@jest/globals';
import { ArrivalOrder } from '../../src/core/life/order.js';

it('tells arrivals before a change from those after it while the clock stands still', () => {
  const order = ArrivalOrder.of(() => 1_000);
  const before = [order.arrival(), order.arrival()];
  const change = order.change();
  const after = [order.arrival(), order.arrival()];
  for (const arrival of before) expect(arrival).toBeLessThan(change);
  for (const arrival of after) expect(arrival).toBeGreaterThanOrEqual(change);
});

it('never goes back, and follows the clock forward', () => {
  let now = 1_000;
  const order = ArrivalOrder.of(() => now);
  order.change();
  now = 500;
  expect(order.arrival()).toBeGreaterThanOrEqual(1_000);
  now = 5_000;
  expect(order.arrival()).toBe(5_000);
});
