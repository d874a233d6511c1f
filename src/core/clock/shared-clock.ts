import type { SessionStore } from '../model/store.js';

/** Not `Date.now` itself: tests put another in its place later. */
export const machineClock = (): number => Date.now();

/** Less than this, in milliseconds, is what it takes to ask, and no skew. */
export const NOTICEABLE_SKEW = 1_000;

/**
 * One clock for all nodes: this machine's, set by that of the store. Times in the record were written by any of the nodes.
 * A node whose clock is ahead by more than `grace` would take an honest client for a thief, and one whose clock is behind
 * would let a session live longer than configured.
 */
export class SharedClock {
  private correction = 0;

  constructor(
    private readonly own: () => number,
    private readonly store: Pick<SessionStore, 'clockSkew'>,
  ) {}

  /** Epoch milliseconds. */
  readonly read = (): number => this.own() + this.correction;

  /**
   * Asks the store for its time. A clock that the application brings along stays as it is.
   * @returns how far the store's is ahead, in milliseconds; 0 for what is not noticeable
   */
  async adjust(): Promise<number> {
    const skew = await this.store.clockSkew();
    const noticed = Math.abs(skew) < NOTICEABLE_SKEW ? 0 : skew;
    if (this.own === machineClock) this.correction = noticed;
    return noticed;
  }
}
