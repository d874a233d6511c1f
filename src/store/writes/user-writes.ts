import type { SessionRecord } from '../../core/model/record.js';
import type { Admission, Admitted, ExpectedOwner } from '../../core/model/store.js';
import type { StoredChange, StoredRecord } from '../columns.js';

/**
 * The writes that must not pass each other where they concern one user: sign-ins and revocations. How that is done depends
 * on the database.
 */
export interface UserWrites {
  /** As `SessionStore.insert` with an admission. */
  insert(record: StoredRecord, admission: Admission): Promise<Admitted>;
  /** As `SessionStore.admit`. */
  admit(id: string, expected: ExpectedOwner, change: StoredChange, admission: Admission): Promise<Admitted>;
  /** Deletes a user's sessions, also those that are not live yet; what the others were. The mark is there already. */
  deleteByUser(userId: string, except: string | undefined): Promise<SessionRecord[]>;
}
