import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const ALGORITHM = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** What a sealed successor belongs to: moved to another record or another pair of tokens, it does not open. */
export interface SealBinding {
  readonly id: string;
  readonly seriesHash: string;
  readonly oldHash: string;
  readonly newHash: string;
}

/**
 * Seals the successor of a renewed token so that only a holder of the old token can open it:
 * the key is derived from that token, of which the database has only the hash.
 */
export function seal(successor: string, oldToken: string, binding: SealBinding): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(ALGORITHM, keyFrom(oldToken), iv).setAAD(associatedData(binding));
  const sealed = Buffer.concat([cipher.update(successor, 'utf8'), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url');
}

/** The successor, or `null` when it was not sealed for this token and this binding. */
export function open(sealed: string, oldToken: string, binding: SealBinding): string | null {
  const bytes = Buffer.from(sealed, 'base64url');
  if (bytes.length <= IV_BYTES + TAG_BYTES) return null;
  const iv = bytes.subarray(0, IV_BYTES);
  const tag = bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES);
  const decipher = createDecipheriv(ALGORITHM, keyFrom(oldToken), iv, { authTagLength: TAG_BYTES })
    .setAAD(associatedData(binding))
    .setAuthTag(tag);
  try {
    return decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
  } catch {
    return null;
  }
}

function keyFrom(token: string): Buffer {
  return Buffer.from(hkdfSync('sha256', token, '', 'nestjs-sessions successor', 32));
}

function associatedData({ id, seriesHash, oldHash, newHash }: SealBinding): Buffer {
  return Buffer.from([id, seriesHash, oldHash, newHash].join('.'));
}
