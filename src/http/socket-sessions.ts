import type { ExecutionContext } from '@nestjs/common';
import type { ActiveSession, AnonymousSession } from '../core/model/session.js';
import type { Call } from './exchange.js';

type Session = ActiveSession | AnonymousSession;

interface Known {
  latest: Session | null;
  /** What each handler was let in on the last time: those that are open to everybody never are. Most clients only listen. */
  byHandler: Map<object, Session | null> | null;
}

/** Messages have no request that could carry it: it hangs on the client. */
const clients = new WeakMap<object, Known>();

/** The session that a socket was opened with, as it was when that was looked at last. */
export function sessionOfSocket(client: object): Session | null {
  return clients.get(client)?.latest ?? null;
}

/** The session that the handler of a message was let in on. */
export function sessionOfMessage(context: ExecutionContext): Session | null {
  const client = context.getArgByIndex<object | undefined>(0);
  return (client && clients.get(client)?.byHandler?.get(context.getHandler())) ?? null;
}

export function noteSocket(client: object, session: Session | null): void {
  known(client).latest = session;
}

export function noteMessage(client: object, handler: object, session: Session | null): void {
  const about = known(client);
  about.latest = session;
  about.byHandler ??= new Map();
  about.byHandler.set(handler, session);
}

function known(client: object): Known {
  let about = clients.get(client);
  if (about === undefined) clients.set(client, (about = { latest: null, byHandler: null }));
  return about;
}

/** By the calls of GraphQL over a WebSocket. */
const operations = new WeakMap<Call, { readonly session: Session | null }>();

export function noteOperation(call: Call, session: Session | null): void {
  operations.set(call, { session });
}

/** The session that a resolver was let in on, or the one above a field before which no guard stands. */
export function sessionOfOperation(call: Call): Session | null {
  for (let place: Call | undefined = call; place; place = place.prev) {
    const operation = operations.get(place);
    if (operation) return operation.session;
  }
  return null;
}
