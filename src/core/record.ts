import type { AuthenticationLevel } from './principal.js';

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
  readonly level: AuthenticationLevel;
  readonly createdAt: number;
  /** The last authentication event; of an anonymous session, its creation. */
  readonly authenticatedAt: number;
  readonly lastSeenAt: number;
  readonly idleExpiresAt: number;
  readonly absoluteExpiresAt: number;
  /** When the newest token falls due for renewal. */
  readonly renewAt: number;
  /** The earlier of the two expiries. */
  readonly expiresAt: number;
  readonly ip: string | null;
  readonly userAgent: string | null;
  readonly label: string | null;
  /** JSON object. */
  readonly data: string;
  /** Grows by one with each change of `data`. */
  readonly dataVersion: number;
}
