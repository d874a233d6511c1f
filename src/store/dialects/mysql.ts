import type { DataSource, QueryRunner } from 'typeorm';
import { CANCEL_PATIENCE } from '../../core/outage/time-budgets.js';
import { runSql } from '../named-parameters.js';
import type { StoredRecord } from '../columns.js';
import type { EntityTable } from '../entity-table.js';
import type { QueryOutcome } from '../query.js';
import { orderSql } from '../writes/order-sql.js';
import { MysqlUserWrites } from '../writes/mysql-user-writes.js';
import type { DeletedBatch, Dialect, ExpiredBatch, RowsById } from './dialect.js';
import { connectMysqlAlone } from './mysql-connection.js';
import { alphabetOf } from './mysql-alphabet.js';
import { vetConnection } from './mysql-vetting.js';

/** Numbers on some versions, words on others. The second says what readers of Amazon Aurora are. */
const ROLE = "IF(CONCAT(@@read_only, @@innodb_read_only) IN ('00', 'OFFOFF', 'OFF0'), 'primary', 'standby')";

/** MySQL and MariaDB. */
export const mysql: Dialect = {
  placeholder: () => '?',
  // By the default collations `aB3` and `Ab3` are the same, and so are `a`, `a ` and `á`. The first comparison finds
  // the rows by the index, the second one takes the right ones of them.
  sameText: (one, other) => `${one} = ${other} AND ${bytesOf(one)} = ${bytesOf(other)}`,
  updateUnlocked,
  least: 'LEAST',
  quotient: (dividend, divisor) => `(${dividend}) DIV ${divisor}`,
  orderSql: (names) => orderSql('mysql', names),
  userWrites: (statements, sql) => new MysqlUserWrites(statements, sql),
  rowsAsText: null,
  preparedStatements: {
    run: runPrepared,
    forget: (connection, sql) => void (connection as MysqlConnection).unprepare(sql),
    missing: new Set([
      'ER_UNSUPPORTED_PS',
      'ER_UNKNOWN_STMT_HANDLER',
      'ER_MAX_PREPARED_STMT_COUNT_REACHED',
      'ER_NEED_REPREPARE',
    ]),
  },
  purge: { batchSize: 5_000, pause: 0 },
  deleteExpiredBatch,
  server: {
    connectAlone: connectMysqlAlone,
    // MariaDB has no unique name of its own for a server.
    identity: (version) =>
      version.includes('MariaDB') ? "CONCAT_WS(':', @@hostname, @@port, @@server_id)" : '@@server_uuid',
    // Not `UNIX_TIMESTAMP(NOW(3))`, which goes by local time: an hour of every year has it twice.
    clock: "SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000 AS now",
    // Single statements too: one on a row that is gone locks the gap where it was, and two such gaps can stand in each
    // other's way.
    retryable: new Set(['ER_LOCK_DEADLOCK', 'ER_CHECKREAD']),
    role: ROLE,
    vet: (runner) => vetConnection(runner, ROLE),
    alphabetOf,
    limitLockWait,
    cancel,
    endConnection(connection) {
      // `end()` would only say goodbye, and wait for an answer.
      (connection as MysqlConnection).stream.destroy(
        Object.assign(new Error('The database does not answer.'), { code: 'PROTOCOL_CONNECTION_LOST' }),
      );
    },
    discard: (connection) => (connection as MysqlConnection).destroy(),
  },
};

/** The answer to what returns no rows. */
interface Changed {
  readonly affectedRows: number;
  readonly insertId: number | string;
}

interface MysqlConnection {
  readonly threadId: number;
  readonly stream: { destroy(error: Error): unknown };
  readonly config: { readonly typeCast?: unknown };
  query(sql: string, done: () => void): unknown;
  on(event: 'error', listener: () => void): unknown;
  destroy(): void;
  unprepare(sql: string): unknown;
  execute(
    statement: { sql: string; values: readonly unknown[]; typeCast?: typeof asUsual },
    done: (error: Error | null, answer: unknown[] | Changed) => void,
  ): unknown;
}

/** What TypeORM has loaded. */
interface MysqlDriver {
  readonly Connection: new (options: Pick<MysqlConnection, 'config'>) => MysqlConnection;
}

function bytesOf(text: string): string {
  return `CAST(CONVERT(${text} USING utf8mb4) AS BINARY)`;
}

/** As mysql2 reads a value without a `typeCast`. */
const asUsual = (_field: unknown, next: () => unknown) => next();

/**
 * A `typeCast` of the application's was written for text; what prepared statements return is binary, in which a number is
 * no string. Only a function takes its place, and only there: it is called for every value.
 */
function runPrepared(connection: unknown, sql: string, values: readonly unknown[]): Promise<QueryOutcome> {
  return new Promise((resolve, reject) => {
    const { config } = connection as MysqlConnection;
    const isOwnCast = config.typeCast !== undefined && config.typeCast !== true;
    const statement = { sql, values, ...(isOwnCast && { typeCast: asUsual }) };
    (connection as MysqlConnection).execute(statement, (error, answer) =>
      error ? reject(error) : resolve(outcomeOf(answer)),
    );
  });
}

function outcomeOf(answer: unknown[] | Changed): QueryOutcome {
  if (Array.isArray(answer)) return { rows: answer, affected: 0, insertId: 0 };
  return { rows: [], affected: answer.affectedRows, insertId: Number(answer.insertId) };
}

/** Over a connection of its own: all those of the pool may be in use. */
function cancel({ driver }: DataSource, connection: unknown): void {
  const { threadId, config } = connection as MysqlConnection;
  const { Connection } = (driver as unknown as { mysql: MysqlDriver }).mysql;
  const own = new Connection({ config });
  const timer = setTimeout(() => own.destroy(), CANCEL_PATIENCE).unref();
  const end = () => {
    clearTimeout(timer);
    own.destroy();
  };
  // Where it does not arrive, the connection is ended a little later.
  own.on('error', end);
  own.query(`KILL QUERY ${threadId}`, end);
}

/**
 * In whole seconds. The connection keeps the setting, and goes back to the application's pool: it must be as it was.
 */
async function limitLockWait(runner: QueryRunner, milliseconds: number): Promise<() => Promise<unknown>> {
  const [before] = (await runner.query('SELECT @@innodb_lock_wait_timeout AS seconds')) as [
    { seconds: number },
  ];
  await runner.query(`SET SESSION innodb_lock_wait_timeout = ${Math.ceil(milliseconds / 1_000)}`);
  return () => runner.query(`SET SESSION innodb_lock_wait_timeout = ${Number(before.seconds)}`);
}

/**
 * Joined in this order: else MySQL might lock the rows to update before it looks which of them are free. Ids are distinct
 * anyhow: `DISTINCT` keeps MySQL from merging the two, which it refuses for a table that it updates.
 */
function updateUnlocked({ table, id, ids }: RowsById, assignments: string, condition: string): string {
  const free = `SELECT DISTINCT ${id} AS free_id FROM ${table} WHERE ${id} IN (${ids}) FOR UPDATE SKIP LOCKED`;
  return `UPDATE (${free}) AS free STRAIGHT_JOIN ${table} ON ${id} = free_id SET ${assignments} WHERE ${condition}`;
}

/** Two statements, for MySQL has none that says what it deleted. Rows that another node has locked are left to it. */
async function deleteExpiredBatch(
  runner: QueryRunner,
  table: EntityTable<StoredRecord>,
  batch: ExpiredBatch,
): Promise<DeletedBatch> {
  const [id, purgeAfter] = [table.column('id'), table.column('purgeAfter')];
  const { records } = await runSql(
    runner,
    mysql,
    `SELECT ${id} AS id, ${purgeAfter} AS purge_after FROM ${table.name} ` +
      `WHERE ${purgeAfter} >= :from AND ${purgeAfter} <= :now ` +
      `ORDER BY ${purgeAfter} LIMIT :size FOR UPDATE SKIP LOCKED`,
    batch,
  );
  const expired = records as { id: string; purge_after: unknown }[];
  if (expired.length === 0) return { count: 0, latest: batch.from };
  const ids = expired.map((row) => row.id);
  await runSql(
    runner,
    mysql,
    `DELETE FROM ${table.name} WHERE ${id} IN (:...ids) AND ${purgeAfter} <= :now`,
    {
      ids,
      now: batch.now,
    },
  );
  return { count: expired.length, latest: Number(expired.at(-1)?.purge_after) };
}
