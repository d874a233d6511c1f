import type { DataSource, QueryRunner } from 'typeorm';
import { retryingDeadlocks } from './deadlock.js';
import type { ServerDialect } from './dialects/dialect.js';
import { type PrimaryConnection, withPrimary, type Work } from './primary-connection.js';
import { endingSilentConnection } from './silence.js';

/** After this, in milliseconds, a connection that does not answer is taken for dead. */
const SILENCE = 5_000;
/** The same for statements on very many rows. */
export const LONG_SILENCE = 300_000;
/**
 * How long a transaction waits for a lock, in milliseconds. Shorter than the patience of whoever waits for the
 * transaction: one that was given up must not go on holding a connection, and sign somebody in after all.
 */
const LOCK_TIMEOUT = 3_000;

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
  ) {}

  read<T>(work: Work<T>): Promise<T> {
    return this.run(work, SILENCE);
  }

  write<T>(work: Work<T>): Promise<T> {
    return retryingDeadlocks(this.dialect.retryable, () => this.run(work, SILENCE));
  }

  transaction<T>(work: Work<T>, { before, silence = SILENCE }: TransactionOptions = {}): Promise<T> {
    const attempt: Work<T> = async (runner) => {
      await before?.(runner);
      return this.inTransaction(runner, work);
    };
    return retryingDeadlocks(this.dialect.retryable, () => this.run(attempt, silence));
  }

  private run<T>(work: Work<T>, silence: number): Promise<T> {
    return withPrimary(this.dataSource, (runner) =>
      endingSilentConnection(runner, this.dialect, silence, () => work(runner)),
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
