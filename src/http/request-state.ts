import type { ExecutionContext } from '@nestjs/common';
import type { SessionRecord } from '../core/model/record.js';
import type { ActiveSession, AnonymousSession } from '../core/model/session.js';
import type { BegunSignIn } from '../core/life/begun-sign-in.js';
import type { AcceptedToken } from '../core/life/accepted-token.js';
import type { RefusedToken } from '../core/life/validation.js';
import type { Credentials } from './credentials.js';
import { exchangeOf } from './exchange.js';
import type { Requirement } from './requirement.js';

/** What is known of one request. */
export interface RequestState {
  readonly credentials: Credentials;
  /** Epoch milliseconds. */
  readonly arrivedAt: number;
  /** Set where it is a sign-in. The earliest of several: one that is too early only refuses. */
  begun: BegunSignIn | null;
  /** What becomes of its token: of several resolvers in one request the first has it examined. */
  examination: Promise<AcceptedToken | RefusedToken> | null;
  /** The record that its token leads to, accepted or not. */
  record: SessionRecord | null;
  /** Set where the token was accepted. */
  accepted: AcceptedToken | null;
  session: ActiveSession | AnonymousSession | null;
  /** The last requirement that it met: the guard asks for one only once. */
  granted: Requirement | null;
}

// Not `request.session`: that is express-session's.
const STATE = Symbol('nestjs-sessions:state');

type Stateful = { [STATE]?: RequestState };

export function stateOf(request: object): RequestState | undefined {
  return (request as Stateful)[STATE];
}

/** The state of a request that was not looked at before: nothing is known of its token yet. */
export function startState(request: object, credentials: Credentials, arrivedAt: number): RequestState {
  return ((request as Stateful)[STATE] = {
    credentials,
    arrivedAt,
    begun: null,
    examination: null,
    record: null,
    accepted: null,
    session: null,
    granted: null,
  });
}

/**
 * The session of the request at hand, for guards, interceptors, filters and logging. `null` where none was checked:
 * before `SessionGuard` has run, on `@Public()` routes, and where the request needs none and has none.
 *
 * @param contextOrRequest an `ExecutionContext`, or the platform's request
 */
export function sessionOf(contextOrRequest: object): ActiveSession | AnonymousSession | null {
  const request = isContext(contextOrRequest) ? exchangeOf(contextOrRequest)?.request : contextOrRequest;
  return (request && stateOf(request)?.session) ?? null;
}

function isContext(value: object): value is ExecutionContext {
  return 'getType' in value && typeof value.getType === 'function';
}
