import type { SessionRecord } from '../core/model/record.js';
import type { Admission, Admitted, Change, Expected, RolesChange } from '../core/model/store.js';

/**
 * The writes that must not pass each other where they concern one user, or everyone: sign-ins, changes of roles,
 * revocations. How that is done depends on the database, hence two of them: `SingleStatementWrites` and `LockingWrites`.
 */
export interface UserWrites {
  insert(record: SessionRecord, admission: Admission): Promise<Admitted>;
  admit(id: string, expected: Expected, change: Change, admission: Admission): Promise<Admitted>;
  setRoles(userId: string, change: RolesChange): Promise<number>;
  deleteByUser(userId: string, changedAt: number, except?: string): Promise<SessionRecord[]>;
  deleteAll(changedAt: number): Promise<number>;
}
