import type { DataSource, QueryRunner } from 'typeorm';
import { CONNECTION_SILENCE, LOCK_TIMEOUT } from '../core/outage/time-budgets.js';
import { retryingDeadlocks } from './deadlock.js';
import type { ServerDialect } from './dialects/dialect.js';
import { isConnectionLost } from './driver-error.js';
import { againWhereLost } from './lost-connection.js';
import { type PrimaryConnection, withPrimary, type Work } from './primary-connection.js';
import type { SchemaCheck } from './schema-check.js';
import { endingSilentConnection } from './silence.js';

/**
 * Connections of a pool to a database server. What fails without having done anything is tried again here, and nowhere
 * else.
 */
export class ServerConnection implements PrimaryConnection {
  /** Physical connections that may be used. */
  private readonly vetted = new WeakSet<object>();

  constructor(
    private readonly dataSource: DataSource,
    private readonly dialect: ServerDialect,
    private readonly schema: SchemaCheck | null = null,
  ) {}

  /** In a database that is `serializable`, reads too can fail so that they must be made again. */
  read<T>(work: Work<T>): Promise<T> {
    return againWhereLost(() => this.alone(work));
  }

  write<T>(work: Work<T>, silence = CONNECTION_SILENCE): Promise<T> {
    return this.alone(work, silence);
  }

  transaction<T>(work: Work<T>): Promise<T> {
    return this.write((runner) => this.inTransaction(runner, work));
  }

  briefly<T>(work: Work<T>): Promise<T> {
    return this.write((runner) => inBriefTransaction(runner, work));
  }

  private alone<T>(work: Work<T>, silence = CONNECTION_SILENCE): Promise<T> {
    return retryingDeadlocks(this.dialect.retryable, () => this.run(work, silence));
  }

  private run<T>(work: Work<T>, silence: number): Promise<T> {
    return withPrimary(this.dataSource, (runner) =>
      endingSilentConnection(runner, this.dialect, silence, async (connection) => {
        if (this.dialect.vet !== null && !this.vetted.has(connection)) {
          await this.dialect.vet(runner);
          this.vetted.add(connection);
        }
        try {
          return await (this.schema === null ? work(runner) : this.schema.before(runner, work));
        } catch (error) {
          if (isConnectionLost(error)) this.dialect.discard(connection);
          throw error;
        }
      }),
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
