import type { SessionRecord } from '../core/model/record.js';
import type { Admission, Admitted, Change, Expected, RolesChange } from '../core/model/store.js';

/** How many rows were deleted, and up to which expiry. */
export interface PurgedBatch {
  readonly count: number;
  readonly cursor: number;
}

/**
 * The writes that must not pass each other where they concern one user: sign-ins, changes of roles, revocations.
 * How that is done depends on the database, hence two of them: `SingleStatementWrites` and `LockingWrites`.
 */
export interface UserWrites {
  insert(record: SessionRecord, admission: Admission | null): Promise<Admitted>;
  admit(id: string, expected: Expected, change: Change, admission: Admission): Promise<Admitted>;
  setRoles(userId: string, change: RolesChange): Promise<number>;
  deleteByUser(userId: string, changedAt: number, except?: string): Promise<SessionRecord[]>;
  deleteAll(changedAt: number): Promise<number>;
  /** Deletes the oldest of what expired by `now`, at most `size` rows, from `cursor` on; how far it came. */
  purge(now: number, cursor: number, size: number): Promise<PurgedBatch>;
  /** Deletes some of the rows of `session_users` that no sign-in needs any more; how many. */
  forget(now: number): Promise<number>;
}
