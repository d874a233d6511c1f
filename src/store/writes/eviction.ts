import { Logger } from '@nestjs/common';
import type { EndedSession } from '../../core/model/store.js';
import type { Deadline } from '../../core/outage/deadline.js';
import { isConnectionLost } from '../driver-error.js';

/**
 * Ends the sessions that a sign-in leaves too many, in statements after the one that has signed somebody in. That has
 * happened: where there is no time left, or no connection any more, it is answered as done, and the next sign-in of the
 * user's ends the others.
 *
 * @param deadline of the sign-in
 * @param end ends some of them, and tells of each
 */
export async function evictAfterwards(
  deadline: Deadline,
  end: (ended: (session: EndedSession) => void) => Promise<void>,
): Promise<readonly EndedSession[]> {
  const gone: EndedSession[] = [];
  try {
    await end((session) => gone.push(session));
  } catch (error) {
    if (deadline.left > 0 && !isConnectionLost(error)) throw error;
    new Logger('SessionStore').warn(
      `A user has more sessions than allowed until the next sign-in: ${String(error)}`,
    );
  }
  return gone;
}
