import type { DataSource, QueryRunner } from 'typeorm';
import type { StoredRecord } from '../columns.js';
import type { EntityTable } from '../entity-table.js';
import type { QueryOutcome } from '../query.js';
import type { Names } from '../writes/names.js';
import type { OrderSql } from '../writes/order-sql.js';
import type { Statements } from '../writes/statements.js';
import type { SqlFlavour, UserSql } from '../writes/user-sql.js';
import type { UserWrites } from '../writes/user-writes.js';

/** What differs between databases, in one object for each. `dialectOf` chooses it, once. */
export interface Dialect extends SqlFlavour {
  /** What stands in SQL for the parameter with this number, counted from 1. */
  placeholder(number: number): string;
  /** Updates rows by their ids, but for those that somebody else has locked: it waits for nobody. */
  updateUnlocked(rows: RowsById, assignments: string, condition: string): string;
  /** The statements on `session_users`. */
  orderSql(names: Names): OrderSql;
  /** How users sign in and are revoked. */
  userWrites(statements: Statements, sql: UserSql): UserWrites;
  /** Makes one text of all rows, a JSON array of arrays; `null` where the driver decodes columns faster. */
  readonly rowsAsText: ((columns: string) => string) | null;
  /** `null`: the driver has none. */
  readonly preparedStatements: PreparedStatements | null;
  readonly purge: PurgePace;
  /** Deletes the oldest rows that have expired. On a server it runs in a transaction, on SQLite alone. */
  deleteExpiredBatch(
    runner: QueryRunner,
    table: EntityTable<StoredRecord>,
    batch: ExpiredBatch,
  ): Promise<DeletedBatch>;
  /** What only a server has; `null` for SQLite, whose one connection is the application's too. */
  readonly server: ServerDialect | null;
}

/** A connection outside of the pool. */
export interface LoneConnection {
  query(sql: string, parameters: readonly unknown[]): Promise<readonly object[]>;
  /** Ends it, whether it answers or not. */
  destroy(): void;
}

export interface ServerDialect {
  /** A connection of its own to the primary, outside of the pool, as the data source makes those of the pool. */
  connectAlone(dataSource: DataSource): Promise<LoneConnection>;
  /**
   * Which server answers, in SQL: another one after a fail-over.
   * @param version as `VERSION()` says it
   */
  identity(version: string): string;
  /** What must be true of each new connection before it is used. @throws SessionOptionsError */
  readonly vet: ((runner: QueryRunner) => Promise<void>) | null;
  /** What a column can hold of what is sent over this connection. */
  alphabetOf(
    runner: QueryRunner,
    table: EntityTable<StoredRecord>,
    field: keyof StoredRecord,
  ): Promise<Alphabet>;
  /** An expression of SQL: 'primary', or something else on a server that takes no writes. */
  readonly role: string;
  /** A query for the database's clock, in epoch milliseconds, as `now`. */
  readonly clock: string;
  /** Codes of errors after which nothing was done, and the same statement or transaction may succeed. */
  readonly retryable: ReadonlySet<unknown>;
  /** Bounds how long the open transaction waits for a lock. @returns what to call once the transaction has ended */
  limitLockWait(runner: QueryRunner, milliseconds: number): Promise<() => Promise<unknown>>;
  /** Asks the server to end the statement that runs on a connection; that it was ended is then the statement's answer. */
  cancel(dataSource: DataSource, connection: unknown): void;
  /** Ends a connection that does not answer, as `QueryRunner.connect()` gave it. */
  endConnection(connection: unknown): void;
  /** Keeps a connection that is lost out of the pool, which may not have noticed: what comes next gets another one. */
  discard(connection: unknown): void;
}

/** Some rows of a table, in SQL: the table, its column of ids, and a list of ids. */
export interface RowsById {
  readonly table: string;
  readonly id: string;
  readonly ids: string;
}

/**
 * These characters as the column would give them back: others, or an error, where it cannot hold them. They may not be
 * sent as they are: drivers send some characters as others, a quote among them, over a connection of another alphabet.
 */
export type Alphabet = (runner: QueryRunner, characters: readonly string[]) => Promise<readonly string[]>;

/** What a driver does with prepared statements. */
export interface PreparedStatements {
  /** @param connection as `QueryRunner.connect()` gives it */
  run(connection: unknown, sql: string, parameters: readonly unknown[]): Promise<QueryOutcome>;
  /** Called after such an error: the next run of this statement on this connection prepares it anew. */
  forget(connection: unknown, sql: string): void;
  /** Codes of errors that say that the connection, or a pooler before the database, keeps no prepared statements. */
  readonly missing: ReadonlySet<unknown>;
}

export interface PurgePace {
  /** Rows deleted by one statement, unless the application says how many. */
  readonly batchSize: number;
  /** Between two batches, in milliseconds. */
  readonly pause: number;
}

/** Which rows to delete: at most `size` whose `purgeAfter` has come by `now`, from that at `from` on. */
export interface ExpiredBatch {
  readonly now: number;
  readonly from: number;
  readonly size: number;
}

/** How many rows were deleted, and the latest `purgeAfter` among them: the next batch need not pass over them again. */
export interface DeletedBatch {
  readonly count: number;
  readonly latest: number;
}
