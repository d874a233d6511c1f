import { hash, randomUUID } from 'node:crypto';
import { countInBatches, inBatches } from '../../core/life/in-batches.js';
import { newSessionId } from '../../core/life/session-ids.js';
import type { SessionRecord } from '../../core/model/record.js';
import {
  type Admission,
  type Admitted,
  BATCH_SIZE,
  type EndedSession,
  type RolesChange,
  type SessionStore,
  type Touch,
} from '../../core/model/store.js';
import { expectThat } from './expectation.js';

const MINUTE = 60_000;
export const NOW = Date.UTC(2026, 0, 1);
export const IDLE = 15 * MINUTE;
export const ABSOLUTE = 12 * 60 * MINUTE;

export function newHash(): string {
  return hash('sha256', randomUUID());
}

/** A session of Ana, who has signed in at `createdAt` or else `NOW`. */
export function recordWith(fields: Partial<SessionRecord> = {}): SessionRecord {
  const start = fields.createdAt ?? NOW;
  return {
    id: newSessionId(start),
    seriesHash: newHash(),
    tokenHash: newHash(),
    confirmedAt: null,
    rotatedAt: start,
    previousHash: null,
    previousKind: null,
    successor: null,
    unshown: null,
    ignoredFrom: null,
    userId: 'ana',
    roles: '["customer"]',
    createdAt: start,
    authenticatedAt: start,
    level2At: null,
    level3At: null,
    lastSeenAt: start,
    idleExpiresAt: start + IDLE,
    absoluteExpiresAt: start + ABSOLUTE,
    renewAt: start + 4 * IDLE,
    expiresAt: start + IDLE,
    ip: '192.0.2.1',
    userAgent: 'Agent/1.0',
    label: null,
    data: '{"theme":"dark"}',
    dataVersion: 0,
    ...fields,
  };
}

/** Puts a record there without asking whether it may sign in. */
export async function put(store: SessionStore, fields: Partial<SessionRecord> = {}): Promise<SessionRecord> {
  const record = recordWith(fields);
  const { outcome } = await store.insert(record, null);
  expectThat('without an admission every record is inserted', outcome, 'admitted');
  return record;
}

/** Puts one there for each of these. */
export function putAll(
  store: SessionStore,
  each: readonly Partial<SessionRecord>[],
): Promise<SessionRecord[]> {
  return Promise.all(each.map((fields) => put(store, fields)));
}

/** Of a sign-in that nothing overtakes, unless it says when it has begun. */
export function admissionWith(fields: Partial<Admission> = {}): Admission {
  return { userId: 'ana', begun: Number.MAX_SAFE_INTEGER, now: NOW, limit: null, ...fields };
}

/** Activity `after` milliseconds after what the record knows of. */
export function touchOf(record: SessionRecord, after: number): Touch {
  const { id, roles, authenticatedAt, absoluteExpiresAt } = record;
  const lastSeenAt = record.lastSeenAt + after;
  const idleExpiresAt = lastSeenAt + IDLE;
  const expiresAt = Math.min(idleExpiresAt, absoluteExpiresAt);
  return { id, roles, authenticatedAt, lastSeenAt, idleExpiresAt, expiresAt };
}

/** The live sessions of a user, as many as one page has. */
export function liveOf(store: SessionStore, userId: string, now: number): Promise<SessionRecord[]> {
  return store.findLive(userId, now, { limit: BATCH_SIZE, before: null });
}

/** All of a `setRoles`; how many sessions there were. */
export async function giveRoles(store: SessionStore, userId: string, change: RolesChange): Promise<number> {
  const number = await store.mark(userId);
  return countInBatches(
    number,
    (batch) => store.setRoles(userId, change, batch),
    () => {},
  );
}

/** All of a revocation of a user's sessions; what they were. */
export async function endAllOf(
  store: SessionStore,
  userId: string,
  except: string | null = null,
): Promise<EndedSession[]> {
  const all: EndedSession[] = [];
  const number = await store.mark(userId);
  await inBatches(
    number,
    (batch) => store.deleteByUser(userId, except, batch),
    (ended) => void all.push(...ended),
  );
  return all;
}

/** All of a revocation of everyone's sessions, or of what was created before that time; how many there were. */
export async function endEveryones(
  store: SessionStore,
  createdBefore: number | null = null,
): Promise<number> {
  const number = await store.mark(null);
  return countInBatches(
    number,
    (batch) => store.deleteAll(createdBefore, batch),
    () => {},
  );
}

export function idsOf(records: readonly EndedSession[]): string[] {
  return records.map(({ id }) => id);
}

/** How many times each outcome came about. */
export function tally(admitted: readonly Admitted[]): Partial<Record<Admitted['outcome'], number>> {
  const counts: Partial<Record<Admitted['outcome'], number>> = {};
  for (const { outcome } of admitted) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

/** The results of `count` calls at the same time, every other one on `second`. */
export function atOnce<T>(
  count: number,
  { store, second }: { readonly store: SessionStore; readonly second: SessionStore },
  call: (store: SessionStore, index: number) => Promise<T>,
): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => call(index % 2 ? second : store, index)));
}

/** User ids that databases like to take for each other. */
export const LOOKALIKES = ['aB3', 'Ab3', 'ab3', 'ab3 ', 'áb3'] as const;
