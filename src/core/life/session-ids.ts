import { randomInt } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';

/** A sequence of 32 bits begins below this, so that there is room for all ids of one millisecond. */
const SEQUENCES = 2 ** 31;

let latest: number | null = null;
let sequence = 0;

/**
 * A UUIDv7 of this time: ids sort as the times at which their sessions began, and those that one process makes within a
 * millisecond as they were made. Lists, and changes of many sessions, go by that order.
 */
export function newSessionId(now: number): string {
  sequence = now === latest ? sequence + 1 : randomInt(SEQUENCES);
  latest = now;
  return uuidv7({ msecs: now, seq: sequence });
}
