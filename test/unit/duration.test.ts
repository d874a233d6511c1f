import { expect, it } from '@jest/globals';
import { toMilliseconds } from '../../src/core/model/duration.js';

it.each([
  [0, 0],
  [1_500, 1_500],
  [1.5, 1],
  ['250ms', 250],
  ['30s', 30_000],
  ['15m', 900_000],
  ['12 h', 43_200_000],
  ['1.5h', 5_400_000],
  ['30d', 2_592_000_000],
])('reads %j as %i ms', (value, milliseconds) => {
  expect(toMilliseconds(value)).toBe(milliseconds);
});

it.each([
  '',
  '15',
  '15 parsecs',
  'm',
  '-5m',
  '1..5h',
  '9'.repeat(200) + 'h',
  NaN,
  Infinity,
  -1,
  null,
  undefined,
  {},
  [],
  true,
])('takes %j for no duration', (value) => {
  expect(toMilliseconds(value)).toBeNull();
});
