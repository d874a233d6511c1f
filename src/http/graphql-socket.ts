import type { ExecutionContext } from '@nestjs/common';
import { EventEmitter } from 'node:events';
import { IncomingMessage } from 'node:http';
import { type Call, type Field, fieldOf } from './exchange.js';
import { isOfOneExecution } from './graphql-context.js';

/** The client of a WebSocket, as the server has it. */
export interface GraphqlClient extends EventEmitter {
  readonly readyState: number;
  close(code: number, reason: string): void;
}

/** One call of a resolver in an operation that came over a WebSocket. */
export interface SocketOperation {
  readonly client: GraphqlClient;
  /** The handshake. Its headers may have been changed since it arrived. */
  readonly request: IncomingMessage;
  /** What the client has said after the handshake, if it has said anything: `connectionParams` of graphql-ws. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly isSubscription: boolean;
  readonly call: Call;
}

/** What a GraphQL context may have of its connection. */
interface Given {
  readonly socket?: unknown;
  readonly request?: unknown;
  readonly parameters?: unknown;
}

/** As graphql-ws has it. */
interface GraphqlWsContext {
  readonly extra?: { readonly socket?: unknown; readonly request?: unknown };
  readonly connectionParams?: unknown;
}

interface SocketContext extends GraphqlWsContext {
  /** Nest puts the context of graphql-ws in the place of the request. */
  readonly req?: GraphqlWsContext;
  readonly socket?: unknown;
  readonly request?: unknown;
  readonly _connectionInit?: unknown;
}

/** @throws Error where the context does not tell which connection it came over, or is not of one operation */
export function socketOperationOf(execution: ExecutionContext): SocketOperation {
  const field = fieldOf(execution);
  const { context, operation, call } = field;
  const { socket, request, parameters } = connectionOf((context ?? {}) as SocketContext);
  const handshake = rawOf(request);
  if (!isClient(socket) || !(handshake instanceof IncomingMessage)) {
    throw new Error(
      'Sessions need the WebSocket that this operation came over. With Apollo, let the `context` of your GraphQL module keep ' +
        '`extra` and `connectionParams`, as `({ req, res }) => ({ req, res })` does; with Mercurius, set ' +
        '`subscription: { context: (socket) => ({ socket }) }`.',
    );
  }
  assertOfOneExecution(field);
  return {
    client: socket,
    request: handshake,
    parameters: (parameters ?? {}) as SocketOperation['parameters'],
    isSubscription: operation === 'subscription',
    call,
  };
}

function connectionOf(context: SocketContext): Given {
  const ofGraphqlWs = [context.req, context].find((place) => place?.extra !== undefined);
  if (ofGraphqlWs) return { ...ofGraphqlWs.extra, parameters: ofGraphqlWs.connectionParams };
  return { socket: context.socket, request: context.request, parameters: context._connectionInit };
}

/** Node's own request: Fastify wraps it. */
function rawOf(request: unknown): unknown {
  return (request as { readonly raw?: unknown } | undefined)?.raw ?? request;
}

/** What a client has sent is none, whatever it looks like. */
function isClient(socket: unknown): socket is GraphqlClient {
  return socket instanceof EventEmitter && 'close' in socket && 'readyState' in socket;
}

/** The fields below, and those of what a subscription sends, belong to what was let in above them. */
function assertOfOneExecution({ context, execution, call }: Field): void {
  if (call.prev !== undefined || isOfOneExecution(context as object, execution)) return;
  throw new Error(
    'The GraphQL context is shared by operations, so that it would tell of somebody else: let the `context` of your GraphQL ' +
      'module be a function that makes a new object each time.',
  );
}
