import type { DataSource, QueryRunner } from 'typeorm';
import { CONNECTION_SILENCE, LOCK_TIMEOUT } from '../core/outage/time-budgets.js';
import { retryingDeadlocks } from './deadlock.js';
import type { ServerDialect } from './dialects/dialect.js';
import { type PrimaryConnection, withPrimary, type Work } from './primary-connection.js';
import { endingSilentConnection } from './silence.js';

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
    return this.run(work, CONNECTION_SILENCE);
  }

  write<T>(work: Work<T>, silence = CONNECTION_SILENCE): Promise<T> {
    return retryingDeadlocks(this.dialect.retryable, () => this.run(work, silence));
  }

  transaction<T>(work: Work<T>): Promise<T> {
    return this.write((runner) => this.inTransaction(runner, work));
  }

  briefly<T>(work: Work<T>): Promise<T> {
    return this.write((runner) => inBriefTransaction(runner, work));
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

async function inBriefTransaction<T>(runner: QueryRunner, work: Work<T>): Promise<T> {
  await runner.startTransaction();
  try {
    const result = await work(runner);
    await runner.commitTransaction();
    return result;
  } catch (error) {
    // As above.
    await runner.rollbackTransaction().catch(() => {});
    throw error;
  }
}
