import type { Dialect } from './dialect.js';
import type { QueryOutcome } from '../query.js';
import { sqlite } from './sqlite.js';

/** SQLite by another driver, which has prepared statements. */
export const betterSqlite3: Dialect = {
  ...sqlite,
  preparedStatements: { run: runPrepared, forget: () => {}, missing: new Set() },
};

interface Database {
  prepare(sql: string): DriverStatement;
}

interface DriverStatement {
  readonly reader: boolean;
  all(...values: readonly unknown[]): unknown[];
  run(...values: readonly unknown[]): { readonly changes: number };
}

const statements = new WeakMap<Database, Map<string, DriverStatement>>();

/** Synchronous: the answer is there before another request can come. */
async function runPrepared(
  connection: unknown,
  sql: string,
  values: readonly unknown[],
): Promise<QueryOutcome> {
  const database = connection as Database;
  let prepared = statements.get(database);
  if (prepared === undefined) statements.set(database, (prepared = new Map()));
  let statement = prepared.get(sql);
  if (statement === undefined) prepared.set(sql, (statement = database.prepare(sql)));
  if (statement.reader) return { rows: statement.all(...values), affected: 0, insertId: 0 };
  return { rows: [], affected: statement.run(...values).changes, insertId: 0 };
}
