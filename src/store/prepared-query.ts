import { Logger } from '@nestjs/common';
import type { DataSource, QueryRunner } from 'typeorm';
import type { Dialect } from './dialects/dialect.js';
import { PreparationTrust } from './preparation-trust.js';
import { withQueryLog } from './query-log.js';

/** Runs a statement with positional parameters; the rows. */
export type PreparedQuery = (
  runner: QueryRunner,
  sql: string,
  parameters: readonly string[],
) => Promise<unknown[]>;

/** For the read of every request: the database parses and plans it once per connection, not once per query. */
export function preparedQuery(
  dataSource: DataSource,
  { preparedStatements }: Pick<Dialect, 'preparedStatements'>,
): PreparedQuery {
  const viaTypeOrm: PreparedQuery = (runner, sql, parameters) => runner.query(sql, [...parameters]);
  if (preparedStatements === null) return viaTypeOrm;
  const trust = new PreparationTrust();

  return async (runner, sql, parameters) => {
    if (trust.isLost) return viaTypeOrm(runner, sql, parameters);
    const connection: unknown = await runner.connect();
    try {
      const run = () => preparedStatements.run(connection, sql, parameters);
      const rows = await withQueryLog(dataSource, runner, sql, parameters, run);
      trust.succeeded();
      return rows;
    } catch (error) {
      if (!preparedStatements.missing.has((error as { code?: unknown }).code)) throw error;
      preparedStatements.forget(connection, sql);
      if (trust.failed()) {
        new Logger('SessionStore').warn(
          `The connection pool keeps no prepared statements; from now on sessions are read without. ${String(error)}`,
        );
      }
      return viaTypeOrm(runner, sql, parameters);
    }
  };
}
