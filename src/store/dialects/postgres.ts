import { hash } from 'node:crypto';
import type { QueryRunner } from 'typeorm';
import { runSql } from '../named-parameters.js';
import type { SessionRecord } from '../../core/model/record.js';
import type { EntityTable } from '../entity-table.js';
import type { DeletedBatch, Dialect, ExpiredBatch, RowsById } from './dialect.js';

export const postgres: Dialect = {
  placeholder: (number) => `$${number}`,
  sameText: (one, other) => `${one} = ${other}`,
  updateUnlocked,
  rowsAsText: (columns) => `CAST(json_agg(json_build_array(${columns})) AS text)`,
  preparedStatements: {
    run: runPrepared,
    missing: new Set([
      '26000', // invalid_sql_statement_name
      '42P05', // duplicate_prepared_statement
      '08P01', // protocol_violation, as PgBouncer says it
    ]),
  },
  purge: { batchSize: 5_000, pause: 0 },
  deleteExpiredBatch,
  server: {
    clock: 'SELECT EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS now',
    retryable: new Set([
      '40P01', // deadlock_detected
      '40001', // serialization_failure
    ]),
    sharedLock: 'FOR SHARE',
    async limitLockWait(runner, milliseconds) {
      await runner.query(`SET LOCAL lock_timeout = '${milliseconds}ms'`);
      return async () => {}; // it ends with the transaction
    },
    endConnection(connection) {
      // It is gone either way.
      (connection as PostgresClient).end().catch(() => {});
    },
  },
};

interface PostgresClient {
  query(config: { name: string; text: string; values: readonly string[] }): Promise<{ rows: unknown[] }>;
  end(): Promise<void>;
}

/** By their text: applications may have several tables of sessions on one pool. */
const names = new Map<string, string>();

async function runPrepared(client: unknown, text: string, values: readonly string[]): Promise<unknown[]> {
  let name = names.get(text);
  if (name === undefined) {
    name = `nestjs-sessions-${hash('sha256', text).slice(0, 16)}`;
    names.set(text, name);
  }
  return (await (client as PostgresClient).query({ name, text, values })).rows;
}

/** The weakest lock that an update takes: it keeps the change inside the page (HOT), and no foreign key from checking. */
function updateUnlocked({ table, id, ids }: RowsById, assignments: string, condition: string): string {
  const free = `SELECT ${id} AS free_id FROM ${table} WHERE ${id} IN (${ids}) FOR NO KEY UPDATE SKIP LOCKED`;
  return (
    `UPDATE ${table} SET ${assignments} FROM (${free}) AS free ` +
    `WHERE ${id} = free_id AND ${id} IN (${ids}) AND ${condition}`
  );
}

/** One statement. Rows that another node has locked are left to it. */
async function deleteExpiredBatch(
  runner: QueryRunner,
  table: EntityTable<SessionRecord>,
  batch: ExpiredBatch,
): Promise<DeletedBatch> {
  const [id, expiresAt] = [table.column('id'), table.column('expiresAt')];
  const { records } = await runSql(
    runner,
    postgres,
    `WITH expired AS (
       SELECT ${id} AS id FROM ${table.name} WHERE ${expiresAt} >= :from AND ${expiresAt} <= :now
       ORDER BY ${expiresAt} LIMIT :size FOR UPDATE SKIP LOCKED
     ), gone AS (
       DELETE FROM ${table.name} WHERE ${id} IN (SELECT id FROM expired) RETURNING ${expiresAt} AS expires_at
     )
     SELECT COUNT(*) AS count, MAX(expires_at) AS latest FROM gone`,
    batch,
  );
  const [{ count, latest }] = records as [{ count: string; latest: string | null }];
  return { count: Number(count), latest: latest === null ? batch.from : Number(latest) };
}
