import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import type { SessionService } from '../library.js';

/**
 * Validates random sessions so many times a second, whether the answers come or not, until it is stopped.
 *
 * @returns stops it, and gives the milliseconds from when each was due to its answer
 */
export function validateSteadily(
  sessions: SessionService,
  tokens: readonly string[],
  perSecond: number,
): () => Promise<number[]> {
  const times: number[] = [];
  const pending = new Set<Promise<void>>();
  const over = new AbortController();

  const validate = async (due: number) => {
    const { session } = await sessions.validate(tokens[Math.floor(Math.random() * tokens.length)] ?? '');
    if (session === null) throw new Error('A live session was refused.');
    times.push(performance.now() - due);
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
    return times;
  };
}
