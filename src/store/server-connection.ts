import type { DataSource, QueryRunner } from 'typeorm';
import { Deadline } from '../core/outage/deadline.js';
import { CANCEL_PATIENCE, CONNECTION_SILENCE, LOCK_TIMEOUT } from '../core/outage/time-budgets.js';
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
  read<T>(work: Work<T>, deadline = Deadline.ofRead()): Promise<T> {
    const inTime: Work<T> = (runner) => {
      deadline.assertAhead();
      return work(runner);
    };
    return againWhereLost('read', () => this.alone(inTime, deadline));
  }

  write<T>(work: Work<T>, deadline: Deadline): Promise<T> {
    const change: Work<T> = (runner) => deadline.change(() => work(runner), isAnswer);
    return againWhereLost('write', () => this.alone(change, deadline));
  }

  transaction<T>(work: Work<T>, deadline: Deadline): Promise<T> {
    return this.write((runner) => this.inTransaction(runner, work, deadline), deadline);
  }

  briefly<T>(work: Work<T>, deadline: Deadline): Promise<T> {
    return this.write((runner) => inBriefTransaction(runner, work, deadline), deadline);
  }

  private alone<T>(work: Work<T>, deadline: Deadline): Promise<T> {
    return retryingDeadlocks(this.dialect.retryable, () => this.run(work, deadline));
  }

  private run<T>(work: Work<T>, deadline: Deadline): Promise<T> {
    return withPrimary(this.dataSource, async (runner) => {
      const connection = (await runner.connect()) as object;
      const stop = this.giveUpAfter(Math.min(CONNECTION_SILENCE, deadline.left), connection);
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
        stop();
      }
    });
  }

  /**
   * A statement that nobody waits for is cancelled on the server: there it would wait for a lock, and then be done after
   * all, while the pool makes more and more connections. Its answer still says what became of it.
   *
   * Where even that does not come, the connection is ended. TCP needs a quarter of an hour to notice that a server has
   * vanished: until then a pool full of such connections would keep the application from the database that is back.
   *
   * @returns ends the watch
   */
  private giveUpAfter(milliseconds: number, connection: object): () => void {
    let isCancelled = false;
    let timer = setTimeout(() => {
      isCancelled = true;
      this.dialect.cancel(this.dataSource, connection);
      timer = setTimeout(() => this.dialect.endConnection(connection), CANCEL_PATIENCE).unref();
    }, milliseconds).unref();
    return () => {
      clearTimeout(timer);
      // The cancellation may arrive late, and is not to hit what somebody else sends over this connection.
      if (isCancelled) this.dialect.discard(connection);
    };
  }

  private async inTransaction<T>(runner: QueryRunner, work: Work<T>, deadline: Deadline): Promise<T> {
    await runner.startTransaction('READ COMMITTED');
    let restoreLockWait: (() => Promise<unknown>) | null = null;
    try {
      restoreLockWait = await this.dialect.limitLockWait(runner, LOCK_TIMEOUT);
      const result = await work(runner);
      await commit(runner, deadline);
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

async function inBriefTransaction<T>(runner: QueryRunner, work: Work<T>, deadline: Deadline): Promise<T> {
  await runner.startTransaction();
  try {
    const result = await work(runner);
    await commit(runner, deadline);
    return result;
  } catch (error) {
    // As above.
    await runner.rollbackTransaction().catch(() => {});
    throw error;
  }
}

async function commit(runner: QueryRunner, deadline: Deadline): Promise<void> {
  deadline.assertAhead();
  await runner.commitTransaction();
}

function isAnswer(error: unknown): boolean {
  return !isConnectionLost(error);
}
