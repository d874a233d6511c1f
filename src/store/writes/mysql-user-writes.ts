import type { SessionRecord } from '../../core/model/record.js';
import type { Admission } from '../../core/model/store.js';
import { RECORD_FIELDS, type SessionRow, toRecord } from '../session-rows.js';
import { EVERYONE } from './order-sql.js';
import { type Transition, type Evicted, ServerUserWrites } from './server-user-writes.js';
import { wasLive } from './deleted-by-user.js';
import { evictAfterwards } from './eviction.js';
import { turnValues, type UserSql } from './user-sql.js';
import type { Statements, Values } from './statements.js';

/** Sessions ended by one sign-in: where a limit was lowered, the next ones end the others. */
const EVICTED_AT_ONCE = 1_000;
/** Rows deleted by one statement. */
const DELETED_AT_ONCE = 100;

/** MySQL and MariaDB. MySQL has no statement that says what it has deleted or changed. */
export class MysqlUserWrites extends ServerUserWrites {
  /** How many others there are. Joined, since MySQL allows no subquery on the table that is changed in a condition. */
  private readonly others: string;
  private readonly liveWithRoom: string;
  private readonly dropMany: string;
  private readonly fields: string;
  private readonly surplus: (kept: number) => string;

  constructor(statements: Statements, sql: UserSql) {
    super(statements, sql);
    const { sessions, session } = sql.names;
    this.others = `(SELECT COUNT(*) AS total FROM ${sessions} o WHERE ${sql.ofEarlierTurns('o.')}) others`;
    this.liveWithRoom =
      `UPDATE ${sessions} s JOIN ${this.others} SET ${sql.becomesLive('s.')} ` +
      `WHERE ${sql.isPending('s.')} AND others.total < :max AND ${sql.isInTime}`;
    const ids = Array.from({ length: DELETED_AT_ONCE }, (_, nth) => `:id${nth}`);
    this.dropMany = `DELETE FROM ${sessions} WHERE ${session('id')} IN (${ids.join(', ')})`;
    this.fields = RECORD_FIELDS.map((field) => `${session(field)} AS ${field}`).join(', ');
    const found = `SELECT ${this.fields} FROM ${sessions} WHERE ${sql.ofEarlierTurns()} ORDER BY ${sql.newestFirst}`;
    // In the text, for the driver sends numbers as floating ones, which MySQL does not take there.
    this.surplus = (kept) => `${found} LIMIT ${EVICTED_AT_ONCE} OFFSET ${kept}`;
  }

  /** In a transaction, and in the order in which activity is written, so that the two do not lock each other out. */
  deleteByUser(userId: string, except: string | undefined): Promise<SessionRecord[]> {
    const { sessions, session } = this.sql.names;
    const others = except === undefined ? '' : ` AND ${session('id')} <> :except`;
    return this.statements.together('transaction', async (run) => {
      const { rows } = await run(
        `SELECT ${this.fields} FROM ${sessions} WHERE ${this.sql.isTheirs}${others} ORDER BY ${session('id')} FOR UPDATE`,
        { userId, except },
      );
      const records = (rows as SessionRow[]).map(toRecord);
      for (let at = 0; at < records.length; at += DELETED_AT_ONCE) {
        const ids = records.slice(at, at + DELETED_AT_ONCE).map(({ id }) => id);
        // As many as the statement has parameters.
        const values = Array.from({ length: DELETED_AT_ONCE }, (_, nth) => [`id${nth}`, ids[nth] ?? ids[0]]);
        await run(this.dropMany, Object.fromEntries(values));
      }
      return records.filter(wasLive);
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
      return (await this.statements.run(this.liveWithRoom, values)).affected > 0 ? [] : null;
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
    const [others, hasRoom] = rejects ? [` JOIN ${this.others}`, ' AND others.total < :max'] : ['', ''];
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
    return evictAfterwards(async (ended) => {
      const { rows } = await this.statements.run(this.surplus(max - 1), values);
      for (const record of (rows as SessionRow[]).map(toRecord)) {
        if (await this.isEnded(record)) ended(record);
      }
    });
  }

  /** Whether it was this sign-in that ended it, and somebody has been told of it before: it may have gone live since. */
  private async isEnded({ id, expiresAt }: SessionRecord): Promise<boolean> {
    const isGone = async (sql: string) => (await this.statements.run(sql, { id })).affected > 0;
    if (expiresAt === 0 && (await isGone(this.sql.dropPending))) return false;
    return isGone(this.sql.drop);
  }
}
