import type { QueryRunner } from 'typeorm';
import type { SessionRecord } from '../core/model/record.js';
import type { Admission, Admitted, Change, Expected, RolesChange } from '../core/model/store.js';
import { LockVanishedError } from './deadlock.js';
import type { ServerDialect } from './dialects/dialect.js';
import { LONG_SILENCE, type ServerConnection } from './server-connection.js';
import type { SessionMarks } from './session-marks.js';
import type { SessionStatements } from './session-statements.js';
import type { UserWrites } from './user-writes.js';

/**
 * For database servers: a transaction that holds the user's row of `session_users`, so that what concerns one user
 * happens one after the other on all nodes.
 */
export class LockingWrites implements UserWrites {
  constructor(
    private readonly connection: ServerConnection,
    private readonly dialect: ServerDialect,
    private readonly sessions: SessionStatements,
    private readonly marks: SessionMarks,
  ) {}

  insert(record: SessionRecord, admission: Admission): Promise<Admitted> {
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
    return this.connection.transaction(
      async (runner) => {
        await this.lock(runner, null, 'FOR UPDATE');
        await this.marks.raise(runner, null, changedAt);
        return this.sessions.deleteAll(runner);
      },
      { before: (runner) => this.marks.ensure(runner, changedAt, null), silence: LONG_SILENCE },
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
    return this.connection.transaction(
      async (runner) => {
        await this.lock(runner, null, this.dialect.sharedLock);
        await this.lock(runner, userId, 'FOR UPDATE');
        return work(runner);
      },
      // Not in the transaction, which would let nobody else make the row of everyone until it ends.
      { before: (runner) => this.marks.ensure(runner, now, null, userId) },
    );
  }

  /** @throws LockVanishedError where the purge has taken the row since it was made */
  private async lock(runner: QueryRunner, user: string | null, mode: string): Promise<void> {
    if (await this.marks.lock(runner, user, mode)) return;
    throw new LockVanishedError('The rows to lock vanish again and again.');
  }
}
