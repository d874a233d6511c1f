import type { SessionRecord } from './record.js';

/** Sessions in one batch of a change, in one event, in one page of a list: what is done at once stays small. */
export const BATCH_SIZE = 1_000;

/** Ids that are looked for in one statement. */
export const FOUND_AT_ONCE = 500;

/** The state that a change was decided on; a store applies the change only where it still holds. */
export type Expected = Partial<
  Pick<
    SessionRecord,
    'tokenHash' | 'confirmedAt' | 'unshown' | 'ignoredFrom' | 'dataVersion' | 'roles' | 'authenticatedAt'
  >
>;

/** What a change sets; what is left out stays. */
export type Change = Partial<Omit<SessionRecord, 'id'>>;

/** What a sign-in on a session that is there was decided on: it must say whose that is, `null` for nobody's yet. */
export type ExpectedOwner = Expected & Pick<SessionRecord, 'userId'>;

/** The conditions under which somebody may sign in. */
export interface Admission {
  /** Who signs in. */
  readonly userId: string;
  /** What `latestChange` said before the credentials were looked at: a later change overtakes the sign-in. */
  readonly begun: number;
  /** Epoch milliseconds: what counts as live. */
  readonly now: number;
  /** `null`: no limit. */
  readonly limit: { readonly max: number; readonly onReached: 'evict-oldest' | 'reject' } | null;
}

/** What became of a sign-in. */
export type Admitted =
  | { readonly outcome: 'admitted'; readonly evicted: readonly EndedSession[] }
  /** The user has `limit.max` live sessions. */
  | { readonly outcome: 'limit-reached' }
  /** A mark of the user's, or of everyone's, has a larger number than `begun`. */
  | { readonly outcome: 'overtaken' }
  /** The record is not as expected any more. Of an `insert`: newer sign-ins at the same time have evicted it already. */
  | { readonly outcome: 'conflict' };

/** Activity of a session. It counts only for the roles and the sign-in that its deadlines were reckoned from. */
export type Touch = Pick<
  SessionRecord,
  'id' | 'lastSeenAt' | 'idleExpiresAt' | 'expiresAt' | 'roles' | 'authenticatedAt'
>;

/**
 * Why a session is to end: somebody used a dead token of it, long after its newest token was in use. The session may
 * have changed since this was read; if any of it does not hold any more, the session stays.
 */
export interface ReuseJudgement {
  /** The session. */
  readonly id: string;
  /** Its series is still this one. */
  readonly seriesHash: string;
  /** The token that was used; the session's newest token is another one. */
  readonly shownHash: string;
  /** What the record says of tokens that were never shown is still this: the token that was used is not among them. */
  readonly unshown: string | null;
  /** The newest token was made at this time or earlier, and was confirmed at this time or earlier. */
  readonly settledBy: number;
}

/** What is told of a session that was ended. */
export type EndedSession = Pick<
  SessionRecord,
  'id' | 'userId' | 'roles' | 'authenticatedAt' | 'lastSeenAt' | 'expiresAt' | 'ip' | 'userAgent' | 'label'
>;

/** Some of many sessions, which go by their ids, the largest first: it belongs to the newest. */
export interface SessionPage {
  /** At most so many. */
  readonly limit: number;
  /** Only those with smaller ids; `null`: from the newest on. */
  readonly before: string | null;
}

/** The part of a change that is done at once: to at most `BATCH_SIZE` sessions, the newest first. */
export interface ChangeBatch {
  /** What `mark` returned. The change spares sessions whose sign-in had read this number, or a larger one. */
  readonly number: number;
  /** What the batch before said is `next`; `null` for the first one. */
  readonly before: string | null;
}

/** What one batch did. */
export interface BatchDone<Result> {
  /** What was done: how many sessions, or which. */
  readonly result: Result;
  /** Where to go on; `null`: nothing is left. */
  readonly next: string | null;
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
}

/**
 * Where sessions are kept. What the methods say is the contract:
 *
 * - What a method promises holds on every database and between any number of processes.
 * - All reads and writes see the newest state: never a replica, never a cache.
 * - "Live" means `expiresAt > now`.
 * - Absence is an answer (`null`, `false`, 0); an exception means that the store could not do it. It is told as an outage
 *   unless it is a `StoreRejectedError`: what was given is at fault, and the store is there.
 * - Ids and hashes compare exactly: no folding of case or accents.
 * - A caller waits for 5 seconds, and is told then that it was not done. What can take longer gives up by itself before, but for
 *   `deleteAll` and `purgeExpired`.
 *
 * **What came first is a number, not a time**: the clocks of two nodes are never the same. Each
 * revocation of many and each change of roles (a *change*) draws a number that is larger than all drawn before, by whichever process.
 * A sign-in reads the latest number before anybody looks at credentials, and is refused where a change that concerns its
 * user has a larger one: it may have looked at what that change took away. A number that is read too early refuses too
 * much, one that is read too late lets somebody outlive his revocation.
 *
 * A change first draws its number, then leaves it where sign-ins look (a mark), then acts, and each of the three is there
 * for everybody before the next begins. A sign-in must not go unseen between a mark that it did not see and an act that
 * does not see it: either it looks for the mark in the very moment in which its session begins to be there for the act,
 * or its session is there for the act before it looks for the mark.
 */
export abstract class SessionStore {
  /** Live or not. The one read of every request. */
  abstract findBySeries(seriesHash: string): Promise<SessionRecord | null>;
  /** The same for the first record that has any of these series. */
  abstract findByAnySeries(seriesHashes: readonly string[]): Promise<SessionRecord | null>;
  /** Live or not. */
  abstract findById(id: string): Promise<SessionRecord | null>;
  /**
   * The records that there are with these ids, live or not, in any order. A store that says nothing of it looks for each by
   * itself: with one statement for all, sockets and streams are checked again at less cost.
   */
  async findMany(ids: readonly string[]): Promise<SessionRecord[]> {
    const found = await Promise.all([...new Set(ids)].map((id) => this.findById(id)));
    return found.filter((record) => record !== null);
  }
  /** The number of the latest change to anybody's sessions. Read when it is called or later, never earlier. */
  abstract latestChange(): Promise<number>;
  /** Live sessions of a user, newest first. */
  abstract findLive(userId: string, now: number, page: SessionPage): Promise<SessionRecord[]>;

  /**
   * Inserts a new record. An id or a series that is there already is a `StoreRejectedError`. With an admission:
   *
   * - It inserts nothing if a change has overtaken the sign-in: see `Admitted`.
   * - Afterwards the user has at most `limit.max` live sessions, and the new one is among them. To that end it deletes the
   *   user's oldest sessions or, with `reject`, inserts nothing. At most `BATCH_SIZE` are deleted: where more are too many,
   *   as after a limit was set, the next sign-ins delete the others.
   */
  abstract insert(record: SessionRecord, admission: Admission | null): Promise<Admitted>;
  /**
   * The same for somebody who signs in on a record that is there already: changes it where it is as expected, also in
   * whose it is. The limit is for sessions of nobody yet (`expected.userId` is `null`): others are among those that count.
   */
  abstract admit(
    id: string,
    expected: ExpectedOwner,
    change: Change,
    admission: Admission,
  ): Promise<Admitted>;
  /** Changes the record where it is as expected. Never inserts. */
  abstract change(id: string, expected: Expected, change: Change): Promise<boolean>;
  /**
   * Notes activity: it is on its way when this returns or, with `durably`, written. Nobody waits for a row that another
   * transaction has locked. Never moves `lastSeenAt` back, never touches a session whose roles or sign-in have changed,
   * never brings one back. Reads through this store see it at once.
   */
  abstract touch(touch: Touch, durably: boolean): Promise<void>;
  /** Writes the activity that was noted but not written. */
  abstract flush(): Promise<void>;
  /**
   * Begins a change of a user's sessions, or of everyone's with `null`: draws its number, and leaves it as a mark. Sign-ins
   * that began earlier are overtaken from now on, whatever becomes of the batches.
   */
  abstract mark(userId: string | null): Promise<number>;
  /**
   * Sets the roles of a user's live sessions and reckons their deadlines anew; where the roles differ, the token falls
   * due for renewal at `now`. How many sessions there were. Roles that a later change has set stay.
   */
  abstract setRoles(userId: string, change: RolesChange, batch: ChangeBatch): Promise<BatchDone<number>>;

  /** Deletes the record, with `userId` only where it is that user's; what it was. */
  abstract delete(id: string, userId?: string): Promise<SessionRecord | null>;
  /** Deletes the record where it is as expected. */
  abstract deleteExpected(id: string, expected: Expected): Promise<boolean>;
  /** Deletes the record where the judgement still holds. */
  abstract deleteReused(judgement: ReuseJudgement): Promise<boolean>;
  /** Deletes a user's records, live or not, but for the one with the id `except`; what they were. */
  abstract deleteByUser(
    userId: string,
    except: string | null,
    batch: ChangeBatch,
  ): Promise<BatchDone<readonly EndedSession[]>>;
  /** Deletes all records, also those of nobody, or those that were created before that time; how many. */
  abstract deleteAll(createdBefore: number | null, batch: ChangeBatch): Promise<BatchDone<number>>;
  /**
   * Deletes what expired by `now`, oldest first, in small batches, until the signal says to stop; how many. What expired
   * only lately may be left to a later call.
   */
  abstract purgeExpired(now: number, signal?: AbortSignal): Promise<number>;

  /**
   * How far the store's clock is ahead of this machine's, in milliseconds: nodes set theirs by it. 0 unless a store says
   * otherwise.
   */
  clockSkew(): Promise<number> {
    return Promise.resolve(0);
  }

  /**
   * How many live sessions, also of nobody, have a series hash that sorts before `below`: hashes are random, so that part of
   * them says how many there are. `null` unless a store says otherwise.
   */
  countLive(_below: string, _now: number): Promise<number | null> {
    return Promise.resolve(null);
  }
}
