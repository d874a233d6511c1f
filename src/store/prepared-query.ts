import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { Dialect } from './dialects/dialect.js';
import { PreparationTrust } from './preparation-trust.js';
import type { PreparedQuery } from './query.js';
import { withQueryLog } from './query-log.js';

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
  const trust = new PreparationTrust();

  return async (runner, sql, parameters) => {
    if (trust.isLost) return viaTypeOrm(runner, sql, parameters);
    const connection: unknown = await runner.connect();
    try {
      const run = () => preparedStatements.run(connection, sql, parameters);
      const outcome = await withQueryLog(dataSource, runner, sql, parameters, run);
      trust.succeeded();
      return outcome;
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
