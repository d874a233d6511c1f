import { setTimeout as wait } from 'node:timers/promises';
import { QueryFailedError } from 'typeorm';

const MAX_ATTEMPTS = 10;
/** PostgreSQL: deadlock_detected, serialization_failure; MySQL and MariaDB: ER_LOCK_DEADLOCK, ER_CHECKREAD. */
const DEADLOCK_CODES = new Set(['40P01', '40001', 'ER_LOCK_DEADLOCK', 'ER_CHECKREAD']);

/** What was to be locked has vanished meanwhile: as with a deadlock, nothing was done, and the next attempt may succeed. */
export class LockVanishedError extends Error {
  override readonly name = 'LockVanishedError';
}

/**
 * Does it again when the database chose it as the victim of a deadlock. On MySQL that happens to single statements too:
 * one on a row that is gone locks the gap where it was, and two such gaps can stand in each other's way.
 */
export async function retryingDeadlocks<T>(attempt: () => Promise<T>): Promise<T> {
  for (let made = 1; ; made++) {
    try {
      return await attempt();
    } catch (error) {
      if (made >= MAX_ATTEMPTS || !isRetryable(error)) throw error;
    }
    await wait(Math.random() * 10 * made);
  }
}

function isRetryable(error: unknown): boolean {
  if (error instanceof LockVanishedError) return true;
  return (
    error instanceof QueryFailedError &&
    DEADLOCK_CODES.has(String((error.driverError as { code?: unknown }).code))
  );
}
