import { createHmac, hash, type KeyObject, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

/**
 * `sid_` + base64url of 48 random bytes (16 of series, 32 of secret) + 6 characters of checksum.
 * A prefix and a checksum let secret scanners find leaked tokens and let garbage be refused without a query.
 */
const PREFIX = 'sid_';
const SERIES_BYTES = 16;
const SECRET_BYTES = 32;
const SERIES_LENGTH = Math.ceil((SERIES_BYTES * 8) / 6);
const UNSIGNED_LENGTH = PREFIX.length + 64;
const TOKEN_LENGTH = UNSIGNED_LENGTH + 6;
/** How many rotations by id a token is recognised across; a token from before that is unknown, and as dead. */
const FOLLOWED_SERIES = 8;
const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const SHAPE = /^sid_[A-Za-z0-9_-]{70}$/;

/** A token, new or shown by a request, with the hashes of it: the only forms that are ever at rest. */
export interface HashedToken {
  /** The secret itself. */
  readonly text: string;
  readonly seriesHash: string;
  readonly tokenHash: string;
}

/** Makes and parses tokens. With keys the checksum is a MAC, so that forged tokens cost no query either. */
export class TokenFormat {
  constructor(
    private readonly keys: readonly KeyObject[] = [],
    private readonly acceptUnkeyed = true,
  ) {}

  /** A token of a new series: the start of a session's life. */
  mint(): HashedToken {
    return this.assemble(randomBytes(SERIES_BYTES + SECRET_BYTES));
  }

  /** A token with a fresh secret in the series of `token`: the session is found by it as before. */
  mintInSeriesOf(token: HashedToken): HashedToken {
    return this.assemble(Buffer.concat([seriesOf(token.text), randomBytes(SECRET_BYTES)]));
  }

  /**
   * The same where no token is at hand, but only the hash of its series. The token gets a series that is computed from
   * that hash: whoever shows an earlier token can be led to the session by computing it again. See `seriesAfter`.
   */
  mintInSeriesAfter(seriesHash: string): HashedToken {
    return this.assemble(Buffer.concat([nextSeries(seriesHash, this.keys[0]), randomBytes(SECRET_BYTES)]));
  }

  /**
   * The hashes of the series that `mintInSeriesAfter` may have put in the place of this one since. Any of the keys may
   * have been the newest one when that was done, and before there were keys it was done without.
   */
  seriesAfter(seriesHash: string): string[] {
    const keys = this.acceptUnkeyed ? [...this.keys, undefined] : this.keys;
    return keys.flatMap((key) => {
      const later: string[] = [];
      for (let latest = seriesHash; later.length < FOLLOWED_SERIES; later.push(latest)) {
        latest = hash('sha256', nextSeries(latest, key));
      }
      return later;
    });
  }

  /** `null` for whatever is not a token of this format: no query is worth it. */
  parse(value: unknown): HashedToken | null {
    if (typeof value !== 'string' || value.length !== TOKEN_LENGTH || !SHAPE.test(value)) return null;
    return this.isGenuine(value) ? withHashes(value) : null;
  }

  private assemble(bytes: Buffer): HashedToken {
    const unsigned = PREFIX + bytes.toString('base64url');
    const [newest] = this.keys;
    return withHashes(unsigned + (newest ? keyedChecksum(unsigned, newest) : checksum(unsigned)));
  }

  private isGenuine(token: string): boolean {
    const unsigned = token.slice(0, UNSIGNED_LENGTH);
    const shown = token.slice(UNSIGNED_LENGTH);
    if (this.keys.some((key) => shown === keyedChecksum(unsigned, key))) return true;
    return this.acceptUnkeyed && shown === checksum(unsigned);
  }
}

function withHashes(token: string): HashedToken {
  return { text: token, seriesHash: hash('sha256', seriesOf(token)), tokenHash: hash('sha256', token) };
}

/** Of the last character that is decoded only the first bits are of the series; they fill no further byte. */
function seriesOf(token: string): Buffer {
  return Buffer.from(token.slice(PREFIX.length, PREFIX.length + SERIES_LENGTH), 'base64url');
}

/** With a key, whoever has read the hashes in the database cannot tell beforehand which series comes next. */
function nextSeries(seriesHash: string, key: KeyObject | undefined): Buffer {
  const bytes = key ? createHmac('sha256', key).update(seriesHash).digest() : Buffer.from(seriesHash, 'hex');
  return bytes.subarray(0, SERIES_BYTES);
}

/** CRC-32 in base64url: what a buffer would give, without making one on every request. */
function checksum(text: string): string {
  const sum = crc32(text);
  let characters = '';
  for (let shift = 26; shift >= 2; shift -= 6) characters += BASE64URL[(sum >>> shift) & 63];
  return characters + BASE64URL[(sum << 4) & 63];
}

function keyedChecksum(text: string, key: KeyObject): string {
  return createHmac('sha256', key).update(text).digest('base64url').slice(0, 6);
}
