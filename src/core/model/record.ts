import type { AuthenticationLevel } from './session.js';

/**
 * A session as the store keeps it. Times are epoch milliseconds; roles and data are JSON text, so that what was
 * written is what is compared. A record never reaches a handler: see `ActiveSession` for what does.
 */
export interface SessionRecord {
  /** UUIDv7: public. */
  readonly id: string;
  /** SHA-256 of the series; what the record is found by. */
  readonly seriesHash: string;
  /** SHA-256 of the newest token. */
  readonly tokenHash: string;
  /** When the newest token was first shown; `null` until then. */
  readonly confirmedAt: number | null;
  /** When the newest token was made. */
  readonly rotatedAt: number;
  /** SHA-256 of the token before the newest one. */
  readonly previousHash: string | null;
  /** How the newest token came to follow the previous one. */
  readonly previousKind: 'renewal' | 'rotation' | null;
  /** The newest token, sealed for holders of the previous one; only between a renewal and its confirmation. */
  readonly successor: string | null;
  /** `null` before sign-in. */
  readonly userId: string | null;
  /** JSON array of strings. */
  readonly roles: string;
  /** Authenticator assurance level of the sign-in; 1 before it. */
  readonly level: AuthenticationLevel;
  /** When the session was made. */
  readonly createdAt: number;
  /** The last authentication event; of an anonymous session, its creation. */
  readonly authenticatedAt: number;
  /** The last activity that is written. */
  readonly lastSeenAt: number;
  /** `lastSeenAt` and the idle timeout. */
  readonly idleExpiresAt: number;
  /** `authenticatedAt` and the absolute timeout. */
  readonly absoluteExpiresAt: number;
  /** When the newest token falls due for renewal. */
  readonly renewAt: number;
  /** The earlier of the two expiries. */
  readonly expiresAt: number;
  /** Of the sign-in; at most 45 characters. */
  readonly ip: string | null;
  /** Of the sign-in; at most 255 characters. */
  readonly userAgent: string | null;
  /** The name of the device; at most 100 characters. */
  readonly label: string | null;
  /** JSON object. */
  readonly data: string;
  /** Grows by one with each change of `data`. */
  readonly dataVersion: number;
}
