import type { Requester } from '../core/model/session-event.js';
import { toClient } from '../core/model/principal.js';
import type { SessionRequest } from './exchange.js';

export const NOBODY: Requester = { ip: null, userAgent: null };

/** Where a request came from, as events tell it. */
export function requesterOf(request: SessionRequest, isRecorded: boolean): Requester {
  if (!isRecorded) return NOBODY;
  const { ip, userAgent } = toClient({ ip: request.ip, userAgent: request.headers['user-agent'] });
  return { ip, userAgent };
}
