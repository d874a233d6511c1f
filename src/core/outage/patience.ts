import { STORE_PATIENCE } from './time-budgets.js';

interface Call {
  /** By `performance.now()`. */
  readonly deadline: number;
  readonly reject: (error: Error) => void;
}

/**
 * Gives up on answers that do not come. All calls have the same time, so that the one that was made first is due first:
 * one timer, for the oldest call, serves all of them. A timer for each would be set and cleared on every request.
 */
export class Patience {
  /** Oldest first. */
  private readonly calls = new Set<Call>();
  private timer: NodeJS.Timeout | null = null;

  /** The answer, or an error when it does not come within `STORE_PATIENCE`. */
  within<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const call = { deadline: performance.now() + STORE_PATIENCE, reject };
      this.add(call);
      answer.then(
        (value) => {
          this.remove(call);
          resolve(value);
        },
        (error: unknown) => {
          this.remove(call);
          reject(error);
        },
      );
    });
  }

  private add(call: Call): void {
    this.calls.add(call);
    if (this.timer === null) this.waitForOldest(STORE_PATIENCE);
    else if (this.calls.size === 1) this.timer.ref();
  }

  /** The timer goes on, and serves the calls that come until it is due; alone it keeps no process alive. */
  private remove(call: Call): void {
    if (this.calls.delete(call) && this.calls.size === 0) this.timer?.unref();
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
      call.reject(new Error(`No answer within ${STORE_PATIENCE} ms.`));
    }
  }
}
