import type { DataSource, QueryRunner } from 'typeorm';
import { CONNECTION_SILENCE } from '../core/outage/time-budgets.js';
import { retryingDeadlocks } from './deadlock.js';
import { withLockTimeout } from './lock-timeout.js';
import { endingSilentConnection } from './silence.js';
import { TransactionGate } from './transaction-gate.js';

const SQLITE_TYPES: ReadonlySet<string> = new Set(['sqlite', 'better-sqlite3']);

/** Runs statements on the primary: TypeORM sends reads to replicas, where a revoked session still lives. */
export class PrimaryConnection {
  private readonly isShared: boolean;

  constructor(private readonly dataSource: DataSource) {
    this.isShared = isSqlite(dataSource);
    if (this.isShared) TransactionGate.of(dataSource);
  }

  async read<T>(work: (runner: QueryRunner) => Promise<T>, silence = CONNECTION_SILENCE): Promise<T> {
    const runner = this.dataSource.createQueryRunner('master');
    try {
      // SQLite's connection is a file, and the application's too.
      if (this.isShared) return await work(runner);
      return await endingSilentConnection(runner, silence, () => work(runner));
    } finally {
      await runner.release();
    }
  }

  write<T>(work: (runner: QueryRunner) => Promise<T>, silence = CONNECTION_SILENCE): Promise<T> {
    const write = () => this.read(work, silence);
    return this.isShared ? TransactionGate.of(this.dataSource).write(write) : retryingDeadlocks(write);
  }

  /** Never on SQLite: its one connection is shared with the application. */
  transaction<T>(work: (runner: QueryRunner) => Promise<T>, silence = CONNECTION_SILENCE): Promise<T> {
    return this.read(
      (runner) =>
        withLockTimeout(runner, this.dataSource.options.type, async (limit) => {
          await runner.startTransaction('READ COMMITTED');
          try {
            await limit();
            const result = await work(runner);
            await runner.commitTransaction();
            return result;
          } catch (error) {
            // What went wrong first is what counts, also where the connection is gone.
            await runner.rollbackTransaction().catch(() => {});
            throw error;
          }
        }),
      silence,
    );
  }
}

/** Whether TypeORM runs everything on one connection. */
export function isSqlite({ options }: DataSource): boolean {
  return SQLITE_TYPES.has(options.type);
}
