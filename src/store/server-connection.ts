import type { DataSource, QueryRunner } from 'typeorm';
import { CONNECTION_SILENCE, LOCK_TIMEOUT } from '../core/outage/time-budgets.js';
import { retryingDeadlocks } from './deadlock.js';
import type { ServerDialect } from './dialects/dialect.js';
import { isConnectionLost } from './driver-error.js';
import { againWhereLost } from './lost-connection.js';
import { type PrimaryConnection, withPrimary, type Work } from './primary-connection.js';
import type { SchemaCheck } from './schema-check.js';
import { EndingBudget, isOfStandby, StandbyError } from './standby.js';

/**
 * Connections of a pool to a database server. What fails without having done anything is tried again here, and nowhere
 * else.
 */
export class ServerConnection implements PrimaryConnection {
  /** Physical connections that may be used. */
  private readonly vetted = new WeakSet<object>();
  private readonly endings = new EndingBudget();

  constructor(
    private readonly dataSource: DataSource,
    private readonly dialect: ServerDialect,
    private readonly schema: SchemaCheck | null = null,
  ) {}

  /** In a database that is `serializable`, reads too can fail so that they must be made again. */
  read<T>(work: Work<T>): Promise<T> {
    return againWhereLost('read', () => this.alone(work));
  }

  write<T>(work: Work<T>, silence = CONNECTION_SILENCE): Promise<T> {
    return againWhereLost('write', () => this.alone(work, silence));
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
    return withPrimary(this.dataSource, async (runner) => {
      const connection = (await runner.connect()) as object;
      // TCP needs a quarter of an hour to notice that a server has vanished. Until then a pool full of such connections
      // would keep the application from the database that is back. The pool makes new ones for those that are ended.
      const timer = setTimeout(() => this.dialect.endConnection(connection), silence).unref();
      try {
        if (this.dialect.vet !== null && !this.vetted.has(connection)) {
          await this.dialect.vet(runner);
          this.vetted.add(connection);
        }
        if (this.schema?.hasPassed === false) await this.schema.make(runner);
        return await work(runner);
      } catch (error) {
        if (isConnectionLost(error)) this.dialect.discard(connection);
        if (!isOfStandby(error)) throw error;
        const isEnded = this.endings.take();
        if (isEnded) this.dialect.discard(connection);
        throw new StandbyError(isEnded);
      } finally {
        clearTimeout(timer);
      }
    });
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
