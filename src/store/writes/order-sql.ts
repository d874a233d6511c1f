import { MARK_MEMORY } from '../../core/outage/time-budgets.js';
import type { Names } from './names.js';

/** The row that numbers are drawn from, and the mark of everyone: no SHA-256 looks like them. */
export const NUMBER = 'number';
export const EVERYONE = 'everyone';

/** Rows of `session_users` deleted by one statement. */
const FORGOTTEN_AT_ONCE = 1_000;

/**
 * The statements on `session_users`. Numbers and turns are never smaller than the database's epoch milliseconds: so one
 * that was drawn in what a fail-over lost is not drawn again, and the turns of a user whose row was forgotten go on above
 * the earlier ones.
 */
export interface OrderSql {
  readonly read: string;
  /** Makes the row of numbers, above all marks, and the mark of everyone. */
  readonly create: string;
  /** A number larger than all before. */
  readonly draw: string;
  /** Leaves `:number` at `:hash`; a larger one that is there stays. */
  readonly mark: string;
  /** Deletes some rows that no sign-in needs any more. */
  readonly forget: string;
  /** The next turn of the user with `:hash`: it locks the row of the user. */
  readonly turn: string;
}

export type Kind = 'postgres' | 'mysql' | 'sqlite';

/** The database's clock, in epoch milliseconds. */
const NOW: Readonly<Record<Kind, string>> = {
  postgres: 'CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS bigint)',
  // By UTC: `UNIX_TIMESTAMP(NOW(3))` goes by local time, which an hour of every year has twice.
  mysql: "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000)",
  sqlite: "(CAST(strftime('%s', 'now') AS INTEGER) * 1000)",
};

export function orderSql(kind: Kind, { users, user }: Names): OrderSql {
  const [hash, number, turns] = [user('userHash'), user('number'), user('turns')];
  const now = NOW[kind];
  const columns = `${users} (${hash}, ${number}, ${turns})`;
  const isOld = `${turns} < ${now} - ${MARK_MEMORY} AND ${hash} NOT IN ('${NUMBER}', '${EVERYONE}')`;
  const read = `SELECT ${number} AS number FROM ${users} WHERE ${hash} = '${NUMBER}'`;
  const first = (greatest: string) =>
    `SELECT '${NUMBER}', ${greatest}(COALESCE(MAX(${number}), 0), ${now}), 0 FROM ${users} ` +
    `UNION ALL SELECT '${EVERYONE}', 0, 0`;
  if (kind === 'mysql') {
    return {
      read,
      create: `INSERT IGNORE INTO ${columns} ${first('GREATEST')}`,
      draw:
        `UPDATE ${users} SET ${number} = LAST_INSERT_ID(GREATEST(${number} + 1, ${now})) ` +
        `WHERE ${hash} = '${NUMBER}'`,
      mark:
        `INSERT INTO ${columns} VALUES (:hash, :number, :number) ON DUPLICATE KEY UPDATE ` +
        `${number} = GREATEST(${number}, VALUES(${number})), ${turns} = GREATEST(${turns}, VALUES(${turns}))`,
      forget: `DELETE FROM ${users} WHERE ${isOld} LIMIT ${FORGOTTEN_AT_ONCE}`,
      turn:
        `INSERT INTO ${columns} VALUES (:hash, 0, LAST_INSERT_ID(${now})) ON DUPLICATE KEY UPDATE ` +
        `${turns} = LAST_INSERT_ID(GREATEST(${turns} + 1, ${now}))`,
    };
  }
  const isPostgres = kind === 'postgres';
  const greatest = isPostgres ? 'GREATEST' : 'MAX';
  const old = (column: string) => `old.${column}`;
  return {
    read,
    // SQLite takes `ON` for that of a join, where there is no condition before it.
    create: `INSERT INTO ${columns} SELECT * FROM (${first(greatest)}) AS rows_of_all WHERE 1 = 1 ON CONFLICT DO NOTHING`,
    // TypeORM drops the rows that come back from SQLite where UPDATE is the first word.
    draw:
      `WITH moment AS (SELECT ${now} AS now) UPDATE ${users} ` +
      `SET ${number} = ${greatest}(${number} + 1, (SELECT now FROM moment)) WHERE ${hash} = '${NUMBER}' ` +
      `RETURNING ${number} AS number`,
    mark:
      `INSERT INTO ${users} AS old (${hash}, ${number}, ${turns}) VALUES (:hash, :number, :number) ` +
      `ON CONFLICT (${hash}) DO UPDATE SET ${number} = ${greatest}(${old(number)}, excluded.${number}), ` +
      `${turns} = ${greatest}(${old(turns)}, excluded.${turns})`,
    forget:
      `DELETE FROM ${users} WHERE ${hash} IN (SELECT ${hash} FROM ${users} WHERE ${isOld} ` +
      `LIMIT ${FORGOTTEN_AT_ONCE}${isPostgres ? ' FOR UPDATE SKIP LOCKED' : ''})`,
    turn:
      `INSERT INTO ${users} AS old (${hash}, ${number}, ${turns}) VALUES (:hash, 0, ${now}) ` +
      `ON CONFLICT (${hash}) DO UPDATE SET ${turns} = ${greatest}(${old(turns)} + 1, excluded.${turns}) ` +
      `RETURNING ${number} AS number, ${turns} AS turn`,
  };
}
