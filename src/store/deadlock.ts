import { setTimeout as wait } from 'node:timers/promises';
import { causeOf } from './driver-error.js';

/** Of a cluster with several primaries, which finds out only at the end of a statement that another one was first. */
const MAX_ATTEMPTS = 20;

/**
 * Does it again when the database chose it as the victim of a deadlock, and the like. The attempts are made here alone:
 * one retry inside another would multiply them.
 * @param codes of the database's errors after which nothing was done
 */
export async function retryingDeadlocks<T>(
  codes: ReadonlySet<unknown>,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let made = 1; ; made++) {
    try {
      return await attempt();
    } catch (error) {
      if (made >= MAX_ATTEMPTS || !isRetryable(error, codes)) throw error;
    }
    await wait(Math.random() * 10 * made);
  }
}

function isRetryable(error: unknown, codes: ReadonlySet<unknown>): boolean {
  return codes.has((causeOf(error) as { code?: unknown } | null)?.code);
}
