import type { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';

/* What is used of socket.io, which need not be there. */

export interface IoServer {
  readonly sockets: IoNamespace;
  /** Not there yet where it is attached to no server. */
  readonly engine?: IoEngine;
  readonly opts?: { connectionStateRecovery?: unknown };
  on(event: 'new_namespace', listener: (namespace: IoNamespace) => void): unknown;
}

export interface IoNamespace {
  readonly server: IoServer;
  use(middleware: (socket: IoSocket, next: (error?: Error) => void) => unknown): unknown;
  prependListener(event: 'connection', listener: (socket: IoSocket) => void): unknown;
}

export interface IoSocket {
  readonly request: IncomingMessage;
  readonly conn: IoConnection;
  readonly handshake: { readonly auth: Readonly<Record<string, unknown>> };
  emit(event: string, body: object): unknown;
  disconnect(closesConnection: boolean): unknown;
  once(event: 'disconnect', listener: () => void): unknown;
}

export interface IoEngine {
  readonly clients: Readonly<Record<string, IoConnection>>;
  use(middleware: (request: IncomingMessage, response: unknown, next: () => void) => unknown): unknown;
}

/** One client of the engine, which may be in several namespaces. */
export interface IoConnection extends EventEmitter {
  /** Of the handshake; none by WebTransport. */
  readonly request?: IncomingMessage;
  readonly transport: { readonly name: string };
}

export function isIoServer(server: object): server is IoServer {
  return 'sockets' in server && 'of' in server && typeof server.of === 'function';
}

export function isIoNamespace(server: object): server is IoNamespace {
  return 'server' in server && 'use' in server && 'adapter' in server;
}
