import type { Admission, ExpectedOwner } from '../../core/model/store.js';
import { STORED_COLUMNS, type StoredChange, type StoredRecord } from '../columns.js';
import type { Names } from './names.js';
import { EVERYONE, type OrderSql } from './order-sql.js';
import { hashOf } from './session-order.js';
import type { Values } from './statements.js';

/** For how long a sign-in that is not done counts, in milliseconds: one that crashed is not to lock its user out. */
const YOUNG = 60_000;
const STORED = STORED_COLUMNS.map(({ field }) => field);

/** What only some databases say otherwise. */
export interface SqlFlavour {
  /** The function for the smaller of two values. */
  readonly least: string;
  /** A condition: two texts are the same, byte by byte, whatever the collation of a column says. */
  sameText(one: string, other: string): string;
  /** How often one whole number goes into another. */
  quotient(dividend: string, divisor: number): string;
}

/** What stands in the place of the parameter of a column. */
type Replacements = Partial<Record<keyof StoredRecord, string>>;

/**
 * The texts that sign-ins are made of. A session is *pending* while its `expires_at` is 0: revocations and `setRoles`
 * reach it, limits count it, and no list or validation sees it.
 */
export class UserSql {
  readonly insertLive: string;
  /** Inserts a session that is not live yet. */
  readonly insertPending: string;
  /** Makes the pending session `:id` a live one. */
  readonly live: string;
  readonly drop: string;
  /** The same where it is still pending. */
  readonly dropPending: string;
  /** A row, if the sign-in on `:id` was overtaken: by a mark, or by roles that are newer than all marks there are. */
  readonly wasOvertaken: string;
  /** Nothing that concerns the user with `:hash` has a larger number than `:begun`. */
  readonly isInTime: string;
  /** The same, but only of what concerns everyone: for a statement that has locked the user's row and looked at it already. */
  readonly isInTimeForEveryone: string;
  /** The user's, whether live or not. */
  readonly isTheirs: string;
  /**
   * For `ORDER BY`. By turns, where there are any: whoever locks rows in another order waits for one that waits for him.
   */
  readonly newestFirst: string;

  constructor(
    readonly names: Names,
    readonly order: OrderSql,
    private readonly dialect: SqlFlavour,
  ) {
    const { sessions, session, users, user } = names;
    const isOvertaken = (whose: string) =>
      `EXISTS (SELECT 1 FROM ${users} WHERE ${user('userHash')} ${whose} AND ${user('number')} > :begun)`;
    const anyOf = `IN (:hash, '${EVERYONE}')`;
    this.isInTime = `NOT ${isOvertaken(anyOf)}`;
    this.isInTimeForEveryone = `NOT ${isOvertaken(`= '${EVERYONE}'`)}`;
    this.live = `UPDATE ${sessions} SET ${this.becomesLive()} WHERE ${this.isPending()} AND ${this.isInTime}`;
    this.insertLive = this.insert();
    this.insertPending = this.insert({ expiresAt: '0' });
    this.drop = `DELETE FROM ${sessions} WHERE ${session('id')} = :id`;
    this.dropPending = `${this.drop} AND ${session('expiresAt')} = 0`;
    this.wasOvertaken =
      `SELECT 1 AS overtaken WHERE ${isOvertaken(anyOf)} OR EXISTS (SELECT 1 FROM ${sessions} ` +
      `WHERE ${session('id')} = :id AND ${session('rolesSet')} > :begun)`;
    this.isTheirs = dialect.sameText(session('userId'), ':userId');
    this.newestFirst = `${session('turn')} DESC, ${session('createdAt')} DESC, ${session('id')} DESC`;
  }

  insert(replaced: Replacements = {}): string {
    return `${this.into} VALUES (${STORED.map((field) => replaced[field] ?? `:${field}`).join(', ')})`;
  }

  /** Inserts a live session where a condition holds. */
  insertIf(condition: string): string {
    return `${this.into} SELECT ${STORED.map((field) => `:${field}`).join(', ')} WHERE ${condition}`;
  }

  private get into(): string {
    return `INSERT INTO ${this.names.sessions} (${STORED.map(this.names.session).join(', ')})`;
  }

  /** By the deadlines in the row: a `setRoles` that came before may have changed them. */
  becomesLive(prefix = ''): string {
    const { session } = this.names;
    const [idle, absolute] = [prefix + session('idleExpiresAt'), prefix + session('absoluteExpiresAt')];
    return `${prefix}${session('expiresAt')} = ${this.dialect.least}(${idle}, ${absolute})`;
  }

  isPending(prefix = ''): string {
    const { session } = this.names;
    return (
      `${prefix}${session('id')} = :id AND ${prefix}${session('expiresAt')} = 0 ` +
      `AND ${prefix}${session('rolesSet')} <= :begun`
    );
  }

  /**
   * The user's sessions that a sign-in with `:turn` finds there: those with smaller turns, for of two at the same time only
   * one may give way to the other. Turns are times of the database's clock, or a little more: so a turn tells how old a
   * pending session is.
   */
  ofEarlierTurns(prefix = ''): string {
    const { session } = this.names;
    const [turn, expiresAt] = [prefix + session('turn'), prefix + session('expiresAt')];
    return (
      `${this.dialect.sameText(prefix + session('userId'), ':userId')} AND ${turn} < :turn AND ` +
      `(${expiresAt} > :now OR (${expiresAt} = 0 AND ${turn} > :young))`
    );
  }

  /** An authentication event of a session that is the user's already. */
  stepUp(expected: ExpectedOwner, change: StoredChange): string {
    return (
      `UPDATE ${this.names.sessions} SET ${this.changes(change)} ` +
      `WHERE ${this.isAsExpected(expected)} AND ${this.hasOldRoles()} AND ${this.isInTime}`
    );
  }

  /**
   * What `setRoles` sets. What is pending stays so, and is not purged sooner: it may yet become live, until its new end.
   * @param purgeStep what `purgeAfter` is a multiple of
   */
  newRoles(purgeStep: number): string {
    const { session } = this.names;
    const [roles, renewAt, expiresAt] = [session('roles'), session('renewAt'), session('expiresAt')];
    const idleEnd = `${session('lastSeenAt')} + :idle`;
    const absoluteEnd = `${session('authenticatedAt')} + :absolute`;
    const end = `${this.dialect.least}(${idleEnd}, ${absoluteEnd})`;
    const purgeAfter = `${this.dialect.quotient(`${end} + ${purgeStep - 1}`, purgeStep)} * ${purgeStep}`;
    const purgeColumn = session('purgeAfter');
    return [
      // `renewAt` stands before `roles`: MySQL assigns from the first to the last, and each assignment sees what those
      // before it have set. After `roles`, old and new roles would always be the same, and no token would be renewed.
      `${renewAt} = CASE WHEN ${this.dialect.sameText(roles, ':roles')} THEN ${renewAt} ELSE :now END`,
      `${session('idleExpiresAt')} = ${idleEnd}`,
      `${session('absoluteExpiresAt')} = ${absoluteEnd}`,
      `${purgeColumn} = CASE WHEN ${expiresAt} = 0 AND ${purgeColumn} > ${purgeAfter} ` +
        `THEN ${purgeColumn} ELSE ${purgeAfter} END`,
      `${expiresAt} = CASE WHEN ${expiresAt} = 0 THEN 0 ELSE ${end} END`,
      `${session('rolesSet')} = :number`,
      `${roles} = :roles`,
    ].join(', ');
  }

  changes(change: StoredChange, prefix = ''): string {
    return Object.keys(change)
      .map((field) => `${prefix}${this.names.session(field as keyof StoredChange)} = :${field}`)
      .join(', ');
  }

  /** No `setRoles` that came later has reached the session: roles that are the same do not say so. */
  hasOldRoles(prefix = ''): string {
    return `${prefix}${this.names.session('rolesSet')} <= :begun`;
  }

  isAsExpected(expected: ExpectedOwner, prefix = ''): string {
    const { session } = this.names;
    const conditions = Object.entries(expected).map(([field, value]) => {
      const column = prefix + session(field as keyof ExpectedOwner);
      if (value === null) return `${column} IS NULL`;
      const parameter = `:expected_${field}`;
      return typeof value === 'string'
        ? this.dialect.sameText(column, parameter)
        : `${column} = ${parameter}`;
    });
    return [this.dialect.sameText(`${prefix}${session('id')}`, ':id'), ...conditions].join(' AND ');
  }

  isThere(expected: ExpectedOwner): string {
    return `SELECT 1 AS there FROM ${this.names.sessions} WHERE ${this.isAsExpected(expected)}`;
  }
}

/** Which sign-in of the user's it is, and how young a pending one is that counts. */
export function turnValues(turn: number): Values {
  return { turn, young: turn - YOUNG };
}

/** The values of what the texts of a sign-in name. */
export function valuesOf(id: string, { userId, begun, now, limit }: Admission): Values {
  return { id, userId, hash: hashOf(userId), begun, now, max: limit?.max, kept: (limit?.max ?? 0) - 1 };
}

/** Those of `isAsExpected`. */
export function expectedValues(expected: ExpectedOwner): Values {
  return Object.fromEntries(Object.entries(expected).map(([field, value]) => [`expected_${field}`, value]));
}
