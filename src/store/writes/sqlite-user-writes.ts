import { type Admission, type Admitted, BATCH_SIZE, type ExpectedOwner } from '../../core/model/store.js';
import type { Deadline } from '../../core/outage/deadline.js';
import { ENDED_FIELDS, type EndedRow, toEnded } from '../session-rows.js';
import { evictAfterwards } from './eviction.js';
import { expectedValues, type UserSql, valuesOf } from './user-sql.js';
import type { StoredChange, StoredRecord } from '../columns.js';
import { type BatchedAct, batchOf, type BatchRun, type UserWrites } from './user-writes.js';
import type { Statements, Values } from './statements.js';

/**
 * Sign-ins on SQLite, which runs one statement after the other: what looks for marks and what acts is the same one, and
 * nothing is ever pending. TypeORM shares its one connection with the application, so there are no transactions.
 */
export class SqliteUserWrites implements UserWrites {
  constructor(
    private readonly statements: Statements,
    private readonly sql: UserSql,
    private readonly texts = textsOf(sql),
  ) {}

  until(deadline: Deadline): SqliteUserWrites {
    return new SqliteUserWrites(this.statements.until(deadline), this.sql, this.texts);
  }

  async insert(record: StoredRecord, admission: Admission): Promise<Admitted> {
    const values = { ...record, ...valuesOf(record.id, admission) };
    const { affected } = await this.statements.run(this.sql.insertIf(this.condition(admission)), values);
    if (affected > 0) return this.admitted(values, admission);
    return { outcome: (await this.wasOvertaken(values)) ? 'overtaken' : 'limit-reached' };
  }

  async admit(
    id: string,
    expected: ExpectedOwner,
    change: StoredChange,
    admission: Admission,
  ): Promise<Admitted> {
    // Other sessions of the user's count, and this one is among them already.
    const effective = { ...admission, limit: expected.userId === null ? admission.limit : null };
    const values = { ...change, ...expectedValues(expected), ...valuesOf(id, effective) };
    const { sessions } = this.sql.names;
    const { affected } = await this.statements.run(
      `UPDATE ${sessions} SET ${this.sql.changes(change)} ` +
        `WHERE ${this.sql.isAsExpected(expected)} AND ${this.sql.hasOldRoles()} AND ${this.condition(effective)}`,
      values,
    );
    if (affected > 0) return this.admitted(values, effective);
    if (await this.wasOvertaken(values)) return { outcome: 'overtaken' };
    const { rows } = await this.statements.run(this.sql.isThere(expected), values);
    return { outcome: rows.length > 0 && effective.limit ? 'limit-reached' : 'conflict' };
  }

  async runBatch({ act, condition, fields }: BatchedAct, values: Values): Promise<BatchRun> {
    const { sessions, session } = this.sql.names;
    const id = session('id');
    const newest = `SELECT ${id} FROM ${sessions} WHERE ${condition} ORDER BY ${id} DESC LIMIT ${BATCH_SIZE}`;
    return batchOf((await this.statements.run(acting(this.sql, act, newest, fields), values)).rows);
  }

  private condition({ limit }: Admission): string {
    return limit?.onReached === 'reject'
      ? `${this.sql.isInTime} AND ${this.texts.hasRoom}`
      : this.sql.isInTime;
  }

  private async admitted(values: Values, { limit }: Admission): Promise<Admitted> {
    if (limit?.onReached !== 'evict-oldest') return { outcome: 'admitted', evicted: [] };
    const evicted = await evictAfterwards(this.statements.deadline, async (ended) => {
      const { rows } = await this.statements.run(this.texts.evicting, values);
      (rows as EndedRow[]).map(toEnded).forEach(ended);
    });
    return { outcome: 'admitted', evicted };
  }

  private async wasOvertaken(values: Values): Promise<boolean> {
    return (await this.statements.run(this.sql.wasOvertaken, values)).rows.length > 0;
  }
}

/** What is the same for all calls. */
function textsOf(sql: UserSql) {
  const { sessions, session } = sql.names;
  const live = `${session('userId')} = :userId AND ${session('expiresAt')} > :now`;
  const id = session('id');
  // Its own session first, unless a sign-in beside it has evicted that meanwhile: each leaves the allowed number.
  const surplus =
    `SELECT ${id} FROM ${sessions} WHERE ${live} ` +
    `ORDER BY ${id} = :id DESC, ${session('createdAt')} DESC, ${id} DESC LIMIT ${BATCH_SIZE} OFFSET :max`;
  return {
    hasRoom: `(SELECT COUNT(*) FROM ${sessions} WHERE ${live}) < :max`,
    evicting: acting(sql, `DELETE FROM ${sessions}`, surplus, ENDED_FIELDS),
  };
}

/** TypeORM drops the rows that come back where DELETE or UPDATE is the first word. */
function acting({ names }: UserSql, act: string, ids: string, fields: BatchedAct['fields']): string {
  const id = names.session('id');
  const told = fields.map((field) => `${names.session(field)} AS "${field}"`).join(', ');
  return `WITH those AS (${ids}) ${act} WHERE ${id} IN (SELECT ${id} FROM those) RETURNING ${told}`;
}
