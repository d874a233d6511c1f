import type { QueryRunner } from 'typeorm';
import type { SessionRecord } from '../core/model/record.js';
import type { Change, Expected, ReuseJudgement, RolesChange } from '../core/model/store.js';
import { SessionTable, type WhereBuilder } from './session-table.js';
import type { NotedTouch } from './touch-buffer.js';
import type { PurgedBatch } from './user-writes.js';

export type ExpiredRow = Pick<SessionRecord, 'id' | 'expiresAt'>;

/** The statements on sessions that are the same on every database. Each method is one. */
export class SessionStatements extends SessionTable {
  findById(runner: QueryRunner, id: string): Promise<SessionRecord | null> {
    const query = this.select(runner);
    this.whereExactly(query, 's.id', 'id', id);
    return this.one(query);
  }

  /** Live sessions of a user, newest first. */
  findLive(runner: QueryRunner, userId: string, now: number): Promise<SessionRecord[]> {
    const query = this.select(runner).where('s.expiresAt > :now', { now });
    this.whereUser(query, userId, 's.');
    return this.many(query.orderBy('s.createdAt', 'DESC').addOrderBy('s.id', 'DESC'));
  }

  /** Locks them, so that what is found is what can be deleted; in the order in which activity is written. */
  lockByUser(runner: QueryRunner, userId: string, except?: string): Promise<SessionRecord[]> {
    const query = this.select(runner);
    this.whereUserBut(query, userId, except, 's.');
    return this.many(query.orderBy('s.id').setLock('pessimistic_write'));
  }

  async insert(runner: QueryRunner, record: SessionRecord): Promise<void> {
    await runner.manager
      .createQueryBuilder()
      .insert()
      .into(this.entity)
      .values(record)
      .updateEntity(false)
      .callListeners(false)
      .execute();
  }

  /** @param refine further conditions, with the columns' names as they stand in the table */
  async change(
    runner: QueryRunner,
    id: string,
    expected: Expected,
    change: Change,
    refine: (query: WhereBuilder) => void = () => {},
  ): Promise<boolean> {
    const query = this.update(runner, change);
    this.whereId(query, id);
    this.whereExpected(query, expected);
    refine(query);
    return ((await query.execute()).affected ?? 0) > 0;
  }

  /**
   * Writes the activity of many sessions at once, of each only where it counts. What counts stands in a `CASE`, so that
   * rows are found by their ids alone: PostgreSQL may else look for each among all that have not expired.
   */
  async touch(runner: QueryRunner, touches: readonly NotedTouch[]): Promise<void> {
    const [id, authenticatedAt] = [this.column('id'), this.column('authenticatedAt')];
    const [lastSeenAt, expiresAt] = [this.column('lastSeenAt'), this.column('expiresAt')];
    const roles = this.bytesOf(this.column('roles'));
    const parameters: string[] = [];
    const bind = (value: string) => {
      parameters.push(value);
      return this.isPostgres ? `$${parameters.length}` : '?';
    };
    const ofEach = (value: (touch: NotedTouch) => number | string) =>
      `CASE ${id} ${touches.map((touch) => `WHEN ${bind(touch.id)} THEN ${value(touch)}`).join(' ')} END`;
    const assignments = (['lastSeenAt', 'idleExpiresAt', 'expiresAt'] as const).map(
      (field) => `${this.column(field)} = ${ofEach((touch) => Number(touch[field]))}`,
    );
    const ids = touches.map((touch) => bind(touch.id)).join(', ');
    const counts = ofEach((touch) =>
      [
        `${authenticatedAt} = ${Number(touch.authenticatedAt)}`,
        `${lastSeenAt} < ${Number(touch.lastSeenAt)}`,
        `${expiresAt} > ${Number(touch.since)}`,
        `${roles} = ${this.bytesOf(bind(touch.roles))}`,
      ].join(' AND '),
    );
    const sql = `UPDATE ${this.name} SET ${assignments.join(', ')} WHERE ${id} IN (${ids}) AND ${counts}`;
    await runner.query(sql, parameters);
  }

  async setRoles(runner: QueryRunner, userId: string, change: RolesChange): Promise<number> {
    const [rolesColumn, renewColumn] = [this.column('roles'), this.column('renewAt')];
    const [idleEnd, absoluteEnd] = [
      `${this.column('lastSeenAt')} + :idle`,
      `${this.column('authenticatedAt')} + :absolute`,
    ];
    const query = this.update(runner, {
      // First, for MySQL lets an assignment see those before it: after it `roles` would be the new ones.
      renewAt: () =>
        `CASE WHEN ${this.bytesOf(rolesColumn)} = ${this.bytesOf(':roles')} THEN ${renewColumn} ELSE :now END`,
      idleExpiresAt: () => idleEnd,
      absoluteExpiresAt: () => absoluteEnd,
      expiresAt: () => `CASE WHEN ${idleEnd} < ${absoluteEnd} THEN ${idleEnd} ELSE ${absoluteEnd} END`,
      roles: () => ':roles',
    });
    query.where(`${this.column('expiresAt')} > :now`, { ...change });
    this.whereUser(query, userId);
    return (await query.execute()).affected ?? 0;
  }

  /** @param userId only where it is that user's */
  async delete(runner: QueryRunner, id: string, userId?: string): Promise<boolean> {
    const query = this.remove(runner);
    this.whereId(query, id);
    if (userId !== undefined) this.whereUser(query, userId);
    return ((await query.execute()).affected ?? 0) > 0;
  }

  async deleteExpected(runner: QueryRunner, id: string, expected: Expected): Promise<boolean> {
    const query = this.remove(runner);
    this.whereId(query, id);
    this.whereExpected(query, expected);
    return ((await query.execute()).affected ?? 0) > 0;
  }

  async deleteReused(runner: QueryRunner, judgement: ReuseJudgement): Promise<boolean> {
    const query = this.remove(runner)
      .where(`${this.column('seriesHash')} = :seriesHash`)
      .andWhere(`${this.column('tokenHash')} <> :shownHash`)
      .andWhere(`${this.column('rotatedAt')} <= :settledBy`)
      .andWhere(`${this.column('confirmedAt')} <= :settledBy`, { ...judgement });
    this.whereId(query, judgement.id);
    return ((await query.execute()).affected ?? 0) > 0;
  }

  async deleteByUser(runner: QueryRunner, userId: string, except?: string): Promise<void> {
    const query = this.remove(runner);
    this.whereUserBut(query, userId, except);
    await query.execute();
  }

  async deleteAll(runner: QueryRunner): Promise<number> {
    return (await this.remove(runner).execute()).affected ?? 0;
  }

  /**
   * Deletes the oldest that have expired by `now`, from `from` on: those that another node has locked are left to it,
   * and the rows that were deleted before need not be passed over again. PostgreSQL's own.
   */
  async purge(runner: QueryRunner, now: number, from: number, size: number): Promise<PurgedBatch> {
    const [id, expiresAt] = [this.column('id'), this.column('expiresAt')];
    const [{ count, cursor }] = (await runner.query(
      `WITH expired AS (
         SELECT ${id} AS id FROM ${this.name} WHERE ${expiresAt} >= $1 AND ${expiresAt} <= $2
         ORDER BY ${expiresAt} LIMIT $3 FOR UPDATE SKIP LOCKED
       ), gone AS (
         DELETE FROM ${this.name} WHERE ${id} IN (SELECT id FROM expired) RETURNING ${expiresAt} AS expired_at
       )
       SELECT COUNT(*) AS count, MAX(expired_at) AS cursor FROM gone`,
      [from, now, size],
    )) as [{ count: string; cursor: string | null }];
    return { count: Number(count), cursor: cursor === null ? from : Number(cursor) };
  }

  /** Locks the oldest that have expired by `now`, from `from` on; those that another node has locked are left to it. */
  async lockExpired(runner: QueryRunner, now: number, from: number, size: number): Promise<ExpiredRow[]> {
    const rows = await runner.manager
      .createQueryBuilder(this.entity, 's')
      .select('s.id', 'id')
      .addSelect('s.expiresAt', 'expiresAt')
      .cache(false)
      .where('s.expiresAt >= :from AND s.expiresAt <= :now', { from, now })
      .orderBy('s.expiresAt', 'ASC')
      .limit(size)
      .setLock('pessimistic_write')
      .setOnLocked('skip_locked')
      .getRawMany<{ id: string; expiresAt: unknown }>();
    return rows.map(({ id, expiresAt }) => ({ id, expiresAt: Number(expiresAt) }));
  }

  async deleteExpired(runner: QueryRunner, ids: readonly string[], now: number): Promise<void> {
    await this.remove(runner)
      .where(`${this.column('id')} IN (:...ids) AND ${this.column('expiresAt')} <= :now`, { ids, now })
      .execute();
  }

  async isAsExpected(runner: QueryRunner, id: string, expected: Expected): Promise<boolean> {
    const record = await this.findById(runner, id);
    const entries = Object.entries(expected) as [keyof Expected, unknown][];
    return record !== null && entries.every(([field, value]) => record[field] === value);
  }

  /** What `lockByUser` locks is what `deleteByUser` deletes. */
  private whereUserBut(query: WhereBuilder, userId: string, except: string | undefined, alias = ''): void {
    this.whereUser(query, userId, alias);
    const id = alias ? `${alias}id` : this.column('id');
    if (except !== undefined) query.andWhere(`${id} <> :except`, { except });
  }
}
