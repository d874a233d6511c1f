import { Injectable } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { closeCodeOf } from './close-code.js';
import type { EntryRule } from './entry.js';
import { Handshake } from './handshake.js';
import { refuseUpgrade } from './refused-upgrade.js';
import { SocketSeats } from './socket-seats.js';
import type { Ticket } from './ticket.js';

/** A socket of `ws`. */
interface WsClient {
  close(code: number, reason: string): void;
  terminate(): void;
  once(event: 'close', listener: () => void): unknown;
}

/** A server of `ws`, on the application's port or on one of its own. */
export interface WsServer {
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, done: unknown): void;
  prependListener(
    event: 'connection',
    listener: (client: WsClient, request: IncomingMessage) => void,
  ): unknown;
}

export function isWsServer(server: object): server is WsServer {
  return 'handleUpgrade' in server && typeof server.handleUpgrade === 'function' && 'clients' in server;
}

/** Looks at handshakes before `ws` does: whatever comes to a server, by whichever port and path, comes by `handleUpgrade`. */
@Injectable()
export class WsServers {
  private readonly guarded = new WeakSet<object>();
  private readonly tickets = new WeakMap<IncomingMessage, Ticket | null>();

  constructor(
    private readonly handshake: Handshake,
    private readonly seats: SocketSeats,
  ) {}

  guard(server: WsServer, entry: EntryRule): void {
    if (this.guarded.has(server)) return;
    this.guarded.add(server);
    const handle = server.handleUpgrade.bind(server);
    server.handleUpgrade = (request, socket, head, done) => {
      const giveUp = () => socket.destroy();
      socket.on('error', giveUp);
      const letIn = (ticket: Ticket | null) => {
        socket.off('error', giveUp);
        if (socket.destroyed) return;
        this.tickets.set(request, ticket);
        handle(request, socket, head, done);
      };
      this.admit(request, entry)
        .then(letIn, (error: unknown) => refuseUpgrade(socket, error))
        .catch(giveUp);
    };
    server.prependListener('connection', (client, request) => this.seat(client, request, entry));
  }

  private async admit(request: IncomingMessage, entry: EntryRule): Promise<Ticket | null> {
    const ticket = await this.handshake.examine(request);
    await this.handshake.enter(request, entry, ticket);
    return ticket;
  }

  private seat(client: WsClient, request: IncomingMessage, entry: EntryRule): void {
    const ticket = this.tickets.get(request);
    this.tickets.delete(request);
    // It has come by another way, past the check.
    if (ticket === undefined) return client.terminate();
    if (ticket === null) return;
    const leave = this.seats.take(client, ticket, entry, (code) => client.close(closeCodeOf(code), code));
    client.once('close', leave);
  }
}
