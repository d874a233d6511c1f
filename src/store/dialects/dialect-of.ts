import type { DataSource } from 'typeorm';
import { SessionOptionsError } from '../../core/model/errors.js';
import { betterSqlite3 } from './better-sqlite3.js';
import type { Dialect } from './dialect.js';
import { mysql } from './mysql.js';
import { postgres } from './postgres.js';
import { sqlite } from './sqlite.js';

const DIALECTS: ReadonlyMap<string, Dialect> = new Map([
  ['sqlite', sqlite],
  ['better-sqlite3', betterSqlite3],
  ['postgres', postgres],
  ['mysql', mysql],
  ['mariadb', mysql],
]);

/** @throws SessionOptionsError for a database that is not supported */
export function dialectOf({ options: { type } }: DataSource): Dialect {
  const dialect = DIALECTS.get(type);
  if (dialect !== undefined) return dialect;
  throw new SessionOptionsError(
    'dataSource',
    type,
    `use a data source of ${[...DIALECTS.keys()].join(', ')}.`,
  );
}
