import type { ObjectLiteral, QueryRunner } from 'typeorm';
import type { SessionRecord } from '../core/model/record.js';
import type { Admission, Admitted, Change, Expected, RolesChange } from '../core/model/store.js';
import type { Dialect } from './dialects/dialect.js';
import { runSql } from './named-parameters.js';
import type { PrimaryConnection } from './primary-connection.js';
import type { SessionMarks } from './session-marks.js';
import { RECORD_FIELDS, type SessionRow, toRecord } from './session-rows.js';
import type { SessionStatements } from './session-statements.js';
import type { UserWrites } from './user-writes.js';

interface Condition {
  readonly sql: string;
  readonly parameters: ObjectLiteral;
}

/**
 * For SQLite, where TypeORM shares one connection with the application and a transaction of ours would take in its
 * statements: whatever decides is part of the one statement that acts. What revokes or sets roles leaves a mark first:
 * a sign-in that its statement does not reach is refused by the mark.
 */
export class SingleStatementWrites implements UserWrites {
  constructor(
    private readonly connection: PrimaryConnection,
    private readonly dialect: Dialect,
    private readonly sessions: SessionStatements,
    private readonly marks: SessionMarks,
  ) {}

  insert(record: SessionRecord, admission: Admission): Promise<Admitted> {
    return this.connection.write(async (runner) => {
      const columns = RECORD_FIELDS.map((field) => this.sessions.column(field)).join(', ');
      const values = RECORD_FIELDS.map((field) => `:${field}`).join(', ');
      const condition = this.condition(runner, admission);
      const sql = `INSERT INTO ${this.sessions.name} (${columns}) SELECT ${values} WHERE ${condition.sql}`;
      const { affected } = await this.run(runner, sql, { ...condition.parameters, ...record });
      if (affected) return this.evict(runner, record.id, admission);
      return { outcome: await this.refusal(runner, admission) };
    });
  }

  admit(id: string, expected: Expected, change: Change, admission: Admission): Promise<Admitted> {
    return this.connection.write(async (runner) => {
      const condition = this.condition(runner, admission);
      const isDone = await this.sessions.change(runner, id, expected, change, (query) =>
        query.andWhere(condition.sql, condition.parameters),
      );
      if (isDone) return this.evict(runner, id, admission);
      const record = await this.sessions.findById(runner, id);
      if (record === null || !isAsExpected(record, expected)) return { outcome: 'conflict' };
      return { outcome: await this.refusal(runner, admission) };
    });
  }

  setRoles(userId: string, change: RolesChange): Promise<number> {
    return this.connection.write(async (runner) => {
      await this.marks.upsert(runner, userId, change.changedAt);
      return this.sessions.setRoles(runner, userId, change);
    });
  }

  deleteByUser(userId: string, changedAt: number, except?: string): Promise<SessionRecord[]> {
    return this.connection.write(async (runner) => {
      await this.marks.upsert(runner, userId, changedAt);
      const others = except === undefined ? '' : `AND ${this.sessions.column('id')} <> :except`;
      return this.deleteReturning(runner, `${this.sessions.column('userId')} = :userId ${others}`, {
        userId,
        except,
      });
    });
  }

  deleteAll(changedAt: number): Promise<number> {
    return this.connection.write(async (runner) => {
      await this.marks.upsert(runner, null, changedAt);
      return this.sessions.deleteAll(runner);
    });
  }

  private condition(runner: QueryRunner, { userId, arrivedAt, now, limit }: Admission): Condition {
    const later = this.marks.later(runner, userId, arrivedAt);
    const isUpToDate = `NOT EXISTS (${later.getQuery()})`;
    if (limit === null || limit.onReached !== 'reject')
      return { sql: isUpToDate, parameters: later.getParameters() };
    const [user, expiresAt] = [this.sessions.column('userId'), this.sessions.column('expiresAt')];
    const live = `SELECT COUNT(*) FROM ${this.sessions.name} WHERE ${user} = :signingIn AND ${expiresAt} > :now`;
    return {
      sql: `${isUpToDate} AND (${live}) < :max`,
      parameters: { ...later.getParameters(), signingIn: userId, now, max: limit.max },
    };
  }

  private async refusal(runner: QueryRunner, admission: Admission): Promise<'overtaken' | 'limit-reached'> {
    const isOvertaken = await this.marks.hasOvertaken(runner, admission.userId, admission.arrivedAt);
    return isOvertaken ? 'overtaken' : 'limit-reached';
  }

  /** Between the sign-in and this there may be one session too many; whoever comes last leaves the right number. */
  private async evict(runner: QueryRunner, id: string, { userId, now, limit }: Admission): Promise<Admitted> {
    if (limit === null || limit.onReached !== 'evict-oldest') return { outcome: 'admitted', evicted: [] };
    const column = (field: keyof SessionRecord) => this.sessions.column(field);
    // The new one first, unless a sign-in beside it has evicted it meanwhile: every run leaves the allowed number.
    const surplus =
      `SELECT ${column('id')} FROM ${this.sessions.name} ` +
      `WHERE ${column('userId')} = :userId AND ${column('expiresAt')} > :now ` +
      `ORDER BY ${column('id')} = :id DESC, ${column('createdAt')} DESC, ${column('id')} DESC ` +
      `LIMIT -1 OFFSET :max`;
    const parameters = { userId, now, id, max: limit.max };
    return {
      outcome: 'admitted',
      evicted: await this.deleteReturning(runner, `${column('id')} IN (${surplus})`, parameters),
    };
  }

  private async deleteReturning(
    runner: QueryRunner,
    condition: string,
    parameters: ObjectLiteral,
  ): Promise<SessionRecord[]> {
    const { name } = this.sessions;
    const returned = RECORD_FIELDS.map((field) => `${this.sessions.column(field)} AS "${field}"`).join(', ');
    // TypeORM drops the rows that a statement with DELETE as its first word returns.
    const sql = `WITH doomed AS (SELECT 1) DELETE FROM ${name} WHERE ${condition} RETURNING ${returned}`;
    const { records } = await this.run(runner, sql, parameters);
    return (records as SessionRow[]).map(toRecord);
  }

  private run(runner: QueryRunner, sql: string, parameters: ObjectLiteral) {
    return runSql(runner, this.dialect, sql, parameters);
  }
}

function isAsExpected(record: SessionRecord, expected: Expected): boolean {
  const entries = Object.entries(expected) as [keyof Expected, unknown][];
  return entries.every(([field, value]) => record[field] === value);
}
