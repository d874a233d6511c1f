import type { Dialect } from './dialect.js';
import { sqlite } from './sqlite.js';

/** SQLite by another driver, which has prepared statements. */
export const betterSqlite3: Dialect = {
  ...sqlite,
  preparedStatements: { run: runPrepared, forget: () => {}, missing: new Set() },
};

interface Database {
  prepare(sql: string): Statement;
}

interface Statement {
  all(...values: readonly string[]): unknown[];
}

const statements = new WeakMap<Database, Map<string, Statement>>();

/** Synchronous: the answer is there before another request can come. */
async function runPrepared(connection: unknown, sql: string, values: readonly string[]): Promise<unknown[]> {
  const database = connection as Database;
  let prepared = statements.get(database);
  if (prepared === undefined) statements.set(database, (prepared = new Map()));
  let statement = prepared.get(sql);
  if (statement === undefined) prepared.set(sql, (statement = database.prepare(sql)));
  return statement.all(...values);
}
