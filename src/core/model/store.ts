import type { SessionRecord } from './record.js';

/** The state that a change was decided on; a store applies the change only where it still holds. */
export type Expected = Partial<
  Pick<SessionRecord, 'tokenHash' | 'confirmedAt' | 'dataVersion' | 'roles' | 'authenticatedAt'>
>;

/** What a change sets; what is left out stays. */
export type Change = Partial<Omit<SessionRecord, 'id'>>;

/** The conditions under which somebody may sign in. */
export interface Admission {
  /** Who signs in. */
  readonly userId: string;
  /** Stamp of the request's arrival: see `ArrivalOrder`. */
  readonly arrivedAt: number;
  /** Epoch milliseconds: what counts as live. */
  readonly now: number;
  /** `null`: no limit. */
  readonly limit: { readonly max: number; readonly onReached: 'evict-oldest' | 'reject' } | null;
}

/** What became of a sign-in. */
export type Admitted =
  | { readonly outcome: 'admitted'; readonly evicted: readonly SessionRecord[] }
  /** The user has `limit.max` live sessions. */
  | { readonly outcome: 'limit-reached' }
  /** A `setRoles`, `deleteByUser` or `deleteAll` with a later stamp than `arrivedAt` came first. */
  | { readonly outcome: 'overtaken' }
  /** The record is not as expected any more. */
  | { readonly outcome: 'conflict' };

/** Activity of a session. It counts only for the roles and the sign-in that its deadlines were reckoned from. */
export type Touch = Pick<
  SessionRecord,
  'id' | 'lastSeenAt' | 'idleExpiresAt' | 'expiresAt' | 'roles' | 'authenticatedAt'
>;

/** What makes a session's end by reuse of a dead token just: all of it must still hold when the session is deleted. */
export interface ReuseJudgement {
  /** Of the session. */
  readonly id: string;
  /** The series that it must still have. */
  readonly seriesHash: string;
  /** The dead token: it must not be the newest one. */
  readonly shownHash: string;
  /** Newest token made and confirmed no later than this. */
  readonly settledBy: number;
}

/** What setting roles changes in every live session of a user. */
export interface RolesChange {
  /** JSON array of strings. */
  readonly roles: string;
  /** Idle timeout of these roles, in milliseconds. */
  readonly idle: number;
  /** Absolute timeout of these roles, in milliseconds. */
  readonly absolute: number;
  /** Epoch milliseconds: what counts as live, and when tokens fall due for renewal. */
  readonly now: number;
  /** Stamp of this change: see `ArrivalOrder`. */
  readonly changedAt: number;
}

/**
 * Where sessions are kept. What the methods say is the contract:
 *
 * - What a method promises holds on every database and between any number of processes.
 * - All reads and writes see the newest state: never a replica, never a cache.
 * - "Live" means `expiresAt > now`.
 * - Absence is an answer (`null`, `false`, 0); an exception means that the store could not do it.
 * - Ids and hashes compare exactly: no folding of case or accents.
 */
export abstract class SessionStore {
  /** Live or not. The one read of every request. */
  abstract findBySeries(seriesHash: string): Promise<SessionRecord | null>;
  /** The same for the first record that has any of these series. */
  abstract findByAnySeries(seriesHashes: readonly string[]): Promise<SessionRecord | null>;
  /** Live or not. */
  abstract findById(id: string): Promise<SessionRecord | null>;
  /** Live sessions of a user, newest first. */
  abstract findLive(userId: string, now: number): Promise<SessionRecord[]>;

  /**
   * Inserts a new record; an id or series that is there already is an exception. With an admission it does so unless
   * a change overtook the sign-in, and such that afterwards the user has no more than `limit.max` live sessions, of
   * which the new one is one.
   */
  abstract insert(record: SessionRecord, admission: Admission | null): Promise<Admitted>;
  /** As `insert`, for a record that is there already: changes it where it is as expected. */
  abstract admit(id: string, expected: Expected, change: Change, admission: Admission): Promise<Admitted>;
  /** Changes the record where it is as expected. Never inserts. */
  abstract change(id: string, expected: Expected, change: Change): Promise<boolean>;
  /**
   * Notes activity, soon or (`durably`) before it returns. Never moves `lastSeenAt` back, never touches a session
   * whose roles or sign-in have changed, never brings one back. Reads through this store see it at once.
   */
  abstract touch(touch: Touch, durably: boolean): Promise<void>;
  /** Writes the activity that was noted but not written. */
  abstract flush(): Promise<void>;
  /**
   * Sets the roles of a user's live sessions and reckons their deadlines anew; where the roles differ, the token falls
   * due for renewal at `now`. How many sessions there are.
   */
  abstract setRoles(userId: string, change: RolesChange): Promise<number>;

  /** Deletes the record, with `userId` only where it is that user's; what it was. */
  abstract delete(id: string, userId?: string): Promise<SessionRecord | null>;
  /** Deletes the record where it is as expected. */
  abstract deleteExpected(id: string, expected: Expected): Promise<boolean>;
  /** Deletes the record where the judgement still holds. */
  abstract deleteReused(judgement: ReuseJudgement): Promise<boolean>;
  /** Deletes a user's records but for `except`; what they were. Sign-ins that arrived earlier are overtaken. */
  abstract deleteByUser(userId: string, changedAt: number, except?: string): Promise<SessionRecord[]>;
  /** Deletes all records; how many. Sign-ins that arrived earlier are overtaken. */
  abstract deleteAll(changedAt: number): Promise<number>;
  /** Deletes what expired by `now`, oldest first, in small batches, until the signal says to stop; how many. */
  abstract purgeExpired(now: number, signal?: AbortSignal): Promise<number>;
}
