import { Logger } from '@nestjs/common';
import type { DataSource, QueryRunner } from 'typeorm';
import type { Dialect } from './dialects/dialect.js';

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
  let isMissing = false;

  return async (runner, sql, parameters) => {
    if (isMissing) return viaTypeOrm(runner, sql, parameters);
    dataSource.logger.logQuery(sql, [...parameters], runner);
    try {
      return await preparedStatements.run(await runner.connect(), sql, parameters);
    } catch (error) {
      if (!preparedStatements.missing.has((error as { code?: unknown } | null)?.code)) throw error;
      if (!isMissing) {
        new Logger('SessionStore').warn(
          `The connection pool keeps no prepared statements; from now on sessions are read without. ${String(error)}`,
        );
      }
      isMissing = true;
      return viaTypeOrm(runner, sql, parameters);
    }
  };
}
