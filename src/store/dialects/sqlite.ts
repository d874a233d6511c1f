import type { QueryRunner } from 'typeorm';
import { runSql } from '../named-parameters.js';
import type { StoredRecord } from '../columns.js';
import type { EntityTable } from '../entity-table.js';
import { orderSql } from '../writes/order-sql.js';
import { SqliteUserWrites } from '../writes/sqlite-user-writes.js';
import type { DeletedBatch, Dialect, ExpiredBatch } from './dialect.js';

export const sqlite: Dialect = {
  placeholder: () => '?',
  sameText: (one, other) => `${one} = ${other}`,
  // It locks no rows.
  updateUnlocked: ({ table, id, ids }, assignments, condition) =>
    `UPDATE ${table} SET ${assignments} WHERE ${id} IN (${ids}) AND ${condition}`,
  least: 'MIN',
  // better-sqlite3 binds large numbers as floats.
  quotient: (dividend, divisor) => `CAST(${dividend} AS INTEGER) / ${divisor}`,
  orderSql: (names) => orderSql('sqlite', names),
  userWrites: (statements, sql) => new SqliteUserWrites(statements, sql),
  rowsAsText: (columns) => `json_group_array(json_array(${columns}))`,
  preparedStatements: null,
  // It does nothing else while it deletes: small batches, with pauses for the others.
  purge: { batchSize: 200, pause: 10 },
  deleteExpiredBatch,
  server: null,
};

/** One statement. */
async function deleteExpiredBatch(
  runner: QueryRunner,
  table: EntityTable<StoredRecord>,
  { now, from, size }: ExpiredBatch,
): Promise<DeletedBatch> {
  const [id, purgeAfter] = [table.column('id'), table.column('purgeAfter')];
  const expired = `SELECT ${id} FROM ${table.name} WHERE ${purgeAfter} <= :now ORDER BY ${purgeAfter} LIMIT :size`;
  const { affected } = await runSql(runner, sqlite, `DELETE FROM ${table.name} WHERE ${id} IN (${expired})`, {
    now,
    size,
  });
  return { count: affected ?? 0, latest: from };
}
