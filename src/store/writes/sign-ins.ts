import type { SessionRecord } from '../../core/model/record.js';
import type { Admission, Admitted, Change, ExpectedOwner } from '../../core/model/store.js';

/** What a row holds beside the record. */
export interface Stored {
  /** When the row may be purged: `expiresAt` or somewhat later. */
  readonly purgeAfter: number;
  /** Number of the latest `setRoles` that reached the row. */
  readonly rolesSet: number;
  /** Which sign-in of the user's it was, where there is a limit. */
  readonly turn: number;
}

export type StoredRecord = SessionRecord & Stored;
export type StoredChange = Change & Partial<Pick<Stored, 'purgeAfter'>>;

/** `SessionStore.insert` with an admission, and `SessionStore.admit`, in the ways of one kind of database. */
export interface SignIns {
  insert(record: StoredRecord, admission: Admission): Promise<Admitted>;
  admit(id: string, expected: ExpectedOwner, change: StoredChange, admission: Admission): Promise<Admitted>;
}
