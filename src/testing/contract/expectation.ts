import { AssertionError } from 'node:assert';
import { inspect, isDeepStrictEqual } from 'node:util';
import type { SessionRecord } from '../../core/model/record.js';

/** @throws AssertionError that says what the contract wants, and what was got instead */
export function expectThat(promise: string, actual: unknown, expected: unknown): void {
  // Clones: a driver's arrays may come from another realm than those of the test, and are not strictly equal then.
  if (isDeepStrictEqual(structuredClone(actual), structuredClone(expected))) return;
  throw new AssertionError({
    message: `The contract wants: ${promise}\n  wanted: ${inspect(expected)}\n  got:    ${inspect(actual)}`,
    actual,
    expected,
    operator: 'deepStrictEqual',
    stackStartFn: expectThat,
  });
}

/** A record field by field: a store may return more of it, or an object of a class. */
export function expectRecord(promise: string, actual: SessionRecord | null, expected: SessionRecord): void {
  const fields = Object.keys(expected).toSorted() as (keyof SessionRecord)[];
  const pick = (record: SessionRecord) => Object.fromEntries(fields.map((field) => [field, record[field]]));
  expectThat(promise, actual && pick(actual), pick(expected));
}
