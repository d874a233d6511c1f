import { StoreUnavailableError } from '../model/errors.js';
import { Patience } from '../outage/patience.js';
import { STORE_PATIENCE } from '../outage/time-budgets.js';

/** Between two attempts, in milliseconds: at first, and at most. */
const SHORTEST_WAIT = 2;
const LONGEST_WAIT = 200;

/** Throws once the caller has been answered 503: nothing is to start after that. */
export type InTime = () => void;

/**
 * Changes of one session, decided on what was read of it. In this process they are made one after the other: a change that
 * fails because another was faster has read, and perhaps written, for nothing, so that many at once would cost the square
 * of their number. Between processes nobody waits: the change that comes second is tried again.
 *
 * A caller waits for `STORE_PATIENCE` in all. What has not begun by then does not happen.
 */
export class SessionQueue {
  private readonly patience = new Patience();
  /** The end of the last change that was asked for, by the session. */
  private readonly ends = new Map<string, Promise<void>>();

  /**
   * Optimistic concurrency: `attempt` reads, decides, and changes only what it read. It returns `null` when somebody else
   * was faster; then it is made again.
   * @param session its id, or whatever leads to it
   * @throws StoreUnavailableError
   */
  async run<T>(session: string, attempt: (inTime: InTime) => Promise<T | null>): Promise<T> {
    const deadline = performance.now() + STORE_PATIENCE;
    const inTime = () => {
      if (performance.now() < deadline) return;
      throw new StoreUnavailableError(`The session could not be changed within ${STORE_PATIENCE} ms.`);
    };
    try {
      return await this.patience.within(this.inOrder(session, () => attempts(attempt, inTime)));
    } catch (error) {
      inTime(); // the patience has its own words for it
      throw error;
    }
  }

  private async inOrder<T>(session: string, work: () => Promise<T>): Promise<T> {
    const before = this.ends.get(session);
    // A change that comes too late ends at once: it does not hold up those behind it.
    const change = before === undefined ? work() : before.then(work);
    const end = change.then(ignore, ignore);
    this.ends.set(session, end);
    await end;
    if (this.ends.get(session) === end) this.ends.delete(session);
    return change;
  }
}

async function attempts<T>(attempt: (inTime: InTime) => Promise<T | null>, inTime: InTime): Promise<T> {
  for (let longest = SHORTEST_WAIT; ; longest = Math.min(2 * longest, LONGEST_WAIT)) {
    inTime();
    const result = await attempt(inTime);
    if (result !== null) return result;
    // Each at another time, or those that have met would meet again.
    const pause = Math.random() * longest;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

function ignore(): void {}
