import { setTimeout as wait } from 'node:timers/promises';
import { QueryFailedError } from 'typeorm';

const MAX_ATTEMPTS = 10;

/** What was to be locked has vanished meanwhile: as with a deadlock, nothing was done, and the next attempt may succeed. */
export class LockVanishedError extends Error {
  override readonly name = 'LockVanishedError';
}

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
  if (error instanceof LockVanishedError) return true;
  return error instanceof QueryFailedError && codes.has((error.driverError as { code?: unknown }).code);
}
