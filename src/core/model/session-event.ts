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

/** The `code` in the body of a refusal. */
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

/** Where a request came from; all `null` with `recordClient: false`. */
export type Requester = Pick<SessionClient, 'ip' | 'userAgent'>;

interface Subjects {
  /** Public id; `null` where the event is about no single session. */
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
  | { readonly type: 'roles-changed'; readonly roles: readonly string[]; readonly count: number }
  /** `count` with `revokeEveryone` only. */
  | { readonly type: 'revoked'; readonly reason: RevocationReason; readonly count?: number }
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
  | { readonly type: 'refused'; readonly code: RefusalCode; readonly requester: Requester };

/** One event in the life of sessions. It never holds a token or a hash. */
export type SessionEvent = SessionEventDetail & Subjects & { readonly at: Date };
