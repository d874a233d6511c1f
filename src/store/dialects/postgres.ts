import { hash } from 'node:crypto';
import type { QueryRunner } from 'typeorm';
import { runSql } from '../named-parameters.js';
import type { StoredRecord } from '../columns.js';
import type { EntityTable } from '../entity-table.js';
import type { QueryOutcome } from '../query.js';
import { orderSql } from '../writes/order-sql.js';
import { PostgresUserWrites } from '../writes/postgres-user-writes.js';
import { connectPostgresAlone } from './postgres-connection.js';
import { cancelOnPostgres, type PostgresBackend } from './postgres-cancel.js';
import { askForPrimary } from '../standby.js';
import type { DeletedBatch, Dialect, ExpiredBatch, RowsById } from './dialect.js';

const ROLE = "CASE WHEN pg_is_in_recovery() THEN 'standby' ELSE 'primary' END";

export const postgres: Dialect = {
  placeholder: (number) => `$${number}`,
  sameText: (one, other) => `${one} = ${other}`,
  updateUnlocked,
  least: 'LEAST',
  quotient: (dividend, divisor) => `(${dividend}) / ${divisor}`,
  orderSql: (names) => orderSql('postgres', names),
  userWrites: (statements, sql) => new PostgresUserWrites(statements, sql),
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
    connectAlone: connectPostgresAlone,
    // Not as text: how a time is written depends on the connection.
    identity: () =>
      'CAST(CAST(EXTRACT(EPOCH FROM pg_postmaster_start_time()) * 1000000 AS bigint) AS varchar)',
    clock: 'SELECT EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS now',
    retryable: new Set([
      '40P01', // deadlock_detected
      '40001', // serialization_failure
    ]),
    role: ROLE,
    vet: (runner) => askForPrimary(runner, ROLE),
    alphabetOf: async () => echo,
    async limitLockWait(runner, milliseconds) {
      await runner.query(`SET LOCAL lock_timeout = '${milliseconds}ms'`);
      return async () => {}; // it ends with the transaction
    },
    cancel: (_, connection) => cancelOnPostgres(connection as PostgresClient),
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

interface PostgresClient extends PostgresBackend {
  query(config: {
    name: string;
    text: string;
    values: readonly unknown[];
  }): Promise<{ rows: unknown[]; rowCount: number | null }>;
  end(): Promise<void>;
}

/** By their text: applications may have several tables of sessions on one pool. */
const names = new Map<string, string>();

async function runPrepared(client: unknown, text: string, values: readonly unknown[]): Promise<QueryOutcome> {
  let name = names.get(text);
  if (name === undefined) {
    name = `nestjs-sessions-${hash('sha256', text).slice(0, 16)}`;
    names.set(text, name);
  }
  const generation = generationOf(client);
  if (generation > 0) name = `${name}-${generation}`;
  const { rows, rowCount } = await (client as PostgresClient).query({ name, text, values });
  return { rows, affected: rowCount ?? 0, insertId: 0 };
}

/** The weakest lock that an update takes: it keeps the change inside the page (HOT), and no foreign key from checking. */
function updateUnlocked({ table, id, ids }: RowsById, assignments: string, condition: string): string {
  const free = `SELECT ${id} AS free_id FROM ${table} WHERE ${id} IN (${ids}) FOR NO KEY UPDATE SKIP LOCKED`;
  return (
    `UPDATE ${table} SET ${assignments} FROM (${free}) AS free ` +
    `WHERE ${id} = free_id AND ${id} IN (${ids}) AND ${condition}`
  );
}

/** The driver prepares a name once on a connection, and cannot be told that it is lost there: hence another name. */
const generations = new WeakMap<object, number>();

function generationOf(client: unknown): number {
  return generations.get(client as object) ?? 0;
}

/** One statement. Rows that another node has locked are left to it. */
async function deleteExpiredBatch(
  runner: QueryRunner,
  table: EntityTable<StoredRecord>,
  batch: ExpiredBatch,
): Promise<DeletedBatch> {
  const [id, purgeAfter] = [table.column('id'), table.column('purgeAfter')];
  const { records } = await runSql(
    runner,
    postgres,
    `WITH expired AS (
       SELECT ${id} AS id FROM ${table.name} WHERE ${purgeAfter} >= :from AND ${purgeAfter} <= :now
       ORDER BY ${purgeAfter} LIMIT :size FOR UPDATE SKIP LOCKED
     ), gone AS (
       DELETE FROM ${table.name} WHERE ${id} IN (SELECT id FROM expired) RETURNING ${purgeAfter} AS purge_after
     )
     SELECT COUNT(*) AS count, MAX(purge_after) AS latest FROM gone`,
    batch,
  );
  const [{ count, latest }] = records as [{ count: string; latest: string | null }];
  return { count: Number(count), latest: latest === null ? batch.from : Number(latest) };
}
