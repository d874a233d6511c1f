import type { QueryRunner } from 'typeorm';
import type { SessionRecord } from '../core/model/record.js';
import type { Admission, Admitted, Change, Expected, RolesChange } from '../core/model/store.js';
import { LONG_SILENCE } from '../core/outage/time-budgets.js';
import { LockVanishedError, retryingDeadlocks } from './deadlock.js';
import type { PrimaryConnection } from './primary-connection.js';
import type { SessionMarks } from './session-marks.js';
import type { SessionStatements } from './session-statements.js';
import type { PurgedBatch, UserWrites } from './user-writes.js';

/**
 * For database servers: a transaction that holds the user's row of `session_users`, so that what concerns one user
 * happens one after the other on all nodes.
 */
export class LockingWrites implements UserWrites {
  constructor(
    private readonly connection: PrimaryConnection,
    private readonly sessions: SessionStatements,
    private readonly marks: SessionMarks,
  ) {}

  async insert(record: SessionRecord, admission: Admission | null): Promise<Admitted> {
    if (admission === null) {
      await this.connection.write((runner) => this.sessions.insert(runner, record));
      return { outcome: 'admitted', evicted: [] };
    }
    return this.withUser(admission.userId, admission.now, (runner) =>
      this.admitted(runner, record.id, admission, async () => {
        await this.sessions.insert(runner, record);
        return true;
      }),
    );
  }

  admit(id: string, expected: Expected, change: Change, admission: Admission): Promise<Admitted> {
    return this.withUser(admission.userId, admission.now, (runner) =>
      this.admitted(runner, id, admission, () => this.sessions.change(runner, id, expected, change)),
    );
  }

  setRoles(userId: string, change: RolesChange): Promise<number> {
    return this.withUser(userId, change.now, async (runner) => {
      await this.marks.raise(runner, userId, change.changedAt);
      return this.sessions.setRoles(runner, userId, change);
    });
  }

  deleteByUser(userId: string, changedAt: number, except?: string): Promise<SessionRecord[]> {
    return this.withUser(userId, changedAt, async (runner) => {
      await this.marks.raise(runner, userId, changedAt);
      const theirs = await this.sessions.lockByUser(runner, userId, except);
      await this.sessions.deleteByUser(runner, userId, except);
      return theirs;
    });
  }

  deleteAll(changedAt: number): Promise<number> {
    return this.retried(async () => {
      await this.connection.write((runner) => this.marks.ensure(runner, changedAt, null));
      return this.connection.transaction(async (runner) => {
        if (!(await this.marks.lock(runner, null, 'exclusive'))) return null;
        await this.marks.raise(runner, null, changedAt);
        return this.sessions.deleteAll(runner);
      }, LONG_SILENCE);
    });
  }

  purge(now: number, cursor: number, size: number): Promise<PurgedBatch> {
    return this.sessions.isPostgres
      ? this.connection.write((runner) => this.sessions.purge(runner, now, cursor, size))
      : this.retried(() =>
          this.connection.transaction((runner) => this.purgeInTwo(runner, now, cursor, size)),
        );
  }

  /** MySQL has no statement that says what it deleted. */
  private async purgeInTwo(
    runner: QueryRunner,
    now: number,
    cursor: number,
    size: number,
  ): Promise<PurgedBatch> {
    const expired = await this.sessions.lockExpired(runner, now, cursor, size);
    const ids = expired.map(({ id }) => id);
    if (ids.length > 0) await this.sessions.deleteExpired(runner, ids, now);
    return { count: ids.length, cursor: expired.at(-1)?.expiresAt ?? cursor };
  }

  async forget(now: number): Promise<number> {
    return this.retried(() =>
      this.connection.transaction((runner) => this.marks.forget(runner, now, 'FOR UPDATE SKIP LOCKED')),
    );
  }

  private async admitted(
    runner: QueryRunner,
    id: string,
    { userId, arrivedAt, now, limit }: Admission,
    enter: () => Promise<boolean>,
  ): Promise<Admitted> {
    if (await this.marks.hasOvertaken(runner, userId, arrivedAt)) return { outcome: 'overtaken' };
    if (limit === null)
      return (await enter()) ? { outcome: 'admitted', evicted: [] } : { outcome: 'conflict' };
    const others = (await this.sessions.findLive(runner, userId, now)).filter((record) => record.id !== id);
    const surplus = others.slice(limit.max - 1);
    if (surplus.length > 0 && limit.onReached === 'reject') return { outcome: 'limit-reached' };
    if (!(await enter())) return { outcome: 'conflict' };
    return { outcome: 'admitted', evicted: await this.deleteAllOf(runner, surplus) };
  }

  /** @returns those that were there to be deleted */
  private async deleteAllOf(
    runner: QueryRunner,
    records: readonly SessionRecord[],
  ): Promise<SessionRecord[]> {
    const deleted: SessionRecord[] = [];
    for (const record of records) {
      if (await this.sessions.delete(runner, record.id)) deleted.push(record);
    }
    return deleted;
  }

  private withUser<T>(userId: string, now: number, work: (runner: QueryRunner) => Promise<T>): Promise<T> {
    return this.retried(async () => {
      await this.connection.write((runner) => this.marks.ensure(runner, now, null, userId));
      return this.connection.transaction(async (runner) => {
        const isLocked =
          (await this.marks.lock(runner, null, 'shared')) &&
          (await this.marks.lock(runner, userId, 'exclusive'));
        return isLocked ? work(runner) : null;
      });
    });
  }

  /** @param attempt `null` says that what it was to lock has vanished */
  private retried<T>(attempt: () => Promise<T | null>): Promise<T> {
    return retryingDeadlocks(async () => {
      const result = await attempt();
      if (result === null) throw new LockVanishedError('The rows to lock vanish again and again.');
      return result;
    });
  }
}
