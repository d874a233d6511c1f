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

/** Authenticator assurance level (NIST SP 800-63B): 1 password, 2 two factors, 3 hardware-backed two factors. */
export type AuthenticationLevel = 1 | 2 | 3;

/** What your application keeps in a session: a JSON object, or what `SessionTypes` says. */
export type SessionData = SessionTypes extends { data: infer D extends object } ? D : JsonObject;

/** What JSON can hold. */
export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;
/** An object of JSON values; properties that are `undefined` are left out. */
export interface JsonObject {
  [key: string]: JsonValue | undefined;
}

/** Session data as a session shows it, readonly in all its depth: `SessionService.update` is what changes it. */
export type ReadonlySessionData = SessionTypes extends { data: infer D extends object }
  ? DeepReadonly<D>
  : ReadonlyJsonObject;

/** What JSON can hold, to be read only. */
export type ReadonlyJsonValue =
  string | number | boolean | null | readonly ReadonlyJsonValue[] | ReadonlyJsonObject;
/** An object of JSON values, to be read only. */
export interface ReadonlyJsonObject {
  readonly [key: string]: ReadonlyJsonValue | undefined;
}

// Lists by a rule of their own: through a mapped type the compiler would follow a type that holds itself for ever.
type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? number extends T['length']
    ? readonly DeepReadonly<Item>[]
    : { readonly [Index in keyof T]: DeepReadonly<T[Index]> }
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

/** Where a session was started, as far as it was recorded. */
export interface SessionClient {
  /** IP address; `null` with `recordClient: false`. */
  readonly ip: string | null;
  /** The header `User-Agent`; `null` with `recordClient: false`. */
  readonly userAgent: string | null;
  /** A name that people recognise, such as that of the device. */
  readonly label: string | null;
}

/** What is left of a session that is copied, printed or serialized: the public part, which is all but `data`. */
export interface PublicSession {
  /** As of the session; it cannot be used in place of the token. */
  readonly id: string;
  /** Who signed in; `null` before sign-in. */
  readonly userId: string | null;
  /** As given at sign-in or by `setRoles`. */
  readonly roles: readonly Role[];
  /** Authenticator assurance level (NIST SP 800-63B AAL); `null` before sign-in. */
  readonly level: AuthenticationLevel | null;
  /** When the session was made. */
  readonly createdAt: Date;
  /** The last sign-in or step-up; `null` before sign-in. */
  readonly authenticatedAt: Date | null;
  /** The last activity, at most `touchEvery` behind. */
  readonly lastSeenAt: Date;
  /** When it ends unless there is activity. */
  readonly expiresAt: Date;
  /** Where the session was started. */
  readonly client: SessionClient;
}

/**
 * A live session of somebody who has signed in. It never holds the token or a hash of it, and it is a value: it is frozen,
 * and only the verbs of `SessionService` change anything. All that is public is its own and enumerable; `data` is neither,
 * so that no copy and no serializer puts it into an answer.
 */
export abstract class ActiveSession {
  /** Public: safe in lists, logs and URLs. It cannot be used in place of the token. */
  abstract readonly id: string;
  /** Who signed in. */
  abstract readonly userId: string;
  /** As given at sign-in or by `setRoles`; roles that these include are not listed. */
  abstract readonly roles: readonly Role[];
  /** The highest authenticator assurance level (NIST SP 800-63B AAL) proven within the absolute timeout. */
  abstract readonly level: AuthenticationLevel;
  /** When the session was made; a sign-in on an anonymous session does not change it. */
  abstract readonly createdAt: Date;
  /** The last authentication event: sign-in or step-up, of whichever level. */
  abstract readonly authenticatedAt: Date;
  /** The last activity, at most `touchEvery` behind. */
  abstract readonly lastSeenAt: Date;
  /** When it ends unless there is activity: the earlier of the idle and the absolute timeout. */
  abstract readonly expiresAt: Date;
  /** Where the session was started, as far as `recordClient` keeps it. */
  abstract readonly client: SessionClient;
  /** Frozen, and not enumerable; change it with `SessionService.update`. */
  abstract readonly data: ReadonlySessionData;
  /** The public part: everything but `data`. */
  abstract toJSON(): PublicSession;
}

/** A live session from before sign-in: it has data, but nobody's rights. A value as `ActiveSession` is. */
export abstract class AnonymousSession {
  /** Public, and kept at sign-in. */
  abstract readonly id: string;
  /** Nobody has signed in. */
  abstract readonly userId: null;
  /** Nobody has none. */
  abstract readonly roles: readonly [];
  /** There was no sign-in to have a level. */
  abstract readonly level: null;
  /** When the session was made. */
  abstract readonly createdAt: Date;
  /** There was no sign-in. */
  abstract readonly authenticatedAt: null;
  /** The last activity, at most `touchEvery` behind. */
  abstract readonly lastSeenAt: Date;
  /** When it ends unless there is activity: the earlier of the idle and the absolute timeout. */
  abstract readonly expiresAt: Date;
  /** Where the session was started. */
  abstract readonly client: SessionClient;
  /** Frozen, and not enumerable; change it with `SessionService.update`. It is kept at sign-in. */
  abstract readonly data: ReadonlySessionData;
  /** The public part: everything but `data`. */
  abstract toJSON(): PublicSession;
}

/** A new session with its token: the only place where a token ever appears. */
export interface IssuedSession<S = ActiveSession> {
  /** The session. */
  readonly session: S;
  /** The secret for its client: never log, store or list it. */
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

/** Whether a token is accepted: its session, or the reason why there is none. */
export type SessionVerdict =
  | { readonly session: ActiveSession | AnonymousSession; readonly reason?: undefined }
  | { readonly session: null; readonly reason: RefusalReason };
