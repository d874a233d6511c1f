import { timingSafeEqual } from 'node:crypto';
import type { SessionRecord } from '../model/record.js';

const REMEMBERED_UNSHOWN = 8;
/** As few characters as make two tokens of one session differ. */
const SHORTENED_LENGTH = 16;
const SEPARATOR = ',';

/**
 * What a token of a session's series is to that session:
 * - `current`: the newest one;
 * - `outgoing`: the one before, after a renewal whose successor is not yet in settled use; still accepted;
 * - `rotated`: dead, but answers get lost or come late and requests were in flight: not a sign of theft;
 * - `reused`: dead, and the client has long had a newer one: somebody else holds a copy.
 */
export type Standing = 'current' | 'outgoing' | 'rotated' | 'reused';

/** @param arrivedAt when the request did: one that was on its way all the time is no sign of theft */
export function standingOf(
  record: SessionRecord,
  tokenHash: string,
  now: number,
  arrivedAt: number,
  grace: number,
): Standing {
  if (isSame(record.tokenHash, tokenHash)) return 'current';
  const { confirmedAt, previousHash, previousKind, rotatedAt } = record;
  if (previousKind === 'renewal' && previousHash !== null && isSame(previousHash, tokenHash)) {
    if (confirmedAt === null || now < confirmedAt + grace) return 'outgoing';
  }
  if (confirmedAt === null || arrivedAt < Math.max(rotatedAt, confirmedAt) + grace) return 'rotated';
  if (wasNeverShown(record, tokenHash)) return 'rotated';
  return 'reused';
}

/** Whether nobody ever used this token while it was good: then it came late, with an answer that overwrote a newer one. */
function wasNeverShown({ unshown }: SessionRecord, tokenHash: string): boolean {
  return unshown !== null && unshown.split(SEPARATOR).includes(shortened(tokenHash));
}

/** What `unshown` of a record becomes when its newest token is replaced that nobody has shown. */
export function unshownWith({ unshown, tokenHash }: SessionRecord): string {
  const earlier = unshown === null ? [] : unshown.split(SEPARATOR);
  return [shortened(tokenHash), ...earlier].slice(0, REMEMBERED_UNSHOWN).join(SEPARATOR);
}

function shortened(tokenHash: string): string {
  return tokenHash.slice(0, SHORTENED_LENGTH);
}

/** Whether tokens before the newest one may still be under way: until then, no further renewal. */
export function isSettling(record: SessionRecord, now: number, grace: number): boolean {
  if (record.confirmedAt === null) return true;
  return record.previousHash !== null && now < Math.max(record.rotatedAt, record.confirmedAt) + grace;
}

function isSame(hash: string, other: string): boolean {
  return hash.length === other.length && timingSafeEqual(Buffer.from(hash), Buffer.from(other));
}
