import { StoreUnavailableError } from '../model/errors.js';
import { STORE_PATIENCE, WORK_PATIENCE } from './time-budgets.js';

/**
 * Until when somebody waits for what a call changes. Nothing of it starts later: the caller has been answered 503 by then,
 * and must not find done what is said not to be.
 *
 * A method of the store takes `Deadline.current` before it first awaits, and passes it along: to the wait for a connection,
 * the wait before a retry, and each statement. What many calls share, or what undoes a change, has a deadline of its own.
 *
 * An `AsyncLocalStorage` would pass it along by itself, and slow down every promise of the process for it, before Node 24.
 */
export class Deadline {
  private static running: Deadline | null = null;
  private unanswered = 0;

  /** @param at by `performance.now()` */
  private constructor(private readonly at: number) {}

  /** Of the call that is being made; none where nobody waits. Who has awaited something is in no call any more. */
  static get current(): Deadline {
    return Deadline.running ?? Deadline.none();
  }

  /** Of a call that begins now. As a part of another call it has no longer than that. */
  static ofCall(): Deadline {
    return new Deadline(Math.min(Deadline.current.at, performance.now() + WORK_PATIENCE));
  }

  /** Of a read. Its own, for several calls may share it: it does not begin once all of them have given up. */
  static ofRead(): Deadline {
    return Deadline.after(STORE_PATIENCE);
  }

  /** Of what takes as long as it needs, or of what undoes a change. */
  static none(): Deadline {
    return Deadline.after(Infinity);
  }

  /** Of something that goes by no call. */
  static after(milliseconds: number): Deadline {
    return new Deadline(performance.now() + milliseconds);
  }

  /** Makes a call that has this deadline: it is `Deadline.current` until the call returns, or first awaits something. */
  run<T>(call: () => T): T {
    const before = Deadline.running;
    Deadline.running = this;
    try {
      return call();
    } finally {
      Deadline.running = before;
    }
  }

  /** In milliseconds. */
  get left(): number {
    return this.at - performance.now();
  }

  /** To be called before anything starts. @throws StoreUnavailableError once it has passed */
  assertAhead(): void {
    if (this.left > 0) return;
    throw new StoreUnavailableError('Too late: whoever asked for it has been told that it was not done.');
  }

  /**
   * Sends off a change. Whether it was made is known once there is an answer.
   * @param isAnswer whether an error says that it was not made, as opposed to that nobody knows
   */
  async change<T>(send: () => Promise<T>, isAnswer: (error: unknown) => boolean): Promise<T> {
    this.assertAhead();
    this.unanswered++;
    try {
      const answer = await send();
      this.unanswered--;
      return answer;
    } catch (error) {
      if (isAnswer(error)) this.unanswered--;
      throw error;
    }
  }

  /** Whether a change was sent off, and nobody knows whether it was made. */
  get isOutcomeUnknown(): boolean {
    return this.unanswered > 0;
  }

  /** What was sent off has been undone. */
  undone(): void {
    this.unanswered = 0;
  }
}
