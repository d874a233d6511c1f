import { setImmediate as giveWay } from 'node:timers/promises';
import { StoreRejectedError } from '../core/model/errors.js';
import type { SessionRecord } from '../core/model/record.js';
import {
  type Admission,
  type Admitted,
  type ChangeBatch,
  BATCH_SIZE,
  type Change,
  type BatchDone,
  type EndedSession,
  type Expected,
  type ExpectedOwner,
  type SessionPage,
  type ReuseJudgement,
  type RolesChange,
  SessionStore,
  type Touch,
} from '../core/model/store.js';

const DELETED_AT_ONCE = 100;

/**
 * Keeps sessions in the memory of one process, for tests that need no database. It keeps the whole contract of
 * `SessionStore`: nothing is awaited between a look and the change that is decided on it, so that nothing can come
 * between the two. A store on a database needs conditions, locks or transactions there.
 */
export class InMemorySessionStore extends SessionStore {
  /** By id. A record is never changed, but replaced by another one. */
  private readonly records = new Map<string, SessionRecord>();
  /** The number that the sign-in of a session had read, by its id. */
  private readonly begun = new Map<string, number>();
  /** The number of the latest `setRoles` that has reached a session, by its id. */
  private readonly rolesSet = new Map<string, number>();
  private latest = 0;
  /** Numbers of the latest changes, by user; of those for everyone by `null`. */
  private readonly marks = new Map<string | null, number>();

  async findBySeries(seriesHash: string): Promise<SessionRecord | null> {
    return this.bySeries([seriesHash]);
  }

  async findByAnySeries(seriesHashes: readonly string[]): Promise<SessionRecord | null> {
    return this.bySeries(seriesHashes);
  }

  async findById(id: string): Promise<SessionRecord | null> {
    return this.records.get(id) ?? null;
  }

  override async findMany(ids: readonly string[]): Promise<SessionRecord[]> {
    return [...new Set(ids)].flatMap((id) => this.records.get(id) ?? []);
  }

  async latestChange(): Promise<number> {
    return this.latest;
  }

  async findLive(userId: string, now: number, { limit, before }: SessionPage): Promise<SessionRecord[]> {
    const further = this.liveOf(userId, now).filter(({ id }) => before === null || id < before);
    return further.slice(0, limit);
  }

  override async countLive(below: string, now: number): Promise<number> {
    const records = [...this.records.values()];
    return records.filter(({ seriesHash, expiresAt }) => seriesHash < below && expiresAt > now).length;
  }

  async insert(record: SessionRecord, admission: Admission | null): Promise<Admitted> {
    if (this.records.has(record.id) || this.bySeries([record.seriesHash]) !== null) {
      throw new StoreRejectedError('There is a record with this id or series already.');
    }
    return this.enter({ ...record }, admission);
  }

  async admit(id: string, expected: ExpectedOwner, change: Change, admission: Admission): Promise<Admitted> {
    const record = this.asExpected(id, expected);
    if (record === null) return { outcome: 'conflict' };
    const isClaim = record.userId === null;
    const begun = this.begun.get(id) ?? 0;
    const limit = isClaim ? admission.limit : null;
    const admitted = this.enter({ ...record, ...change }, { ...admission, limit });
    if (!isClaim) this.begun.set(id, begun);
    return admitted;
  }

  async change(id: string, expected: Expected, change: Change): Promise<boolean> {
    const record = this.asExpected(id, expected);
    if (record === null) return false;
    this.keep({ ...record, ...change });
    return true;
  }

  async touch(touch: Touch): Promise<void> {
    const { id, roles, authenticatedAt, lastSeenAt, idleExpiresAt, expiresAt } = touch;
    const record = this.asExpected(id, { roles, authenticatedAt });
    if (record === null || lastSeenAt <= record.lastSeenAt || lastSeenAt >= record.expiresAt) return;
    this.keep({ ...record, lastSeenAt, idleExpiresAt, expiresAt });
  }

  async flush(): Promise<void> {}

  async mark(userId: string | null): Promise<number> {
    this.marks.set(userId, ++this.latest);
    return this.latest;
  }

  async setRoles(userId: string, change: RolesChange, batch: ChangeBatch): Promise<BatchDone<number>> {
    const { roles, idle, absolute, now } = change;
    const { result, next } = this.batchOf(
      this.liveOf(userId, now).filter(({ id }) => (this.rolesSet.get(id) ?? 0) < batch.number),
      batch,
    );
    for (const record of result) {
      const idleExpiresAt = record.lastSeenAt + idle;
      const absoluteExpiresAt = record.authenticatedAt + absolute;
      const expiresAt = Math.min(idleExpiresAt, absoluteExpiresAt);
      const renewAt = record.roles === roles ? record.renewAt : now;
      this.keep({ ...record, roles, idleExpiresAt, absoluteExpiresAt, expiresAt, renewAt });
      this.rolesSet.set(record.id, batch.number);
    }
    return { result: result.length, next };
  }

  async delete(id: string, userId?: string): Promise<SessionRecord | null> {
    const record = this.records.get(id) ?? null;
    if (record === null || (userId !== undefined && record.userId !== userId)) return null;
    this.drop([record]);
    return record;
  }

  async deleteExpected(id: string, expected: Expected): Promise<boolean> {
    const record = this.asExpected(id, expected);
    return record !== null && this.drop([record]);
  }

  async deleteReused({ id, seriesHash, shownHash, unshown, settledBy }: ReuseJudgement): Promise<boolean> {
    const record = this.records.get(id);
    if (record?.seriesHash !== seriesHash || record.tokenHash === shownHash) return false;
    if (record.unshown !== unshown) return false;
    const isSettled =
      record.confirmedAt !== null && Math.max(record.confirmedAt, record.rotatedAt) <= settledBy;
    return isSettled && this.drop([record]);
  }

  async deleteByUser(
    userId: string,
    except: string | null,
    batch: ChangeBatch,
  ): Promise<BatchDone<readonly EndedSession[]>> {
    const theirs = this.where((record) => record.userId === userId && record.id !== except);
    const done = this.batchOf(theirs, batch);
    this.drop(done.result);
    return done;
  }

  async deleteAll(createdBefore: number | null, batch: ChangeBatch): Promise<BatchDone<number>> {
    const doomed = this.where(({ createdAt }) => createdBefore === null || createdAt < createdBefore);
    const { result, next } = this.batchOf(doomed, batch);
    this.drop(result);
    return { result: result.length, next };
  }

  async purgeExpired(now: number, signal?: AbortSignal): Promise<number> {
    const isStopped = () => signal?.aborted ?? false;
    let count = 0;
    while (!isStopped()) {
      const expired = this.where((record) => record.expiresAt <= now);
      if (expired.length === 0) break;
      const oldest = expired
        .toSorted((one, other) => one.expiresAt - other.expiresAt)
        .slice(0, DELETED_AT_ONCE);
      this.drop(oldest);
      count += oldest.length;
      await giveWay();
    }
    return count;
  }

  /** Keeps the record of a sign-in, if it may be kept, and ends the sessions whose place it takes. */
  private enter(record: SessionRecord, admission: Admission | null): Admitted {
    if (admission !== null && this.isOvertaken(admission)) return { outcome: 'overtaken' };
    const surplus = admission === null ? [] : this.surplusBeside(record.id, admission);
    if (surplus.length > 0 && admission?.limit?.onReached === 'reject') return { outcome: 'limit-reached' };
    this.keep(record);
    this.begun.set(record.id, admission?.begun ?? 0);
    this.drop(surplus);
    return { outcome: 'admitted', evicted: surplus };
  }

  private isOvertaken({ userId, begun }: Admission): boolean {
    return Math.max(this.marks.get(userId) ?? 0, this.marks.get(null) ?? 0) > begun;
  }

  /** The oldest sessions, for which there is no room beside this one. */
  private surplusBeside(id: string, { userId, now, limit }: Admission): SessionRecord[] {
    if (limit === null) return [];
    return this.liveOf(userId, now)
      .filter((record) => record.id !== id)
      .slice(limit.max - 1)
      .slice(0, BATCH_SIZE);
  }

  /** Of these, what a change does at once: the newest that began before its mark. */
  private batchOf(
    records: readonly SessionRecord[],
    { number, before }: ChangeBatch,
  ): BatchDone<SessionRecord[]> {
    const result = records
      .filter(({ id }) => (this.begun.get(id) ?? 0) < number && (before === null || id < before))
      .toSorted(byNewest)
      .slice(0, BATCH_SIZE);
    return { result, next: result.length < BATCH_SIZE ? null : (result.at(-1)?.id ?? null) };
  }

  private asExpected(id: string, expected: Partial<ExpectedOwner>): SessionRecord | null {
    const record = this.records.get(id);
    const fields = Object.keys(expected) as (keyof ExpectedOwner)[];
    return record && fields.every((field) => record[field] === expected[field]) ? record : null;
  }

  private bySeries(seriesHashes: readonly string[]): SessionRecord | null {
    return this.where((record) => seriesHashes.includes(record.seriesHash))[0] ?? null;
  }

  /** Newest first. */
  private liveOf(userId: string, now: number): SessionRecord[] {
    return this.where((record) => record.userId === userId && record.expiresAt > now).toSorted(byNewest);
  }

  private where(condition: (record: SessionRecord) => boolean): SessionRecord[] {
    return [...this.records.values()].filter(condition);
  }

  private keep(record: SessionRecord): void {
    this.records.set(record.id, record);
  }

  private drop(records: readonly SessionRecord[]): boolean {
    for (const { id } of records) {
      for (const each of [this.records, this.begun, this.rolesSet]) each.delete(id);
    }
    return records.length > 0;
  }
}

function byNewest(one: SessionRecord, other: SessionRecord): number {
  return one.id < other.id ? 1 : -1;
}
