import type { Actor } from './actor.js';
import type { SessionClient } from './session.js';

/** Why a session was ended before its time. */
export type RevocationReason =
  /** `@EndSession()` */
  | 'sign-out'
  /** `revoke`, `revokeAll` or `revokeEveryone` */
  | 'revoked'
  /** Another user signed in on it. */
  | 'replaced'
  /** The user's newer sessions used up `maxSessionsPerUser`. */
  | 'limit'
  /** A dead token of it was used long after its successor: see `reuse-detected`. */
  | 'reuse';

/** The `code` in the body of a refusal; that of a failed sign-in has an event of its own. */
export type RefusalCode =
  | 'session_required'
  | 'session_invalid'
  | 'session_expired'
  | 'role_required'
  | 'reauthentication_required'
  | 'https_required'
  | 'cross_origin'
  | 'session_limit'
  | 'too_many_guesses'
  | 'session_store_unavailable';

/** What was to be done. */
export type Attempt =
  /** `create`, `createAnonymous` or `authenticate` */
  | 'sign-in'
  /** Of data or of a token, or the note that a token was shown. */
  | 'change'
  /** What `setRoles`, `revokeAll` and `revokeEveryone` begin with: sign-ins that began before it are refused. */
  | 'mark'
  /** `setRoles` */
  | 'roles'
  /** An end of sessions, for whatever reason. */
  | 'revocation'
  /** To tell the other processes of it, with the option `cluster`: the change is made, but they may answer from before it. */
  | 'announcement';

/** Where a request came from; all `null` with `recordClient: false`. */
export type Requester = Pick<SessionClient, 'ip' | 'userAgent'>;

/** Whom an event is about. */
export interface EventSubjects {
  /** Public id; `null` where the event is about no single session, but about none or about several. */
  readonly sessionId: string | null;
  readonly userId: string | null;
  /** Where the session was started; `null` where the event is about no single session. */
  readonly client: SessionClient | null;
}

/** What happened, before `at` and whom it is about are added. */
export type SessionEventDetail =
  | { readonly type: 'created' }
  /** A sign-in on an anonymous session, or a step-up. */
  | { readonly type: 'authenticated' }
  /** The periodic rotation of a token in use. */
  | { readonly type: 'renewed' }
  | { readonly type: 'rotated' }
  /** Its data changed. */
  | { readonly type: 'updated' }
  /** `by` where the call said who does it. */
  | {
      readonly type: 'roles-changed';
      readonly roles: readonly string[];
      readonly count: number;
      readonly by?: Actor;
    }
  /**
   * Sessions of one user, or with `revokeEveryone` of everyone. `sessionIds` are all of them, also where it is only one: at
   * most 1,000, more are told by several events. With `revokeEveryone` there are none, `count` says how many sessions
   * there were, and `createdBefore` (ISO 8601, UTC) is the call's, where it had one. `by` where the call said who does it.
   */
  | {
      readonly type: 'revoked';
      readonly reason: RevocationReason;
      readonly sessionIds: readonly string[];
      readonly count?: number;
      readonly createdBefore?: string;
      readonly by?: Actor;
    }
  /**
   * The database was told to do something, and never said whether it did: the caller got a 503, or the sign-in was done
   * and the user's oldest sessions were not all ended. Or it is done, and other processes may not know of it yet. Look at
   * the session, or do it again.
   */
  | { readonly type: 'outcome-unknown'; readonly attempt: Attempt }
  /** A token was shown whose session has passed a timeout. */
  | { readonly type: 'expired' }
  | { readonly type: 'purged'; readonly count: number }
  /** A dead token was used long after its successor was: the session may have been stolen. */
  | { readonly type: 'reuse-detected' }
  /**
   * Somebody goes on with a token that was renewed, although each answer brings the new one: an app that does not read it,
   * or somebody who must not be seen with it. Once for each new token.
   */
  | { readonly type: 'renewal-ignored' }
  /**
   * From one address came `attempts` different tokens that no session has: see the option `guessing`. From nobody
   * (`requester.ip` is `null`) where more addresses were guessing than are told apart.
   */
  | { readonly type: 'guessing-suspected'; readonly attempts: number; readonly requester: Requester }
  /**
   * The credentials of a sign-in or step-up were wrong: the handler of `@StartSession()` returned nobody, or threw a 401
   * or 403. `name` is what its option `name` says, `null` with `recordClient: false`. With the session that the request
   * showed, where there is one.
   */
  | { readonly type: 'sign-in-failed'; readonly name: string | null; readonly requester: Requester }
  | { readonly type: 'refused'; readonly code: RefusalCode; readonly requester: Requester };

/**
 * Which process has done it: this one, or another one whose news came over the bus of the option `cluster`. Of others comes
 * what took something away or changed it: `authenticated`, `rotated`, `updated`, `roles-changed`, `revoked` and
 * `reuse-detected`. It comes without `client`, and may be missing: no bus promises that all of it arrives.
 */
export type EventOrigin = 'own' | 'other';

/** One event in the life of sessions. It never holds a token or a hash. */
export type SessionEvent = SessionEventDetail &
  EventSubjects & { readonly at: Date; readonly origin: EventOrigin };
