import { type Admission, BATCH_SIZE, type EndedSession } from '../../core/model/store.js';
import type { Deadline } from '../../core/outage/deadline.js';
import { ENDED_FIELDS, type EndedRow, toEnded, wasLive } from '../session-rows.js';
import { type Transition, type Evicted, ServerUserWrites } from './server-user-writes.js';
import { evictAfterwards } from './eviction.js';
import { turnValues, type UserSql } from './user-sql.js';
import { type BatchedAct, batchOf, type BatchRun } from './user-writes.js';
import type { Statements, Values } from './statements.js';

/**
 * For what is pending: its commit need not wait for the disk. Others see it all the same, and the commit that makes the
 * session live waits for both.
 */
const NOT_AWAITED = "set_config('synchronous_commit', 'off', true)";

/** PostgreSQL does several things in one statement, which sees all tables as they were when it began. */
export class PostgresUserWrites extends ServerUserWrites {
  constructor(
    statements: Statements,
    sql: UserSql,
    private readonly texts = textsOf(sql),
  ) {
    super(statements, sql);
  }

  until(deadline: Deadline): PostgresUserWrites {
    return new PostgresUserWrites(this.statements.until(deadline), this.sql, this.texts);
  }

  /** One statement. */
  async runBatch({ act, condition, fields }: BatchedAct, values: Values): Promise<BatchRun> {
    const { sessions, session } = this.sql.names;
    const id = session('id');
    const newest = `SELECT ${id} FROM ${sessions} WHERE ${condition} ORDER BY ${id} DESC LIMIT ${BATCH_SIZE} FOR UPDATE`;
    const told = fields.map((field) => `${session(field)} AS "${field}"`).join(', ');
    const statement =
      `WITH newest AS (${newest}), done AS (` +
      `${act} WHERE ${id} = ANY (ARRAY(SELECT ${id} FROM newest)) RETURNING ${told}) SELECT * FROM done`;
    return batchOf((await this.statements.run(statement, values)).rows);
  }

  protected override async insertPending(values: Values): Promise<number> {
    await this.statements.run(this.texts.insertFirst, values);
    return 0;
  }

  protected async insertInTurn(values: Values): Promise<number> {
    return turnOf(await this.statements.run(this.texts.insertTurn, values));
  }

  protected async enter(values: Values, { limit }: Admission): Promise<Evicted> {
    if (limit === null) return this.enterUnlimited(values);
    if (limit.onReached === 'reject') {
      return (await this.statements.run(this.texts.liveWithRoom, values)).affected > 0 ? [] : null;
    }
    const { rows } = await this.statements.run(this.texts.liveEvicting, values);
    return Number((rows[0] as { live: unknown }).live) > 0 ? endedOf(rows) : null;
  }

  protected async claim(values: Values, transition: Transition, { limit }: Admission): Promise<Evicted> {
    if (limit?.onReached === 'reject') return this.claimWithRoom(values, transition);
    const sql = this.sql;
    const turn = sql.names.session('turn');
    const claimed = await this.statements.run(
      `WITH mine AS (${sql.order.turn}) UPDATE ${sql.names.sessions} ` +
        `SET ${sql.changes(transition.change)}, ${turn} = (SELECT turn FROM mine) ` +
        `WHERE ${sql.isAsExpected(transition.expected)} AND (SELECT number FROM mine) <= :begun ` +
        `AND ${sql.isInTimeForEveryone} RETURNING ${turn} AS turn`,
      values,
    );
    if (claimed.affected === 0) return null;
    if (limit === null) return [];
    return evictAfterwards(this.statements.deadline, async (ended) => {
      const { rows } = await this.statements.run(this.texts.evict, {
        ...values,
        ...turnValues(turnOf(claimed)),
      });
      endedOf(rows).forEach(ended);
    });
  }

  /** The statement that counts has to begin once the user's row is locked: else it does not see who was there before. */
  private claimWithRoom(values: Values, { expected, change }: Transition): Promise<Evicted> {
    const sql = this.sql;
    return this.statements.together('briefly', async (run) => {
      const turn = turnOf(await run(sql.order.turn, values));
      const { affected } = await run(
        `UPDATE ${sql.names.sessions} SET ${sql.changes(change)}, ${sql.names.session('turn')} = :turn ` +
          `WHERE ${sql.isAsExpected(expected)} AND ${sql.isInTime} AND ${this.texts.hasRoom}`,
        { ...values, ...turnValues(turn) },
      );
      return affected > 0 ? [] : null;
    });
  }
}

/** What is the same for all calls. */
function textsOf(sql: UserSql) {
  const { sessions, session } = sql.names;
  const insert = sql.insert({ expiresAt: '0', turn: '(SELECT turn FROM mine)' });
  const hasRoom = `(SELECT COUNT(*) FROM ${sessions} o WHERE ${sql.ofEarlierTurns('o.')}) < :max`;
  const ended = ENDED_FIELDS.map((field) => `${session(field)} AS "${field}"`).join(', ');
  const evicting = (condition: string) =>
    `doomed AS (SELECT ${session('id')} AS id FROM ${sessions} WHERE ${sql.ofEarlierTurns()} AND ${condition} ` +
    `ORDER BY ${sql.newestFirst} LIMIT ${BATCH_SIZE} OFFSET :kept FOR UPDATE), ` +
    `gone AS (DELETE FROM ${sessions} WHERE ${session('id')} IN (SELECT id FROM doomed) RETURNING ${ended}), ` +
    `evicted AS (SELECT CAST(json_agg(gone) AS text) AS ended FROM gone)`;
  return {
    insertFirst: `${sql.insertPending} RETURNING ${NOT_AWAITED}`,
    insertTurn: `WITH mine AS (${sql.order.turn}) ${insert} RETURNING ${session('turn')} AS turn, ${NOT_AWAITED}`,
    hasRoom,
    liveWithRoom: `${sql.live} AND ${hasRoom}`,
    liveEvicting:
      `WITH live AS (${sql.live} RETURNING 1), ${evicting('EXISTS (SELECT 1 FROM live)')} ` +
      'SELECT (SELECT COUNT(*) FROM live) AS live, ended FROM evicted',
    evict: `WITH ${evicting('TRUE')} SELECT ended FROM evicted`,
  };
}

function turnOf({ rows: [row] }: { readonly rows: readonly unknown[] }): number {
  return Number((row as { turn: unknown }).turn);
}

function endedOf([row]: readonly unknown[]): EndedSession[] {
  const { ended } = row as { ended: string | null };
  return (JSON.parse(ended ?? '[]') as EndedRow[]).map(toEnded).filter(wasLive);
}
