import { setTimeout as wait } from 'node:timers/promises';
import { StoreUnavailableError } from '../model/errors.js';

const MAX_ATTEMPTS = 1_000;
/** Between two attempts, in milliseconds. */
const LONGEST_WAIT = 20;

/**
 * Optimistic concurrency: `attempt` reads, decides and changes only what it read, and returns `null` when somebody
 * else was faster; then it is made again. Every failed attempt is another's success, so the end is certain.
 */
export async function untilUncontended<T>(attempt: () => Promise<T | null>): Promise<T> {
  for (let made = 0; made < MAX_ATTEMPTS; made++) {
    const result = await attempt();
    if (result !== null) return result;
    await wait(Math.random() * Math.min(made, LONGEST_WAIT));
  }
  throw new StoreUnavailableError(`Gave up after ${MAX_ATTEMPTS} attempts to change the same session.`);
}
