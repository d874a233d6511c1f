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
  /**
   * Tokens that were replaced without ever having been shown: the first 16 characters of their hashes, the latest first,
   * with commas between them, eight at most. Who shows one had it from an answer that came late, and is no thief. It says
   * nothing more: none of them is accepted.
   */
  readonly unshown: string | null;
  /**
   * From when on a holder of the previous token has ignored its renewal: `grace` after it was handed the newest token once
   * more, when no answer from before could be under way. `null` until that, and never again once it was told.
   */
  readonly ignoredFrom: number | null;
  /** `null` before sign-in. */
  readonly userId: string | null;
  /** JSON array of strings. */
  readonly roles: string;
  /** When the session was made. */
  readonly createdAt: number;
  /** The last authentication event, of whichever level; of an anonymous session, its creation. */
  readonly authenticatedAt: number;
  /** The last authentication event of level 2 or 3. */
  readonly level2At: number | null;
  /** The last authentication event of level 3. */
  readonly level3At: number | null;
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
