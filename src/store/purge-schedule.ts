import type { SessionRecord } from '../core/model/record.js';
import type { Admission, Change } from '../core/model/store.js';
import type { StoredChange, StoredRecord } from './columns.js';

const HOUR = 60 * 60_000;
/** So few touches in a hundred change the index that the purge goes by. */
const TOUCHES_PER_STEP = 20;
/** What is under way is never purged, however soon its session would end. */
const LONGEST_SIGN_IN = 60_000;

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

  /** A new record: of a sign-in, or of a session of nobody. */
  entering(record: SessionRecord, admission: Admission | null): StoredRecord {
    const { createdAt, expiresAt } = record;
    const needed = admission === null ? expiresAt : Math.max(expiresAt, createdAt + LONGEST_SIGN_IN);
    const begun = admission?.begun ?? 0;
    return { ...record, purgeAfter: this.purgeAfter(needed), rolesSet: 0, begun, turn: 0 };
  }

  /** Every change of a deadline is one of this too. */
  stored(change: Change): StoredChange {
    const { expiresAt } = change;
    return expiresAt === undefined ? change : { ...change, purgeAfter: this.purgeAfter(expiresAt) };
  }
}
