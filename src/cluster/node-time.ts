import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';

/** What passes on a node. Tests bring another. */
export interface NodeTime {
  /** Milliseconds that never go back, and that stand still while the machine sleeps. */
  monotonic(): number;
  /** Epoch milliseconds, which go on while the machine sleeps, and may be set. */
  wall(): number;
  /** Waits at least so many milliseconds of the first. */
  wait(milliseconds: number): Promise<void>;
  /** The same, but keeps no process alive, and ends when `signal` says so. What has arrived meanwhile is heard before. */
  rest(milliseconds: number, signal: AbortSignal): Promise<void>;
}

/** That of this machine. */
export const MACHINE_TIME: NodeTime = {
  monotonic: () => performance.now(),
  wall: () => Date.now(),
  async wait(milliseconds) {
    const end = performance.now() + milliseconds;
    // Timers may be early by less than a millisecond.
    for (let left = milliseconds; left > 0; left = end - performance.now()) await wait(Math.ceil(left));
  },
  async rest(milliseconds, signal) {
    await wait(milliseconds, undefined, { ref: false, signal }).catch(() => {});
    await nextTurn();
  },
};
