import type { QueryRunner } from 'typeorm';
import type { SessionRecord } from '../core/model/record.js';
import type { Change, Expected, ReuseJudgement, RolesChange } from '../core/model/store.js';
import { runSql } from './named-parameters.js';
import { SessionTable, type WhereBuilder } from './session-table.js';
import type { NotedTouch } from './touch-buffer.js';

/**
 * The statements on sessions that every database has; where their SQL differs, the dialect says how. Each method is one
 * statement.
 */
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
    const roles = this.column('roles');
    const parameters = Object.fromEntries(
      touches.flatMap((touch, at) => [
        [`id${at}`, touch.id],
        [`roles${at}`, touch.roles],
      ]),
    );
    const ofEach = (value: (touch: NotedTouch, at: number) => number | string) =>
      `CASE ${id} ${touches.map((touch, at) => `WHEN :id${at} THEN ${value(touch, at)}`).join(' ')} END`;
    const assignments = (['lastSeenAt', 'idleExpiresAt', 'expiresAt'] as const).map(
      (field) => `${this.column(field)} = ${ofEach((touch) => Number(touch[field]))}`,
    );
    const ids = touches.map((_, at) => `:id${at}`).join(', ');
    const counts = ofEach((touch, at) =>
      [
        `${authenticatedAt} = ${Number(touch.authenticatedAt)}`,
        `${lastSeenAt} < ${Number(touch.lastSeenAt)}`,
        `${expiresAt} > ${Number(touch.since)}`,
        this.dialect.sameText(roles, `:roles${at}`),
      ].join(' AND '),
    );
    const sql = `UPDATE ${this.name} SET ${assignments.join(', ')} WHERE ${id} IN (${ids}) AND ${counts}`;
    await runSql(runner, this.dialect, sql, parameters);
  }

  async setRoles(runner: QueryRunner, userId: string, change: RolesChange): Promise<number> {
    const [rolesColumn, renewColumn] = [this.column('roles'), this.column('renewAt')];
    const [idleEnd, absoluteEnd] = [
      `${this.column('lastSeenAt')} + :idle`,
      `${this.column('authenticatedAt')} + :absolute`,
    ];
    const query = this.update(runner, {
      // `renewAt` stands before `roles`: MySQL assigns from the first to the last, and each assignment sees what those
      // before it have set. After `roles`, old and new roles would always be the same, and no token would be renewed.
      renewAt: () =>
        `CASE WHEN ${this.dialect.sameText(rolesColumn, ':roles')} THEN ${renewColumn} ELSE :now END`,
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
    // All there are. MySQL with `sql_safe_updates` deletes nothing without a condition on a key.
    const query = this.remove(runner).where(`${this.column('id')} >= ''`);
    return (await query.execute()).affected ?? 0;
  }

  /** What `lockByUser` locks is what `deleteByUser` deletes. */
  private whereUserBut(query: WhereBuilder, userId: string, except: string | undefined, alias = ''): void {
    this.whereUser(query, userId, alias);
    const id = alias ? `${alias}id` : this.column('id');
    if (except !== undefined) query.andWhere(`${id} <> :except`, { except });
  }
}
