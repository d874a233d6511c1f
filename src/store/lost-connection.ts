import { setTimeout as wait } from 'node:timers/promises';
import { READ_RETRY_WITHIN } from '../core/outage/time-budgets.js';
import { isConnectionLost } from './driver-error.js';

/** A restart ends all connections of a pool: the next one may be as dead, until the pool has noticed. */
const MAX_ATTEMPTS = 5;
/** Before the second attempt, in milliseconds; more before each later one. */
const PAUSE = 5;

/**
 * Reads again where the connection was lost: the pool gives another one, and nobody notices that the database has ended
 * some. Never for what writes: nobody knows whether it was done.
 */
export async function againWhereLost<T>(read: () => Promise<T>): Promise<T> {
  const began = performance.now();
  for (let made = 1; ; made++) {
    try {
      return await read();
    } catch (error) {
      const isTooLate = performance.now() - began > READ_RETRY_WITHIN;
      if (made >= MAX_ATTEMPTS || isTooLate || !isConnectionLost(error)) throw error;
    }
    await wait(PAUSE * made);
  }
}
