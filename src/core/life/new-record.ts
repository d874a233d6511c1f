import { serializeData } from '../model/data.js';
import { type SessionPrincipal, serializeRoles } from '../model/principal.js';
import type { SessionRecord } from '../model/record.js';
import type { SessionClient } from '../model/session.js';
import { provenNow } from '../policy/levels.js';
import type { SessionPolicy } from '../policy/policy.js';
import type { HashedToken } from '../token/token.js';
import { newSessionId } from './session-ids.js';

/** Whose session begins, and with what; of nobody where `userId` is `null`. */
export type NewSession = Omit<SessionPrincipal, 'userId'> & { readonly userId: string | null };

const NO_LEVELS = { level2At: null, level3At: null };

/** The record of a session that begins now. @throws InvalidArgumentError for data that cannot be kept */
export function newRecord(
  { seriesHash, tokenHash }: HashedToken,
  now: number,
  principal: NewSession,
  client: SessionClient,
  policies: SessionPolicy,
  maxDataBytes: number,
): SessionRecord {
  const roles = serializeRoles(principal.roles ?? []);
  const policy = policies.of(roles);
  const clocks = { ...provenNow(principal.level ?? 1, now, NO_LEVELS), roles, lastSeenAt: now };
  return {
    id: newSessionId(now),
    seriesHash,
    tokenHash,
    confirmedAt: null,
    rotatedAt: now,
    previousHash: null,
    previousKind: null,
    successor: null,
    unshown: null,
    ignoredFrom: null,
    userId: principal.userId,
    createdAt: now,
    ...clocks,
    ...policy.deadlines(clocks),
    renewAt: now + policy.timeouts.renewal,
    ...client,
    data: serializeData(principal.data ?? {}, maxDataBytes),
    dataVersion: 0,
  };
}
