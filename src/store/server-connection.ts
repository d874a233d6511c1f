import type { DataSource, QueryRunner } from 'typeorm';
import { CONNECTION_SILENCE, LOCK_TIMEOUT } from '../core/outage/time-budgets.js';
import { retryingDeadlocks } from './deadlock.js';
import type { ServerDialect } from './dialects/dialect.js';
import { type PrimaryConnection, withPrimary, type Work } from './primary-connection.js';
import type { SchemaCheck } from './schema-check.js';
import { endingSilentConnection } from './silence.js';

interface TransactionOptions {
  /** Runs before the transaction begins, on the same connection, and again with each attempt. */
  readonly before?: Work<unknown>;
  /** In milliseconds. */
  readonly silence?: number;
}

/**
 * Connections of a pool to a database server. What fails without having done anything is tried again here, and nowhere
 * else.
 */
export class ServerConnection implements PrimaryConnection {
  constructor(
    private readonly dataSource: DataSource,
    private readonly dialect: ServerDialect,
    private readonly schema: SchemaCheck | null = null,
  ) {}

  read<T>(work: Work<T>): Promise<T> {
    return this.run(work, CONNECTION_SILENCE);
  }

  write<T>(work: Work<T>): Promise<T> {
    return retryingDeadlocks(this.dialect.retryable, () => this.run(work, CONNECTION_SILENCE));
  }

  transaction<T>(
    work: Work<T>,
    { before, silence = CONNECTION_SILENCE }: TransactionOptions = {},
  ): Promise<T> {
    const attempt: Work<T> = async (runner) => {
      await before?.(runner);
      return this.inTransaction(runner, work);
    };
    return retryingDeadlocks(this.dialect.retryable, () => this.run(attempt, silence));
  }

  private run<T>(work: Work<T>, silence: number): Promise<T> {
    return withPrimary(this.dataSource, (runner) =>
      endingSilentConnection(runner, this.dialect, silence, () =>
        this.schema === null ? work(runner) : this.schema.before(runner, work),
      ),
    );
  }

  private async inTransaction<T>(runner: QueryRunner, work: Work<T>): Promise<T> {
    await runner.startTransaction('READ COMMITTED');
    let restoreLockWait: (() => Promise<unknown>) | null = null;
    try {
      restoreLockWait = await this.dialect.limitLockWait(runner, LOCK_TIMEOUT);
      const result = await work(runner);
      await runner.commitTransaction();
      return result;
    } catch (error) {
      // What went wrong first is what counts, also where the connection is gone.
      await runner.rollbackTransaction().catch(() => {});
      throw error;
    } finally {
      await restoreLockWait?.().catch(() => {});
    }
  }
}
