import type { AcceptedToken } from '../core/life/accepted-token.js';
import type { Opened } from '../core/life/continuation.js';
import { toSession } from '../core/life/recorded-session.js';
import type { ActiveSession, AnonymousSession } from '../core/model/session.js';
import type { Visitor } from './entry.js';

/** What a handshake was worth: the token is not in it. */
export interface Ticket extends Opened, Visitor {
  readonly session: ActiveSession | AnonymousSession;
  /** When the session ends if nothing happens, in epoch milliseconds. */
  readonly deadline: number;
  /** When it was looked at. */
  readonly checkedAt: number;
  /** How many changes this process had heard of before that: see `SeatWatch`. */
  readonly changesHeard: number;
}

export function ticketFor({ record, token, policy, now }: AcceptedToken, changesHeard: number): Ticket {
  return {
    sessionId: record.id,
    tokenHash: token.tokenHash,
    userId: record.userId,
    roles: policy.roles,
    session: toSession(record, policy, now),
    deadline: policy.expiresAt(record),
    checkedAt: now,
    changesHeard,
  };
}
