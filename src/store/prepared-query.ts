import { hash } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { DataSource, QueryRunner } from 'typeorm';

/** Runs a statement with positional parameters; the rows. */
export type PreparedQuery = (
  runner: QueryRunner,
  sql: string,
  parameters: readonly string[],
) => Promise<unknown[]>;

type DriverQuery = (connection: never, sql: string, parameters: readonly string[]) => Promise<unknown[]>;

/** What the drivers' connections do with prepared statements: `QueryRunner.connect()` gives them. */
const DRIVERS: Readonly<Record<string, DriverQuery>> = {
  postgres: onPostgres as DriverQuery,
  mysql: onMysql as DriverQuery,
  mariadb: onMysql as DriverQuery,
  'better-sqlite3': onBetterSqlite3 as DriverQuery,
};

/** Poolers that share connections between transactions lose prepared statements, or find those of others. */
const UNPREPARABLE: ReadonlySet<unknown> = new Set([
  '26000', // PostgreSQL: invalid_sql_statement_name
  '42P05', // duplicate_prepared_statement
  '08P01', // protocol_violation, as PgBouncer says it
  'ER_UNSUPPORTED_PS',
  'ER_UNKNOWN_STMT_HANDLER',
  'ER_MAX_PREPARED_STMT_COUNT_REACHED',
]);

/** For the read of every request: the database parses and plans it once per connection, not once per query. */
export function preparedQuery(dataSource: DataSource): PreparedQuery {
  const viaTypeOrm: PreparedQuery = (runner, sql, parameters) => runner.query(sql, [...parameters]);
  let driverQuery = DRIVERS[dataSource.options.type];

  return async (runner, sql, parameters) => {
    if (driverQuery === undefined) return viaTypeOrm(runner, sql, parameters);
    dataSource.logger.logQuery(sql, [...parameters], runner);
    try {
      return await driverQuery((await runner.connect()) as never, sql, parameters);
    } catch (error) {
      if (!UNPREPARABLE.has((error as { code?: unknown } | null)?.code)) throw error;
      if (driverQuery !== undefined) {
        new Logger('SessionStore').warn(
          `The connection pool keeps no prepared statements; from now on sessions are read without. ${String(error)}`,
        );
      }
      driverQuery = undefined;
      return viaTypeOrm(runner, sql, parameters);
    }
  };
}

interface PostgresClient {
  query(config: { name: string; text: string; values: readonly string[] }): Promise<{ rows: unknown[] }>;
}

/** By its text: applications may have several tables of sessions on one pool. */
const names = new Map<string, string>();

async function onPostgres(
  client: PostgresClient,
  text: string,
  values: readonly string[],
): Promise<unknown[]> {
  let name = names.get(text);
  if (name === undefined) {
    name = `nestjs-sessions-${hash('sha256', text).slice(0, 16)}`;
    names.set(text, name);
  }
  return (await client.query({ name, text, values })).rows;
}

interface MysqlConnection {
  execute(
    sql: string,
    values: readonly string[],
    done: (error: Error | null, rows: unknown[]) => void,
  ): unknown;
}

function onMysql(connection: MysqlConnection, sql: string, values: readonly string[]): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    connection.execute(sql, values, (error, rows) => (error ? reject(error) : resolve(rows)));
  });
}

interface BetterSqlite3Database {
  prepare(sql: string): BetterSqlite3Statement;
}

interface BetterSqlite3Statement {
  all(...values: readonly string[]): unknown[];
}

const statements = new WeakMap<BetterSqlite3Database, Map<string, BetterSqlite3Statement>>();

/** Synchronous: the answer is there before another request can come. */
async function onBetterSqlite3(
  database: BetterSqlite3Database,
  sql: string,
  values: readonly string[],
): Promise<unknown[]> {
  let prepared = statements.get(database);
  if (prepared === undefined) statements.set(database, (prepared = new Map()));
  let statement = prepared.get(sql);
  if (statement === undefined) prepared.set(sql, (statement = database.prepare(sql)));
  return statement.all(...values);
}
