import * as fc from 'fast-check';

/**
 * How far the long tests go. Their rounds, rows and seconds are multiples of it: 1 in `npm test` and `.ci/run`, more in
 * `.ci/nightly`.
 */
export const EFFORT = Number(process.env['TEST_EFFORT'] ?? 1);
/** `TEST_RUNS=2000` looks longer; `TEST_SEED`, with the same `TEST_RUNS`, repeats what a failure has printed. */
const RUNS = process.env['TEST_RUNS'];
const SEED = process.env['TEST_SEED'];
/** Without them a property gets this many milliseconds on each database. */
const PATIENCE = 900 * EFFORT;
const BATCH = 3;

/** Tries a property on random examples. A failure prints the smallest example that was found, and its seed. */
export async function explore<T>(
  property: fc.IAsyncProperty<T>,
  parameters: fc.Parameters<T> = {},
): Promise<void> {
  if (RUNS !== undefined || SEED !== undefined) {
    const seed = SEED === undefined ? {} : { seed: Number(SEED) };
    return fc.assert(property, { ...parameters, numRuns: Number(RUNS ?? BATCH), ...seed });
  }
  const deadline = Date.now() + PATIENCE;
  while (Date.now() < deadline) await fc.assert(property, { ...parameters, numRuns: BATCH });
}
