import { StoreUnavailableError } from '../model/errors.js';
import { STORE_PATIENCE } from './time-budgets.js';

interface Call {
  /** By `performance.now()`. */
  readonly deadline: number;
  readonly reject: (error: Error) => void;
}

/**
 * Gives up on answers that do not come. All calls have the same time, so that the one that was made first is due first:
 * one timer, for the oldest call, serves all of them, also those that come later. Whoever uses it sets a timer once in
 * five seconds, not on every request.
 *
 * The store is asked through two of them. One is for the caller, whatever store it is, and covers the wait for a place in
 * a group of reads. The other is for the place that a group takes: no connection may ever be had for its query. The
 * timer that remains on every query is the one that ends its connection, which lives only as long as the query.
 */
export class Patience {
  /** Oldest first. */
  private readonly calls = new Set<Call>();
  private timer: NodeJS.Timeout | null = null;

  /** The answer, or an error when it does not come within `STORE_PATIENCE`. */
  within<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const call = { deadline: performance.now() + STORE_PATIENCE, reject };
      this.calls.add(call);
      if (this.timer === null) this.waitForOldest(STORE_PATIENCE);
      else if (this.calls.size === 1) this.timer.ref();
      // The timer goes on, and serves the calls that come until it is due; alone it keeps no process alive.
      const end = () => {
        if (this.calls.delete(call) && this.calls.size === 0) this.timer?.unref();
      };
      answer.then(end, end);
      answer.then(resolve, reject);
    });
  }

  private waitForOldest(milliseconds: number): void {
    this.timer = setTimeout(() => this.giveUp(), milliseconds);
  }

  private giveUp(): void {
    this.timer = null;
    const now = performance.now();
    for (const call of this.calls) {
      if (call.deadline > now) return this.waitForOldest(call.deadline - now);
      this.calls.delete(call);
      call.reject(new StoreUnavailableError(`No answer within ${STORE_PATIENCE} ms.`));
    }
  }
}
