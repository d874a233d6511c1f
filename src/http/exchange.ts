import type { ExecutionContext } from '@nestjs/common';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

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
}

/** `null` where there is neither: WebSocket and RPC messages. @throws Error in a GraphQL context without request */
export function exchangeOf(context: ExecutionContext): Exchange | null {
  switch (context.getType<'graphql' | 'http' | 'ws' | 'rpc'>()) {
    case 'http': {
      // `switchToHttp()` gives the same, but makes several functions on every request.
      return { request: context.getArgByIndex(0), response: context.getArgByIndex(1), isMutation: false };
    }
    case 'graphql': {
      // References of federated entities have no arguments: (reference, context, info).
      const isReference = context.getArgs().length === 3;
      return graphqlExchange(
        context.getArgByIndex(isReference ? 1 : 2),
        context.getArgByIndex(isReference ? 2 : 3),
      );
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

interface GraphqlContext {
  readonly req?: SessionRequest & { readonly res?: SessionResponse };
  readonly res?: SessionResponse;
  readonly reply?: SessionResponse;
}

interface GraphqlInfo {
  readonly operation?: { readonly operation?: string };
}

function graphqlExchange(context: GraphqlContext | undefined, info: GraphqlInfo | undefined): Exchange {
  const request = context?.req;
  const response = context?.res ?? context?.reply ?? request?.res;
  if (!request || !response) {
    throw new Error(
      'Sessions need the request: let the `context` of your GraphQL module return `{ req, res }`.',
    );
  }
  return { request, response, isMutation: info?.operation?.operation === 'mutation' };
}
