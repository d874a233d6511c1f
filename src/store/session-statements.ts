import type { QueryRunner } from 'typeorm';
import { groupsOf } from '../core/life/groups-of.js';
import type { SessionRecord } from '../core/model/record.js';
import { type Expected, FOUND_AT_ONCE, type SessionPage, type ReuseJudgement } from '../core/model/store.js';
import type { StoredChange, StoredRecord } from './columns.js';
import { runSql } from './named-parameters.js';
import { SessionTable } from './session-table.js';
import { askForPrimary } from './standby.js';
import type { NotedTouch } from './touch-buffer.js';

export type StoredTouch = NotedTouch & Pick<StoredRecord, 'purgeAfter'>;

/**
 * The statements on sessions that every database has; where their SQL differs, the dialect says how. Each method is one
 * statement.
 */
export class SessionStatements extends SessionTable {
  findById(runner: QueryRunner, id: string): Promise<SessionRecord | null> {
    const query = this.select(runner);
    this.whereExactly(query, 's.id', 'id', id);
    return this.one(runner, query);
  }

  /** Some columns compare without case, or without blanks at the end: what was not asked for is left out. */
  async findMany(runner: QueryRunner, ids: readonly string[]): Promise<SessionRecord[]> {
    const wanted = new Set(ids);
    const found: SessionRecord[] = [];
    for (const group of groupsOf([...wanted], FOUND_AT_ONCE)) {
      const query = this.select(runner).where('s.id IN (:...group)', { group });
      found.push(...(await this.many(runner, query)));
    }
    return found.filter(({ id }) => wanted.has(id));
  }

  /** Live sessions of a user, newest first. */
  findLive(
    runner: QueryRunner,
    userId: string,
    now: number,
    { limit, before }: SessionPage,
  ): Promise<SessionRecord[]> {
    const query = this.select(runner).where('s.expiresAt > :now', { now });
    this.whereUser(query, userId, 's.');
    if (before !== null) query.andWhere('s.id < :before', { before });
    return this.many(runner, query.orderBy('s.id', 'DESC').limit(limit));
  }

  /** Live sessions whose series hash sorts before `below`: a part of an index. */
  async countLive(runner: QueryRunner, below: string, now: number): Promise<number> {
    const sql =
      `SELECT COUNT(*) AS live FROM ${this.name} ` +
      `WHERE ${this.column('seriesHash')} < :below AND ${this.column('expiresAt')} > :now`;
    const { records } = await runSql(runner, this.dialect, sql, { below, now });
    if (this.dialect.server) await askForPrimary(runner, this.dialect.server.role);
    return Number((records as { live: number | string }[])[0]?.live);
  }

  async change(runner: QueryRunner, id: string, expected: Expected, change: StoredChange): Promise<boolean> {
    const query = this.update(runner, change);
    this.whereId(query, id);
    this.whereExpected(query, expected);
    return ((await query.execute()).affected ?? 0) > 0;
  }

  /**
   * Writes the activity of many sessions at once, of each only where it counts. What counts stands in a `CASE`, so that
   * rows are found by their ids alone: PostgreSQL may else look for each among all that have not expired.
   * @returns those whose rows somebody else holds: they were passed over
   */
  async touch(runner: QueryRunner, touches: readonly StoredTouch[]): Promise<readonly StoredTouch[]> {
    const [id, authenticatedAt] = [this.column('id'), this.column('authenticatedAt')];
    const [lastSeenAt, expiresAt] = [this.column('lastSeenAt'), this.column('expiresAt')];
    const roles = this.column('roles');
    const parameters = Object.fromEntries(
      touches.flatMap((touch, at) => [
        [`id${at}`, touch.id],
        [`roles${at}`, touch.roles],
      ]),
    );
    const ofEach = (value: (touch: StoredTouch, at: number) => number | string) =>
      `CASE ${id} ${touches.map((touch, at) => `WHEN :id${at} THEN ${value(touch, at)}`).join(' ')} END`;
    const assignments = (['lastSeenAt', 'idleExpiresAt', 'expiresAt', 'purgeAfter'] as const).map(
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
    const rows = { table: this.name, id, ids };
    const sql = this.dialect.updateUnlocked(rows, assignments.join(', '), counts);
    const { affected } = await runSql(runner, this.dialect, sql, parameters);
    if (this.dialect.server === null || affected === touches.length) return [];
    // Gone, overtaken by other activity, or locked: only then does it still count.
    const remaining = `SELECT ${id} AS id FROM ${this.name} WHERE ${id} IN (${ids}) AND ${counts}`;
    const { records } = await runSql(runner, this.dialect, remaining, parameters);
    const locked = new Set((records as { id: string }[]).map((row) => row.id));
    return touches.filter((touch) => locked.has(touch.id));
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
    this.whereExpected(query, { unshown: judgement.unshown });
    return ((await query.execute()).affected ?? 0) > 0;
  }
}
