import type { Requester } from '../core/model/session-event.js';
import { toClient } from '../core/model/principal.js';
import type { SessionRequest } from './exchange.js';

/** Where a request came from, as events tell it. */
export function requesterOf(request: SessionRequest, isRecorded: boolean): Requester {
  if (!isRecorded) return { ip: null, userAgent: null };
  const { ip, userAgent } = toClient({ ip: request.ip, userAgent: request.headers['user-agent'] });
  return { ip, userAgent };
}
