import { Injectable, Logger } from '@nestjs/common';
import { type IncomingMessage, ServerResponse } from 'node:http';
import { SessionInvalidException, SessionRequiredException } from '../session.exceptions.js';
import { ANYBODY_SIGNED_IN, type EntryRule } from './entry.js';
import { Handshake } from './handshake.js';
import { answerTo, refuseRequest, refuseUpgrade } from './refused-upgrade.js';
import type { IoConnection, IoEngine, IoNamespace, IoServer, IoSocket } from './socket-io-types.js';
import { SocketSeats } from './socket-seats.js';
import type { Ticket } from './ticket.js';

/** How long a client may take to change over to WebSocket that has shown its token after the handshake, in milliseconds. */
const UPGRADE_PATIENCE = 10_000;

type EngineRequest = IncomingMessage & { readonly _query: { readonly sid?: string } };

/**
 * Looks at every request of socket.io, and at every socket before it joins a namespace. A namespace that no gateway has needs
 * somebody signed in.
 */
@Injectable()
export class SocketIoServers {
  private readonly logger = new Logger('SessionSockets');
  private readonly servers = new WeakSet<object>();
  /** Namespaces before which the check stands. */
  private readonly gated = new WeakSet<object>();
  private readonly entries = new WeakMap<object, EntryRule>();
  private readonly tickets = new WeakMap<IncomingMessage, Ticket | null>();
  private readonly admitted = new WeakMap<object, Ticket | null>();

  constructor(
    private readonly handshake: Handshake,
    private readonly seats: SocketSeats,
  ) {}

  /** @param target the server, or one namespace of it */
  guard(target: IoServer | IoNamespace, entry: EntryRule): void {
    const server = 'server' in target ? target.server : target;
    const namespace = 'server' in target ? target : target.sockets;
    this.entries.set(namespace, entry);
    this.guardServer(server);
    this.gate(namespace);
  }

  private guardServer(server: IoServer): void {
    if (this.servers.has(server)) return;
    this.servers.add(server);
    this.withoutRecovery(server);
    server.engine?.use((request, response, next) => this.check(server.engine, request, response, next));
    // The default one is always there.
    this.gate(server.sockets);
    server.on('new_namespace', (namespace) => this.gate(namespace));
  }

  /** It sends what a client has missed before any check is made, to whoever knows an id. */
  private withoutRecovery({ opts }: IoServer): void {
    if (!opts?.connectionStateRecovery) return;
    opts.connectionStateRecovery = undefined;
    this.logger.warn(
      'connectionStateRecovery of socket.io is off: it sends what a client has missed before anybody is asked for a session.',
    );
  }

  /**
   * Every request, as the id of a connection (`sid`) is no token: it stands in addresses, and so in logs. That there is such
   * a check at all closes WebTransport, whose requests nobody can look at.
   */
  private async check(
    engine: IoEngine | undefined,
    request: IncomingMessage,
    response: unknown,
    next: () => void,
  ): Promise<void> {
    const { socket } = request;
    const giveUp = () => socket.destroy();
    socket.on('error', giveUp);
    const objection = await this.objectionTo(engine, request);
    socket.off('error', giveUp);
    if (objection === null) return socket.destroyed ? undefined : next();
    if (response instanceof ServerResponse) refuseRequest(response, objection);
    else refuseUpgrade(socket, objection);
  }

  private async objectionTo(engine: IoEngine | undefined, request: IncomingMessage): Promise<unknown> {
    try {
      const ticket = await this.handshake.examine(request);
      const { sid } = (request as EngineRequest)._query;
      const connection = sid === undefined ? undefined : engine?.clients[sid];
      if (connection) this.assertOwner(connection, ticket);
      else this.tickets.set(request, ticket);
      return null;
    } catch (error) {
      return error;
    }
  }

  /** A connection that was opened with a session goes on with requests of that session only. */
  private assertOwner({ request }: IoConnection, ticket: Ticket | null): void {
    const opener = request ? this.tickets.get(request) : undefined;
    if (!opener) return;
    if (ticket === null) throw new SessionRequiredException();
    if (ticket.sessionId !== opener.sessionId) throw new SessionInvalidException();
  }

  private gate(namespace: IoNamespace): void {
    if (this.gated.has(namespace)) return;
    this.gated.add(namespace);
    const entry: EntryRule = () => (this.entries.get(namespace) ?? ANYBODY_SIGNED_IN)();
    namespace.use(async (socket, next) => next(await this.refusalOf(socket, entry)));
    namespace.prependListener('connection', (socket) => this.seat(socket, entry));
  }

  /** `undefined` where it may come in. */
  private async refusalOf(socket: IoSocket, entry: EntryRule): Promise<Error | undefined> {
    try {
      return void (await this.admit(socket, entry));
    } catch (error) {
      return connectError(error);
    }
  }

  private async admit(socket: IoSocket, entry: EntryRule): Promise<void> {
    // It may have come by the pattern that its namespace was made from.
    if (this.admitted.has(socket)) return;
    const ticket = await this.ticketOf(socket);
    await this.handshake.enter(socket.request, entry, ticket);
    this.admitted.set(socket, ticket);
  }

  private async ticketOf(socket: IoSocket): Promise<Ticket | null> {
    const { request, conn, handshake } = socket;
    const token = handshake.auth['token'];
    if (token === undefined || token === null) {
      const ticket = this.tickets.get(request);
      // It has come by another way, past the check.
      if (ticket === undefined) throw new SessionRequiredException();
      return ticket;
    }
    await overWebSocket(conn);
    return this.handshake.examine(request, { token });
  }

  private seat(socket: IoSocket, entry: EntryRule): void {
    const ticket = this.admitted.get(socket);
    if (ticket === undefined) return void socket.disconnect(true);
    if (ticket === null || this.seats.of(socket)) return;
    const leave = this.seats.take(socket, ticket, entry, (code) => {
      socket.emit('exception', { status: 'error', code });
      socket.disconnect(true);
    });
    socket.once('disconnect', leave);
  }
}

/**
 * Requests of a polling client show the id of the connection and nothing else, where its token came after the handshake: until
 * it has changed over to WebSocket, anybody who reads that id could speak for it.
 *
 * @throws SessionRequiredException where it does not
 */
function overWebSocket(connection: IoConnection): Promise<void> {
  if (connection.transport.name !== 'polling') return Promise.resolve();
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => () => {
      clearTimeout(timer);
      connection.off('upgrade', upgraded);
      connection.off('close', gone);
      act();
    };
    const refuse = () => reject(new SessionRequiredException(POLLING));
    const upgraded = settle(resolve);
    const gone = settle(refuse);
    const timer = setTimeout(gone, UPGRADE_PATIENCE).unref();
    connection.once('upgrade', upgraded);
    connection.once('close', gone);
  });
}

const POLLING =
  'A token in `auth` needs the transport WebSocket: with polling alone, send it as a cookie or in the header Authorization.';

function connectError(error: unknown): Error {
  const { body } = answerTo(error);
  const { message } = body as { readonly message?: string };
  return Object.assign(new Error(message), { data: body });
}
