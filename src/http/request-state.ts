import type { ExecutionContext } from '@nestjs/common';
import type { SessionRecord } from '../core/model/record.js';
import type { ActiveSession, AnonymousSession } from '../core/model/session.js';
import type { BegunSignIn } from '../core/life/begun-sign-in.js';
import type { AcceptedToken } from '../core/life/accepted-token.js';
import type { RefusedToken } from '../core/life/validation.js';
import type { Credentials } from './credentials.js';
import { type Call, type Called, callOf, type Exchange } from './exchange.js';
import type { Requirement } from './requirement.js';
import { sessionOfMessage, sessionOfOperation, sessionOfSocket } from './socket-sessions.js';

/**
 * Whom a request is, as far as is known. One object is judged and handed to the handler. After a start or an end the
 * handlers that come later in the request are judged on another one; those that were let in before keep theirs.
 */
export interface RequestState {
  readonly credentials: Credentials;
  /** Epoch milliseconds. */
  readonly arrivedAt: number;
  /** Set where it is a sign-in. The earliest of several: one that is too early only refuses. */
  begun: BegunSignIn | null;
  /** The latest change of a token that was known when the request was first looked at: see `TokenChanges`. */
  readonly changesSeen: number;
  /** What has brought it about. */
  readonly since: 'arrival' | 'start' | 'end';
  /** What becomes of its token: of several resolvers in one request the first has it examined. */
  examination: Promise<AcceptedToken | RefusedToken> | null;
  /** The `withdrawals` of `TokenChanges` when that began. */
  withdrawalsSeen: number;
  /** Whether its examination counts as activity. */
  isActivity: boolean;
  /** The record that its token leads to, accepted or not. */
  record: SessionRecord | null;
  /** Set where the token was accepted. */
  accepted: AcceptedToken | null;
  session: ActiveSession | AnonymousSession | null;
  /** The last requirement that it met: the guard asks for one only once. */
  granted: Requirement | null;
}

/** How a handler was let in. */
interface Grant {
  readonly state: RequestState;
  readonly requirement: Requirement;
}

// Not `request.session`: that is express-session's.
const STATE = Symbol('nestjs-sessions:state');

type Stateful = { [STATE]?: RequestState };

const NOTHING_SHOWN: Credentials = { kind: 'none' };

/** By the calls of GraphQL. A request of HTTP has one, and bears its state itself. */
const grants = new WeakMap<Call, Grant>();

/** What was judged last. */
export function stateOf(request: object): RequestState | undefined {
  return (request as Stateful)[STATE];
}

/** The state of a request that was not looked at before: nothing is known of its token yet. */
export function startState(
  request: object,
  credentials: Credentials,
  arrivedAt: number,
  changesSeen: number,
): RequestState {
  return ((request as Stateful)[STATE] = {
    credentials,
    arrivedAt,
    begun: null,
    changesSeen,
    since: 'arrival',
    examination: null,
    withdrawalsSeen: 0,
    isActivity: false,
    record: null,
    accepted: null,
    session: null,
    granted: null,
  });
}

/** Notes what a handler was let in on. */
export function grant({ request, call }: Exchange, requirement: Requirement, state: RequestState): void {
  state.granted = requirement;
  if (call !== request) grants.set(call, { state, requirement });
}

/** What a handler was let in on; `undefined` where the guard has not run. */
export function grantedState(
  { request, call }: Exchange,
  requirement: Requirement,
): RequestState | undefined {
  if (call !== request) {
    const granted = grants.get(call);
    return granted?.requirement === requirement ? granted.state : undefined;
  }
  const state = stateOf(request);
  return state?.granted === requirement ? state : undefined;
}

/**
 * After a start or an end: the handler at hand, and those that come later in the request, get another state. An end
 * leaves its own handler the session that has ended, and the later ones none: see `stateToJudge`.
 */
export function replaceState(
  { request, call }: Exchange,
  former: RequestState,
  change: Pick<RequestState, 'credentials' | 'since' | 'session'> & Partial<RequestState>,
): void {
  const state = { ...former, examination: null, record: null, accepted: null, ...change };
  (request as Stateful)[STATE] = state;
  const granted = grants.get(call);
  if (granted) grants.set(call, { ...granted, state });
}

/** Has the next handler judged on a state of its own, which begins like that of the others. */
export function branchState(request: object, former: RequestState): RequestState {
  return ((request as Stateful)[STATE] = { ...former });
}

/** What the next handler of a request is judged on; `undefined` where the request was not looked at before. */
export function stateToJudge(request: object): RequestState | undefined {
  const state = stateOf(request);
  if (state?.since !== 'end') return state;
  return startState(request, NOTHING_SHOWN, state.arrivedAt, state.changesSeen);
}

/**
 * The session that a handler was let in on, for guards, interceptors, filters and logging. `null` where none was
 * checked: before `SessionGuard` has run, on `@Public()` routes, and where the request needs none and has none. A field
 * of GraphQL before which no guard stands has that of the field it belongs to.
 *
 * @param source an `ExecutionContext`; the platform's request: of that, the last session that was judged; or the client of a
 * gateway, also in its `handleConnection`
 */
export function sessionOf(source: object): ActiveSession | AnonymousSession | null {
  if (isContext(source)) return sessionFor(source);
  const state = stateOf(source);
  return state === undefined ? sessionOfSocket(source) : state.session;
}

/** The session that the handler of a context was let in on. */
export function sessionFor(context: ExecutionContext): ActiveSession | AnonymousSession | null {
  if (context.getType() === 'ws') return sessionOfMessage(context);
  const called = callOf(context);
  if (called === null) return null;
  const state = stateOfCall(called);
  const isOfGraphql = called.call !== called.request;
  return state?.session ?? (isOfGraphql ? sessionOfOperation(called.call) : null);
}

/** What the handler of a call was let in on, as far as that is known. */
function stateOfCall({ request, call }: Called): RequestState | undefined {
  if (!request) return undefined;
  const state = stateOf(request);
  if (call === request) return state;
  for (let place: Call | undefined = call; place; place = place.prev) {
    const granted = grants.get(place);
    if (granted) return granted.state;
  }
  // Compiled queries (graphql-jit) build the places above a field anew, and without types. As long as there was one
  // session only, it is that.
  const isCompiled = call.prev !== undefined && !('typename' in call);
  return isCompiled && state?.since === 'arrival' ? state : undefined;
}

function isContext(value: object): value is ExecutionContext {
  return 'getType' in value && typeof value.getType === 'function';
}
