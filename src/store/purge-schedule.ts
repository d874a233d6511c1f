import type { SessionRecord } from '../core/model/record.js';
import type { Change } from '../core/model/store.js';
import type { StoredChange, StoredRecord } from './columns.js';

const HOUR = 60 * 60_000;
/** So few touches in a hundred change the index that the purge goes by. */
const TOUCHES_PER_STEP = 20;

/** @param touchEvery `null`: a minute at most */
export function purgeStepFor(touchEvery: number | null): number {
  return Math.max(HOUR, TOUCHES_PER_STEP * (touchEvery ?? 0));
}

/**
 * When the purge gets to a session: not as soon as it has expired, but at the next of some coarse steps. So most activity
 * leaves the column that the purge goes by as it is, and with it the only index on what activity writes.
 */
export class PurgeSchedule {
  /** @param step in milliseconds */
  constructor(readonly step = HOUR) {}

  purgeAfter(expiresAt: number): number {
    return Math.ceil(expiresAt / this.step) * this.step;
  }

  /** A new record, of a sign-in that began with this number. */
  entering(record: SessionRecord, begun: number): StoredRecord {
    return { ...record, purgeAfter: this.purgeAfter(record.expiresAt), rolesSet: 0, begun, turn: 0 };
  }

  /** Every change of a deadline is one of this too. */
  stored(change: Change): StoredChange {
    const { expiresAt } = change;
    return expiresAt === undefined ? change : { ...change, purgeAfter: this.purgeAfter(expiresAt) };
  }
}
