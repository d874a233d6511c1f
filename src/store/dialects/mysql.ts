import type { QueryRunner } from 'typeorm';
import { runSql } from '../named-parameters.js';
import type { SessionRecord } from '../../core/model/record.js';
import type { EntityTable } from '../entity-table.js';
import type { DeletedBatch, Dialect, ExpiredBatch } from './dialect.js';
import { alphabetOf } from './mysql-alphabet.js';
import { assertBackslashesEscape } from './mysql-escapes.js';

/** MySQL and MariaDB. */
export const mysql: Dialect = {
  placeholder: () => '?',
  // By the default collations `aB3` and `Ab3` are the same, and so are `a`, `a ` and `á`. The first comparison finds
  // the rows by the index, the second one takes the right ones of them.
  sameText: (one, other) => `${one} = ${other} AND ${bytesOf(one)} = ${bytesOf(other)}`,
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
    // Whole seconds: `UNIX_TIMESTAMP(NOW(3))` goes by local time, which an hour of every year has twice.
    clock: 'SELECT UNIX_TIMESTAMP() * 1000 AS now',
    // Single statements too: one on a row that is gone locks the gap where it was, and two such gaps can stand in each
    // other's way.
    retryable: new Set(['ER_LOCK_DEADLOCK', 'ER_CHECKREAD']),
    // Not `FOR SHARE`, which MariaDB does not know.
    sharedLock: 'LOCK IN SHARE MODE',
    vet: assertBackslashesEscape,
    alphabetOf,
    limitLockWait,
    endConnection(connection) {
      // `end()` would only say goodbye, and wait for an answer.
      (connection as MysqlConnection).stream.destroy(new Error('The database does not answer.'));
    },
    discard: (connection) => (connection as MysqlConnection).destroy(),
  },
};

interface MysqlConnection {
  readonly stream: { destroy(error: Error): unknown };
  readonly config: { readonly typeCast?: unknown };
  destroy(): void;
  unprepare(sql: string): unknown;
  execute(
    statement: { sql: string; values: readonly string[]; typeCast?: typeof asUsual },
    done: (error: Error | null, rows: unknown[]) => void,
  ): unknown;
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
function runPrepared(connection: unknown, sql: string, values: readonly string[]): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    const { config } = connection as MysqlConnection;
    const isOwnCast = config.typeCast !== undefined && config.typeCast !== true;
    const statement = { sql, values, ...(isOwnCast && { typeCast: asUsual }) };
    (connection as MysqlConnection).execute(statement, (error, rows) =>
      error ? reject(error) : resolve(rows),
    );
  });
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

/** Two statements, for MySQL has none that says what it deleted. Rows that another node has locked are left to it. */
async function deleteExpiredBatch(
  runner: QueryRunner,
  table: EntityTable<SessionRecord>,
  batch: ExpiredBatch,
): Promise<DeletedBatch> {
  const [id, expiresAt] = [table.column('id'), table.column('expiresAt')];
  const { records } = await runSql(
    runner,
    mysql,
    `SELECT ${id} AS id, ${expiresAt} AS expires_at FROM ${table.name} ` +
      `WHERE ${expiresAt} >= :from AND ${expiresAt} <= :now ` +
      `ORDER BY ${expiresAt} LIMIT :size FOR UPDATE SKIP LOCKED`,
    batch,
  );
  const expired = records as { id: string; expires_at: unknown }[];
  if (expired.length === 0) return { count: 0, latest: batch.from };
  const ids = expired.map((row) => row.id);
  await runSql(runner, mysql, `DELETE FROM ${table.name} WHERE ${id} IN (:...ids) AND ${expiresAt} <= :now`, {
    ids,
    now: batch.now,
  });
  return { count: expired.length, latest: Number(expired.at(-1)?.expires_at) };
}
