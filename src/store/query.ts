import type { QueryRunner } from 'typeorm';

/** What a statement did. */
export interface QueryOutcome {
  /** What it returned. */
  readonly rows: unknown[];
  /** How many rows it changed. */
  readonly affected: number;
  /** What `LAST_INSERT_ID(…)` was given, on MySQL; else 0. */
  readonly insertId: number;
}

/** Runs a statement with positional parameters. */
export type PreparedQuery = (
  runner: QueryRunner,
  sql: string,
  parameters: readonly unknown[],
) => Promise<QueryOutcome>;
