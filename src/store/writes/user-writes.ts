import type { Deadline } from '../../core/outage/deadline.js';
import type { Admission, Admitted, ExpectedOwner } from '../../core/model/store.js';
import type { StoredChange, StoredRecord } from '../columns.js';
import type { Values } from './statements.js';

/** What is done to some sessions. */
export interface BatchedAct {
  /** `DELETE FROM …`, or `UPDATE … SET …`. */
  readonly act: string;
  /** Which sessions: of these the `BATCH_SIZE` with the largest ids. */
  readonly condition: string;
  /** What is told of each: its id, and more. */
  readonly fields: readonly (keyof StoredRecord)[];
}

/** What became of a batch. */
export interface BatchRun {
  /** Of the sessions that it was to be done to. */
  readonly ids: readonly string[];
  /** What is told of those that it was done to: the others had gone meanwhile. */
  readonly done: readonly unknown[];
}

/** Where one statement does both. */
export function batchOf(done: readonly unknown[]): BatchRun {
  return { ids: (done as readonly { readonly id: string }[]).map(({ id }) => id), done };
}

/**
 * The writes that must not pass each other where they concern one user: sign-ins and revocations. How that is done depends
 * on the database.
 */
export interface UserWrites {
  /** The same, for a call with this deadline. */
  until(deadline: Deadline): UserWrites;
  /** As `SessionStore.insert` with an admission. */
  insert(record: StoredRecord, admission: Admission): Promise<Admitted>;
  /** As `SessionStore.admit`. */
  admit(id: string, expected: ExpectedOwner, change: StoredChange, admission: Admission): Promise<Admitted>;
  /** A batch of a change. It waits for sessions that somebody else has locked. */
  runBatch(act: BatchedAct, values: Values): Promise<BatchRun>;
}
