import { hash } from 'node:crypto';
import type { QueryRunner } from 'typeorm';
import { runSql } from '../named-parameters.js';
import type { SessionRecord } from '../../core/model/record.js';
import type { EntityTable } from '../entity-table.js';
import type { DeletedBatch, Dialect, ExpiredBatch } from './dialect.js';

export const postgres: Dialect = {
  placeholder: (number) => `$${number}`,
  sameText: (one, other) => `${one} = ${other}`,
  rowsAsText: (columns) => `CAST(json_agg(json_build_array(${columns})) AS text)`,
  preparedStatements: {
    run: runPrepared,
    forget: (client) => void generations.set(client as object, generationOf(client) + 1),
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
    vet: null,
    alphabetOf: async () => echo,
    async limitLockWait(runner, milliseconds) {
      await runner.query(`SET LOCAL lock_timeout = '${milliseconds}ms'`);
      return async () => {}; // it ends with the transaction
    },
    endConnection(connection) {
      // It is gone either way.
      (connection as PostgresClient).end().catch(() => {});
    },
    discard(connection) {
      (connection as PostgresClient).end().catch(() => {});
    },
  },
};

/** The client always speaks UTF-8, and the database converts what it is sent, or refuses it. */
async function echo(runner: QueryRunner, characters: readonly string[]): Promise<readonly string[]> {
  const [row] = (await runner.query('SELECT $1::text AS text', [characters.join(' ')])) as [{ text: string }];
  return row.text.split(' ');
}

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
  const generation = generationOf(client);
  if (generation > 0) name = `${name}-${generation}`;
  return (await (client as PostgresClient).query({ name, text, values })).rows;
}

/** The driver prepares a name once on a connection, and cannot be told that it is lost there: hence another name. */
const generations = new WeakMap<object, number>();

function generationOf(client: unknown): number {
  return generations.get(client as object) ?? 0;
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
