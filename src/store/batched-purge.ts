import { setTimeout as wait } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { Deadline } from '../core/outage/deadline.js';
import type { DatabaseClock } from './database-clock.js';
import type { DeletedBatch, Dialect } from './dialects/dialect.js';
import type { PrimaryConnection, Work } from './primary-connection.js';
import type { SessionTable } from './session-table.js';
import type { SessionOrder } from './writes/session-order.js';

/** In milliseconds. */
const MAX_CLOCK_SKEW = 5_000;

/** Deletes what nobody needs any more, batch by batch: expired sessions, oldest first, and then old marks. */
export class BatchedPurge {
  private readonly logger = new Logger('SessionStore');

  constructor(
    private readonly dialect: Dialect,
    private readonly connection: PrimaryConnection,
    private readonly sessions: SessionTable,
    private readonly order: SessionOrder,
    private readonly clock: DatabaseClock,
    private readonly batchSize: number,
  ) {}

  /** @returns how many sessions there were */
  async run(now: number, signal: AbortSignal | undefined): Promise<number> {
    if (await this.isClockWrong()) return 0;
    const { pause } = this.dialect.purge;
    const isStopped = () => signal?.aborted ?? false;
    let total = 0;
    // A batch that is not full need not be the last: what it passed over, since another node had it locked, may be free by
    // then, and that node may have looked beyond it. So the end is where nothing is found any more.
    for (let batch: DeletedBatch = { count: 1, latest: 0 }; batch.count > 0 && !isStopped();) {
      if (total > 0) await wait(pause);
      const next = { now, from: batch.latest, size: this.batchSize };
      batch = await this.together((runner) => this.dialect.deleteExpiredBatch(runner, this.sessions, next));
      total += batch.count;
    }
    while (!isStopped() && (await this.order.forget()) > 0) await wait(pause);
    return total;
  }

  /** The statements of a batch: on a server in a transaction, with the locks that they take. */
  private together<T>(work: Work<T>): Promise<T> {
    const deadline = Deadline.none();
    return this.connection.transaction?.(work, deadline) ?? this.connection.write(work, deadline);
  }

  /** A clock that runs ahead would delete sessions that the other nodes still take for live. */
  private async isClockWrong(): Promise<boolean> {
    const skew = await this.clock.skew(Deadline.none());
    if (Math.abs(skew) <= MAX_CLOCK_SKEW) return false;
    this.logger.error(
      `Nothing was purged: the clock of this machine is ${Math.abs(skew)} ms ${skew > 0 ? 'behind' : 'ahead of'} that ` +
        'of the database. Synchronise both (NTP).',
    );
    return true;
  }
}
