import type { AuthenticationLevel } from './principal.js';

/**
 * Augment it to type your roles and your session data everywhere:
 *
 * ```ts
 * declare module 'nestjs-sessions' {
 *   interface SessionTypes {
 *     role: 'admin' | 'support' | 'customer';
 *     data: { locale?: string };
 *   }
 * }
 * ```
 */
// oxlint-disable-next-line typescript/no-empty-interface, typescript/no-empty-object-type -- made to be augmented
export interface SessionTypes {}

/** The name of a role: any string, or what `SessionTypes` says. */
export type Role = SessionTypes extends { role: infer R extends string } ? R : string;

/** What your application keeps in a session: a JSON object, or what `SessionTypes` says. */
export type SessionData = SessionTypes extends { data: infer D extends object } ? D : JsonObject;

export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;
export interface JsonObject {
  [key: string]: JsonValue | undefined;
}

/** Where a session was started, as far as it was recorded. */
export interface SessionClient {
  readonly ip: string | null;
  readonly userAgent: string | null;
  /** A name that people recognise, such as that of the device. */
  readonly label: string | null;
}

/** What `JSON.stringify(session)` gives: the public part, which is all but `data`. */
export interface PublicSession {
  readonly id: string;
  readonly userId: string | null;
  readonly roles: readonly Role[];
  readonly level: AuthenticationLevel | null;
  readonly createdAt: Date;
  readonly authenticatedAt: Date | null;
  readonly lastSeenAt: Date;
  readonly expiresAt: Date;
  readonly client: SessionClient;
}

/**
 * A live session of somebody who has signed in. It never holds the token or a hash of it, and it is a value: what you
 * do to it changes nothing; the verbs of `SessionService` do.
 */
export abstract class ActiveSession {
  /** Public: safe in lists, logs and URLs. It cannot be used in place of the token. */
  abstract readonly id: string;
  abstract readonly userId: string;
  abstract readonly roles: readonly Role[];
  /** Authenticator assurance level of the sign-in (NIST SP 800-63B AAL). */
  abstract readonly level: AuthenticationLevel;
  abstract readonly createdAt: Date;
  /** The last authentication event: sign-in or step-up. */
  abstract readonly authenticatedAt: Date;
  /** The last activity, at most `touchEvery` behind. */
  abstract readonly lastSeenAt: Date;
  /** When it ends unless there is activity: the earlier of the idle and the absolute timeout. */
  abstract readonly expiresAt: Date;
  abstract readonly client: SessionClient;
  /** Frozen; change it with `SessionService.update`. */
  abstract readonly data: SessionData;
  /** The public part: everything but `data`. */
  abstract toJSON(): PublicSession;
}

/** A live session from before sign-in: it has data, but nobody's rights. */
export abstract class AnonymousSession {
  abstract readonly id: string;
  abstract readonly userId: null;
  abstract readonly roles: readonly [];
  abstract readonly level: null;
  abstract readonly createdAt: Date;
  abstract readonly authenticatedAt: null;
  abstract readonly lastSeenAt: Date;
  abstract readonly expiresAt: Date;
  abstract readonly client: SessionClient;
  abstract readonly data: SessionData;
  abstract toJSON(): PublicSession;
}

/** A new session with its token: the only place where a token ever appears. */
export interface IssuedSession<S = ActiveSession> {
  readonly session: S;
  readonly token: string;
}

/** Why a token was not accepted. */
export type RefusalReason =
  /** Not a token at all. */
  | 'malformed'
  /** No session has it: never issued, signed out, revoked or purged. */
  | 'unknown'
  /** Its session has passed its idle or absolute timeout. */
  | 'expired'
  /** A newer token has taken its place a moment ago. */
  | 'rotated'
  /** A newer token took its place and has been in use since: a sign of theft. */
  | 'reused';

export type SessionVerdict =
  | { readonly session: ActiveSession | AnonymousSession; readonly reason?: undefined }
  | { readonly session: null; readonly reason: RefusalReason };
