import { groupsOf } from '../../core/life/groups-of.js';
import { type Admission, BATCH_SIZE, type EndedSession } from '../../core/model/store.js';
import type { Deadline } from '../../core/outage/deadline.js';
import { ENDED_FIELDS, type EndedRow, toEnded, wasLive } from '../session-rows.js';
import { EVERYONE } from './order-sql.js';
import { type Transition, type Evicted, ServerUserWrites } from './server-user-writes.js';
import { evictAfterwards } from './eviction.js';
import { turnValues, type UserSql } from './user-sql.js';
import type { BatchedAct, BatchRun } from './user-writes.js';
import type { Statements, Values } from './statements.js';

/** Rows that one statement names. */
const NAMED_AT_ONCE = 100;
const NAMES = Array.from({ length: NAMED_AT_ONCE }, (_, nth) => `id${nth}`);

/** MySQL and MariaDB. MySQL has no statement that says what it has deleted or changed. */
export class MysqlUserWrites extends ServerUserWrites {
  constructor(
    statements: Statements,
    sql: UserSql,
    private readonly texts = textsOf(sql),
  ) {
    super(statements, sql);
  }

  until(deadline: Deadline): MysqlUserWrites {
    return new MysqlUserWrites(this.statements.until(deadline), this.sql, this.texts);
  }

  /**
   * In a transaction: it tells what the rows were before. They are locked by their ids, since a condition would wait for
   * the rows of others that it comes by, whatever index MySQL chooses.
   */
  runBatch({ act, condition, fields }: BatchedAct, values: Values): Promise<BatchRun> {
    const { sessions, session } = this.sql.names;
    const id = session('id');
    const newest = `SELECT ${id} AS id FROM ${sessions} WHERE ${condition} ORDER BY ${id} DESC LIMIT ${BATCH_SIZE}`;
    const those = `SELECT ${told(this.sql, fields)} FROM ${sessions} WHERE ${this.texts.isNamed} AND ${condition} FOR UPDATE`;
    return this.statements.together('transaction', async (run) => {
      const ids = ((await run(newest, values)).rows as { id: string }[]).map((row) => row.id);
      const done: unknown[] = [];
      for (const named of namesOfEach(ids)) {
        const all = { ...values, ...named };
        done.push(...(await run(those, all)).rows);
        await run(`${act} WHERE ${this.texts.isNamed} AND ${condition}`, all);
      }
      return { ids, done };
    });
  }

  protected insertInTurn(values: Values): Promise<number> {
    return this.statements.together('briefly', async (run) => {
      const { insertId: turn } = await run(this.sql.order.turn, values);
      await run(this.sql.insertPending, { ...values, turn });
      return turn;
    });
  }

  protected async enter(values: Values, { limit }: Admission): Promise<Evicted> {
    if (limit?.onReached === 'reject') {
      return (await this.statements.run(this.texts.liveWithRoom, values)).affected > 0 ? [] : null;
    }
    const entered = await this.enterUnlimited(values);
    return limit === null || entered === null ? entered : this.evict(values, limit.max);
  }

  protected async claim(values: Values, transition: Transition, { limit }: Admission): Promise<Evicted> {
    if (limit === null) return this.claimUnlimited(values, transition);
    const rejects = limit.onReached === 'reject';
    const turn = await this.claimInTurn(values, transition, rejects);
    if (turn === null || rejects) return turn === null ? null : [];
    return this.evict({ ...values, ...turnValues(turn) }, limit.max);
  }

  private claimInTurn(
    values: Values,
    { expected, change }: Transition,
    rejects: boolean,
  ): Promise<number | null> {
    const sql = this.sql;
    const [others, hasRoom] = rejects ? [` JOIN ${this.texts.others}`, ' AND others.total < :max'] : ['', ''];
    return this.statements.together('briefly', async (run) => {
      const turn = (await run(sql.order.turn, values)).insertId;
      const { affected } = await run(
        `UPDATE ${sql.names.sessions} s${others} ` +
          `SET ${sql.changes(change, 's.')}, s.${sql.names.session('turn')} = :turn ` +
          `WHERE ${sql.isAsExpected(expected, 's.')} AND ${sql.isInTime}${hasRoom}`,
        { ...values, ...turnValues(turn) },
      );
      return affected > 0 ? turn : null;
    });
  }

  /** One statement that locks the user's row by changing it, and looks at it in the same moment. */
  private async claimUnlimited(values: Values, { expected, change }: Transition): Promise<Evicted> {
    const sql = this.sql;
    const { sessions, users, user } = sql.names;
    const claim =
      `UPDATE ${users} mine, ${sessions} s, ${users} everyone ` +
      `SET mine.${user('turns')} = mine.${user('turns')} + 1, ${sql.changes(change, 's.')} ` +
      `WHERE mine.${user('userHash')} = :hash AND mine.${user('number')} <= :begun ` +
      `AND everyone.${user('userHash')} = '${EVERYONE}' AND everyone.${user('number')} <= :begun ` +
      `AND ${sql.isAsExpected(expected, 's.')}`;
    const isClaimed = async () => (await this.statements.run(claim, values)).affected > 0;
    if (await isClaimed()) return [];
    // It may be that the rows to look at are not there yet: MySQL says 1 of a row that is new, and 2 of one that is not.
    for (const row of [sql.order.turn, sql.order.create]) {
      const { affected } = await this.statements.run(row, values);
      if (affected === 1 && (await isClaimed())) return [];
    }
    return null;
  }

  private evict(values: Values, max: number): Promise<Evicted> {
    return evictAfterwards(this.statements.deadline, async (ended) => {
      const { rows } = await this.statements.run(this.texts.surplus(max - 1), values);
      const surplus = (rows as EndedRow[]).map(toEnded);
      if (surplus.length > 1) return (await this.endTogether(surplus.map(({ id }) => id))).forEach(ended);
      const [only] = surplus;
      if (only !== undefined && (await this.isEnded(only))) ended(only);
    });
  }

  /** Those of them that are still there when they are locked. */
  private endTogether(ids: readonly string[]): Promise<readonly EndedSession[]> {
    const { sessions, session } = this.sql.names;
    const those = `FROM ${sessions} WHERE ${this.texts.isNamed}`;
    return this.statements.together('transaction', async (run) => {
      const ended: EndedSession[] = [];
      for (const named of namesOfEach(ids)) {
        const { rows } = await run(
          `SELECT ${this.texts.ended} ${those} ORDER BY ${session('id')} DESC FOR UPDATE`,
          named,
        );
        ended.push(...(rows as EndedRow[]).map(toEnded));
        await run(`DELETE ${those}`, named);
      }
      return ended.filter(wasLive);
    });
  }

  /** Whether it was this sign-in that ended it, and somebody has been told of it before: it may have gone live since. */
  private async isEnded({ id, expiresAt }: EndedSession): Promise<boolean> {
    const isGone = async (sql: string) => (await this.statements.run(sql, { id })).affected > 0;
    if (expiresAt === 0 && (await isGone(this.sql.dropPending))) return false;
    return isGone(this.sql.drop);
  }
}

/** What is the same for all calls. */
function textsOf(sql: UserSql) {
  const { sessions, session } = sql.names;
  // Joined, since MySQL allows no subquery on the table that is changed in a condition.
  const others = `(SELECT COUNT(*) AS total FROM ${sessions} o WHERE ${sql.ofEarlierTurns('o.')}) others`;
  const ended = told(sql, ENDED_FIELDS);
  const found = `SELECT ${ended} FROM ${sessions} WHERE ${sql.ofEarlierTurns()} ORDER BY ${sql.newestFirst}`;
  return {
    /** How many others there are. */
    others,
    liveWithRoom:
      `UPDATE ${sessions} s JOIN ${others} SET ${sql.becomesLive('s.')} ` +
      `WHERE ${sql.isPending('s.')} AND others.total < :max AND ${sql.isInTime}`,
    isNamed: `${session('id')} IN (${NAMES.map((name) => `:${name}`).join(', ')})`,
    ended,
    // In the text, for the driver sends numbers as floating ones, which MySQL does not take there.
    surplus: (kept: number) => `${found} LIMIT ${BATCH_SIZE} OFFSET ${kept}`,
  };
}

function told({ names }: UserSql, fields: BatchedAct['fields']): string {
  return fields.map((field) => `${names.session(field)} AS ${field}`).join(', ');
}

/** The values of some statements that name all of these; each has as many parameters as there may be names. */
function namesOfEach(ids: readonly string[]): Values[] {
  return Array.from(groupsOf(ids, NAMED_AT_ONCE), (some) =>
    Object.fromEntries(NAMES.map((name, at) => [name, some[at] ?? some[0]])),
  );
}
