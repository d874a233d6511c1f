import type { DataSource, QueryRunner } from 'typeorm';
import { TransactionGate } from './transaction-gate.js';

/** Runs statements on the primary: TypeORM sends reads to replicas, where a revoked session still lives. */
export class PrimaryConnection {
  private readonly gate: TransactionGate | null;

  constructor(private readonly dataSource: DataSource) {
    this.gate = isSqlite(dataSource) ? TransactionGate.of(dataSource) : null;
  }

  async read<T>(work: (runner: QueryRunner) => Promise<T>): Promise<T> {
    const runner = this.dataSource.createQueryRunner('master');
    try {
      return await work(runner);
    } finally {
      await runner.release();
    }
  }

  write<T>(work: (runner: QueryRunner) => Promise<T>): Promise<T> {
    return this.gate ? this.gate.write(() => this.read(work)) : this.read(work);
  }

  /** Never on SQLite: its one connection is shared with the application. */
  transaction<T>(work: (runner: QueryRunner) => Promise<T>): Promise<T> {
    return this.read(async (runner) => {
      await runner.startTransaction('READ COMMITTED');
      try {
        const result = await work(runner);
        await runner.commitTransaction();
        return result;
      } catch (error) {
        // What went wrong first is what counts, also where the connection is gone.
        await runner.rollbackTransaction().catch(() => {});
        throw error;
      }
    });
  }
}

/** Whether TypeORM runs everything on one connection. */
export function isSqlite({ options }: DataSource): boolean {
  return options.type === 'sqlite' || options.type === 'better-sqlite3';
}
