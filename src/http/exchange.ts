import type { ExecutionContext } from '@nestjs/common';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { isOfOneRequest } from './graphql-context.js';

/** What the requests of Express and Fastify have in common. */
export interface SessionRequest {
  readonly headers: IncomingHttpHeaders;
  readonly method: string;
  /** As the platform says under its own trust-proxy setting. */
  readonly protocol: string;
  /** The same; with a port where there is one. */
  readonly host?: string | undefined;
  readonly ip?: string | undefined;
  readonly socket: Socket;
  readonly httpVersion?: string;
  /** Fastify's wraps the one of Node. */
  readonly raw?: IncomingMessage;
  readonly rawHeaders?: readonly string[];
}

/** What the answers of Express and Fastify have in common. */
export type SessionResponse =
  ServerResponse | { readonly raw: ServerResponse; readonly request: SessionRequest };

/** One request and its answer. */
export interface Exchange {
  readonly request: SessionRequest;
  readonly response: SessionResponse;
  /** Of GraphQL: it may change something, whatever the method. */
  readonly isMutation: boolean;
  /** Of GraphQL: its answer goes on. */
  readonly isSubscription: boolean;
  /** Of GraphQL by Apollo: where a field says what may be kept of the answer. */
  readonly cacheControl?: CacheControl | undefined;
  /** Stands for the one call of a handler: the request itself, but of GraphQL, which calls several in one request. */
  readonly call: Call;
}

interface CacheControl {
  setCacheHint(hint: { readonly scope: 'PRIVATE' }): void;
}

export interface Called {
  readonly request: object | undefined;
  readonly call: Call;
}

export interface Call {
  /** Of a field of GraphQL, the one that it belongs to. */
  readonly prev?: Call | undefined;
}

/**
 * `null` where there is neither: WebSocket and RPC messages, operations of GraphQL over a WebSocket, and what other libraries
 * call with the guards of Nest. Where these name no type of context, Nest says `http`.
 *
 * @throws Error in a GraphQL context without request, or with one that is not under way
 */
export function exchangeOf(context: ExecutionContext): Exchange | null {
  switch (context.getType<'graphql' | 'http' | 'ws' | 'rpc'>()) {
    case 'http': {
      // `switchToHttp()` gives the same, but makes several functions on every request.
      const request = context.getArgByIndex<(SessionRequest & Call) | undefined>(0);
      const response = context.getArgByIndex<SessionResponse | undefined>(1);
      if (!request?.headers || !response) return null;
      return { request, response, isMutation: false, isSubscription: false, call: request };
    }
    case 'graphql':
      return graphqlExchange(fieldOf(context));
    default:
      return null;
  }
}

/** The request that a context is about, and the call; `null` as with `exchangeOf`. Throws nothing. */
export function callOf(context: ExecutionContext): Called | null {
  switch (context.getType<'graphql' | 'http' | 'ws' | 'rpc'>()) {
    case 'http': {
      const request = context.getArgByIndex<SessionRequest & Call>(0);
      return { request, call: request };
    }
    case 'graphql': {
      const field = fieldOf(context);
      return { request: graphqlRequest(field.context), call: field.call };
    }
    default:
      return null;
  }
}

export function rawResponseOf(response: SessionResponse): ServerResponse {
  return 'raw' in response ? response.raw : response;
}

/** The request that an answer belongs to. */
export function requestOf(response: SessionResponse): SessionRequest {
  return 'raw' in response ? response.request : (response.req as unknown as SessionRequest);
}

interface GraphqlRequest extends SessionRequest {
  readonly res?: SessionResponse;
  /** What graphql-ws knows of its connection: Apollo gives it in the place of the request. */
  readonly extra?: unknown;
}

interface GraphqlContext {
  readonly req?: GraphqlRequest;
  readonly res?: SessionResponse;
  readonly reply?: SessionResponse;
  /** What Mercurius gives of its own accord: over a WebSocket, the handshake. */
  readonly request?: GraphqlRequest;
}

interface GraphqlInfo {
  readonly operation?: { readonly operation?: string };
  /** Made anew for each execution. */
  readonly variableValues?: object;
  /** Made anew for each call, and linked to that of the field above it. */
  readonly path?: Call;
  readonly cacheControl?: CacheControl;
}

/** One call of a resolver. */
export interface Field {
  readonly context: GraphqlContext | undefined;
  readonly operation: string | undefined;
  /** Stands for the one execution of a document. */
  readonly execution: object | undefined;
  readonly cacheControl: CacheControl | undefined;
  readonly call: Call;
}

/** What a resolver gets is `(parent, args, context, info)`, but for one of references: `(reference, context, info)`. */
export function fieldOf(execution: ExecutionContext): Field {
  const args = execution.getArgs<unknown[]>();
  const isReference = args.length === 3;
  const context = args[isReference ? 1 : 2] as GraphqlContext | undefined;
  const info = args[isReference ? 2 : 3] as GraphqlInfo | undefined;
  // All references of a document have the same `info`.
  const call = isReference ? (args[0] as Call) : (info?.path ?? (info as Call | undefined) ?? args);
  return {
    context,
    operation: info?.operation?.operation,
    execution: info?.variableValues,
    cacheControl: info?.cacheControl,
    call: call as Call,
  };
}

function graphqlRequest(context: GraphqlContext | undefined): GraphqlRequest | undefined {
  return context?.req ?? (context?.reply && 'request' in context.reply ? context.reply.request : undefined);
}

function graphqlExchange({ context, operation, cacheControl, call }: Field): Exchange | null {
  const request = graphqlRequest(context);
  const response = context?.res ?? context?.reply ?? request?.res;
  const isOverSocket = isUpgraded(request, response) || isUpgraded(context?.request, undefined);
  if (isOverSocket || (!response && operation === 'subscription')) return null;
  if (!request || !response) {
    throw new Error(
      'Sessions need the request: let the `context` of your GraphQL module return `{ req, res }`.',
    );
  }
  if (!isOfOneRequest(context as object, request.raw ?? request, rawResponseOf(response))) {
    throw new Error(
      'The request in the GraphQL context is not the one that is answered now, so that it would tell of somebody else: ' +
        'let the `context` of your GraphQL module be a function that makes a new object each time, as in ' +
        '`({ req, res }) => ({ req, res })`.',
    );
  }
  const isSubscription = operation === 'subscription';
  return { request, response, isMutation: operation === 'mutation', isSubscription, cacheControl, call };
}

/**
 * Whether an operation came over a connection that is no HTTP any more. The request is then the one of the handshake,
 * with a token that was good once, and what stands in the place of its answer goes nowhere.
 */
function isUpgraded(request: GraphqlRequest | undefined, response: SessionResponse | undefined): boolean {
  if (request?.extra !== undefined) return true;
  const raw = (request?.raw ?? request) as { readonly upgrade?: boolean } | undefined;
  // In the place of an answer may stand whatever the application puts there: `{}`, or functions that do nothing.
  return raw?.upgrade === true || (response !== undefined && !isAnswer(rawResponseOf(response)));
}

function isAnswer(raw: Partial<ServerResponse> | undefined): boolean {
  return typeof raw?.writeHead === 'function';
}
