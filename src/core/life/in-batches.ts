import { setImmediate as giveWay } from 'node:timers/promises';
import type { ChangeBatch, BatchDone } from '../model/store.js';

type Run<Result> = (batch: ChangeBatch) => Promise<BatchDone<Result>>;

/**
 * The batches of a change, one after the other, until nothing is left. Each has the patience of a call for itself, so that
 * the change takes as long as there are sessions. Where one fails, those before it hold.
 *
 * @param number of the change: its mark is there
 */
export async function inBatches<Result>(
  number: number,
  run: Run<Result>,
  tell: (result: Result) => void,
): Promise<void> {
  for (let before: string | null = null; ;) {
    const { result, next }: BatchDone<Result> = await run({ number, before });
    tell(result);
    if (next === null) return;
    before = next;
    // A driver may answer without a turn of the event loop, and others want to be served meanwhile.
    await giveWay();
  }
}

/** The same, told as one: how many sessions it was about. Where a batch fails, those before it are told. */
export async function countInBatches(
  number: number,
  run: Run<number>,
  tell: (count: number) => void,
): Promise<number> {
  let count = 0;
  try {
    await inBatches(number, run, (some) => void (count += some));
  } catch (error) {
    if (count > 0) tell(count);
    throw error;
  }
  tell(count);
  return count;
}
