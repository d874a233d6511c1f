import type { QueryRunner } from 'typeorm';
import { runSql } from '../named-parameters.js';
import type { SessionRecord } from '../../core/model/record.js';
import type { EntityTable } from '../entity-table.js';
import type { DeletedBatch, Dialect, ExpiredBatch } from './dialect.js';

export const sqlite: Dialect = {
  placeholder: () => '?',
  sameText: (one, other) => `${one} = ${other}`,
  // It locks no rows.
  updateUnlocked: ({ table, id, ids }, assignments, condition) =>
    `UPDATE ${table} SET ${assignments} WHERE ${id} IN (${ids}) AND ${condition}`,
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
  table: EntityTable<SessionRecord>,
  { now, from, size }: ExpiredBatch,
): Promise<DeletedBatch> {
  const [id, expiresAt] = [table.column('id'), table.column('expiresAt')];
  const expired = `SELECT ${id} FROM ${table.name} WHERE ${expiresAt} <= :now ORDER BY ${expiresAt} LIMIT :size`;
  const { affected } = await runSql(runner, sqlite, `DELETE FROM ${table.name} WHERE ${id} IN (${expired})`, {
    now,
    size,
  });
  return { count: affected ?? 0, latest: from };
}
