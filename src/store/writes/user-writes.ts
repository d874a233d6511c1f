import type { Admission, Admitted, ExpectedOwner } from '../../core/model/store.js';
import type { StoredChange, StoredRecord } from '../columns.js';
import type { Values } from './statements.js';

/** What is done to some sessions. */
export interface BatchedAct {
  /** `DELETE FROM …`, or `UPDATE … SET …`. */
  readonly act: string;
  /** Which sessions: of these the `BATCH_SIZE` with the largest ids. */
  readonly condition: string;
  /** What is told of each. */
  readonly fields: readonly (keyof StoredRecord)[];
}

/**
 * The writes that must not pass each other where they concern one user: sign-ins and revocations. How that is done depends
 * on the database.
 */
export interface UserWrites {
  /** As `SessionStore.insert` with an admission. */
  insert(record: StoredRecord, admission: Admission): Promise<Admitted>;
  /** As `SessionStore.admit`. */
  admit(id: string, expected: ExpectedOwner, change: StoredChange, admission: Admission): Promise<Admitted>;
  /** A batch of a change; the rows that it was done to. It waits for those that somebody else has locked. */
  runBatch(act: BatchedAct, values: Values): Promise<readonly unknown[]>;
}
