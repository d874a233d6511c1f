import { AsyncLocalStorage } from 'node:async_hooks';
import { StoreUnavailableError } from '../model/errors.js';
import { STORE_PATIENCE, WORK_PATIENCE } from './time-budgets.js';

/**
 * Until when somebody waits for what a call changes. Nothing of it starts later: the caller has been answered 503 by then,
 * and must not find done what is said not to be.
 *
 * It is passed along by the call itself, through all that the call awaits: the queue of its session, the wait for a
 * connection, the wait before a retry. Whoever is about to change something looks at `Deadline.current`. What many calls
 * share, or what undoes a change, has a deadline of its own.
 */
export class Deadline {
  private static readonly ofCalls = new AsyncLocalStorage<Deadline>();
  private unanswered = 0;

  /** @param at by `performance.now()` */
  private constructor(private readonly at: number) {}

  /** Of the call that is being made; none where nobody waits. */
  static get current(): Deadline {
    return Deadline.ofCalls.getStore() ?? Deadline.none();
  }

  /** Of a call that begins now. As a part of another call it has no longer than that. */
  static ofCall(): Deadline {
    return new Deadline(Math.min(Deadline.current.at, performance.now() + WORK_PATIENCE));
  }

  /**
   * Of a read. Its own, for several calls may share it: it does not begin once all of them have given up. Where the call
   * takes as long as it needs, so does the read.
   */
  static ofRead(): Deadline {
    return Deadline.ofCalls.getStore()?.at === Infinity ? Deadline.none() : Deadline.after(STORE_PATIENCE);
  }

  /** Of what takes as long as it needs, or of what undoes a change. */
  static none(): Deadline {
    return Deadline.after(Infinity);
  }

  /** Of something that goes by no call. */
  static after(milliseconds: number): Deadline {
    return new Deadline(performance.now() + milliseconds);
  }

  /** Does something that has this deadline, with all that it leads to. */
  run<T>(work: () => T): T {
    return Deadline.ofCalls.run(this, work);
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
