import { Deadline } from '../outage/deadline.js';
import { Patience } from '../outage/patience.js';

/** Between two attempts, in milliseconds: at first, and at most. */
const SHORTEST_WAIT = 2;
const LONGEST_WAIT = 200;

/**
 * Changes of one session, decided on what was read of it. In this process they are made one after the other: a change that
 * fails because another was faster has read, and perhaps written, for nothing, so that many at once would cost the square
 * of their number. Between processes nobody waits: the change that comes second is tried again.
 *
 * A caller waits for `STORE_PATIENCE` in all: all attempts have one deadline.
 */
export class SessionQueue {
  private readonly patience = new Patience();
  /** The end of the last change that was asked for, by the session. */
  private readonly ends = new Map<string, Promise<void>>();

  /**
   * Optimistic concurrency: `attempt` reads, decides, and changes only what it read. It returns `null` when somebody else
   * was faster; then it is made again.
   * @param session its id, or whatever leads to it
   * @param attempt gives each change that deadline
   * @throws StoreUnavailableError
   */
  run<T>(session: string, attempt: (deadline: Deadline) => Promise<T | null>): Promise<T> {
    const deadline = Deadline.ofCall();
    return this.patience.within(this.inOrder(session, () => attempts(attempt, deadline)));
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

async function attempts<T>(
  attempt: (deadline: Deadline) => Promise<T | null>,
  deadline: Deadline,
): Promise<T> {
  for (let longest = SHORTEST_WAIT; ; longest = Math.min(2 * longest, LONGEST_WAIT)) {
    deadline.assertAhead();
    const result = await attempt(deadline);
    if (result !== null) return result;
    // Each at another time, or those that have met would meet again.
    const pause = Math.random() * longest;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

function ignore(): void {}
