import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { Dialect } from './dialects/dialect.js';
import type { PreparedQuery } from './query.js';

/** For what runs with every request and every sign-in: the database parses and plans it once per connection, not once per query. */
export function preparedQuery(
  dataSource: DataSource,
  { preparedStatements }: Pick<Dialect, 'preparedStatements'>,
): PreparedQuery {
  const viaTypeOrm: PreparedQuery = async (runner, sql, parameters) => {
    const { records, affected, raw } = await runner.query(sql, [...parameters], true);
    const { insertId = 0 } = (raw ?? {}) as { insertId?: number };
    return { rows: records ?? [], affected: affected ?? 0, insertId: Number(insertId) };
  };
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
