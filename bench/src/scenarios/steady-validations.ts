import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import type { SessionService } from '../library.js';

/** In milliseconds, one of each validation. */
export interface ValidationTimes {
  /** From when it was asked to its answer. */
  readonly latencies: readonly number[];
  /** From when it was due to when it was asked: the process was busy with other things. */
  readonly lags: readonly number[];
}

/**
 * Validates random sessions so many times a second, whether the answers come or not, until it is stopped.
 *
 * @returns stops it, and gives the times
 */
export function validateSteadily(
  sessions: SessionService,
  tokens: readonly string[],
  perSecond: number,
): () => Promise<ValidationTimes> {
  const latencies: number[] = [];
  const lags: number[] = [];
  const pending = new Set<Promise<void>>();
  const over = new AbortController();

  const validate = async (due: number) => {
    const asked = performance.now();
    lags.push(asked - due);
    const { session } = await sessions.validate(tokens[Math.floor(Math.random() * tokens.length)] ?? '');
    if (session === null) throw new Error('A live session was refused.');
    latencies.push(performance.now() - asked);
  };
  const run = async () => {
    const begin = performance.now();
    for (let count = 0; !over.signal.aborted; await wait(1)) {
      for (; begin + (count * 1000) / perSecond <= performance.now(); count++) {
        const validation = validate(begin + (count * 1000) / perSecond);
        pending.add(validation);
        void validation.finally(() => pending.delete(validation));
      }
    }
    await Promise.all(pending);
  };

  const running = run();
  return async () => {
    over.abort();
    await running;
    return { latencies, lags };
  };
}
