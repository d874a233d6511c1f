import { setTimeout as wait } from 'node:timers/promises';
import { READ_RETRY_WITHIN } from '../core/outage/time-budgets.js';
import { isConnectionLost } from './driver-error.js';
import { StandbyError } from './standby.js';

/** A restart ends all connections of a pool: the next one may be as dead, until the pool has noticed. */
const MAX_ATTEMPTS = 5;
/** Before the second attempt, in milliseconds; more before each later one. */
const PAUSE = 5;

/**
 * Reads again where the connection was lost: the pool gives another one, and nobody notices that the database has ended
 * some. What writes is done again only where it was certainly not done: by a standby, whose connection was ended.
 */
export async function againWhereLost<T>(kind: 'read' | 'write', work: () => Promise<T>): Promise<T> {
  const began = performance.now();
  for (let made = 1; ; made++) {
    try {
      return await work();
    } catch (error) {
      const isTooLate = performance.now() - began > READ_RETRY_WITHIN;
      const isLost =
        (error instanceof StandbyError && error.isEnded) || (kind === 'read' && isConnectionLost(error));
      if (made >= MAX_ATTEMPTS || isTooLate || !isLost) throw error;
    }
    await wait(PAUSE * made);
  }
}
