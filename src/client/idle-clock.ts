import { platform } from './platform.js';

/** Some 25 days. Beyond it, timers fire at once. */
const LONGEST = 2 ** 31 - 1;

export interface IdleClock {
  /** @param timeout milliseconds; from now on */
  start(timeout: number): void;
  /** Notes that something happens now, unless it is too late for that. */
  touch(): void;
}

/** Calls back when nothing has happened for as long as the timeout. */
export function createIdleClock(onIdle: () => void): IdleClock {
  let timeout = Infinity;
  let touchedAt = 0;
  let timer: { unref?(): void } | undefined;

  const remaining = () => touchedAt + timeout - Date.now();

  function check(): void {
    platform.clearTimeout(timer);
    if (remaining() <= 0) return onIdle();
    timer = platform.setTimeout(check, remaining());
    // Holds no Node process open.
    timer.unref?.();
  }

  return {
    start(newTimeout) {
      timeout = Math.min(newTimeout, LONGEST);
      touchedAt = Date.now();
      check();
    },
    touch() {
      // Timers stand still while a telephone sleeps.
      if (remaining() <= 0) onIdle();
      touchedAt = Date.now();
    },
  };
}
