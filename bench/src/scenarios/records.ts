import { createHash } from 'node:crypto';
import type { SessionRecord } from '../library.js';

/** When the records are from. */
export const NOW = Date.UTC(2025, 0);

/** As one literal, like those of the store: an object put together of others would be slow to read. */
export function record(index: number): SessionRecord {
  const at = NOW + index;
  return {
    id: `019b0000-0000-7000-8000-${index.toString(16).padStart(12, '0')}`,
    seriesHash: createHash('sha256').update(`series-${index}`).digest('hex'),
    tokenHash: createHash('sha256').update(`token-${index}`).digest('hex'),
    confirmedAt: at,
    rotatedAt: at,
    previousHash: null,
    previousKind: null,
    successor: null,
    unshown: null,
    ignoredFrom: null,
    userId: `user-${index}`,
    roles: '["admin"]',
    createdAt: at,
    authenticatedAt: at,
    level2At: at,
    level3At: null,
    lastSeenAt: at,
    idleExpiresAt: at + 1,
    absoluteExpiresAt: at + 1,
    renewAt: at,
    expiresAt: at + 1,
    ip: '192.0.2.7',
    userAgent: 'bench',
    label: null,
    data: '{"theme":"dark","list":[1,2,3]}',
    dataVersion: 0,
  };
}
