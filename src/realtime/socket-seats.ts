import { Injectable } from '@nestjs/common';
import { noteSocket } from '../http/socket-sessions.js';
import type { EntryRule } from './entry.js';
import { SeatWatch } from './seat-watch.js';
import type { Seat } from './seats.js';
import type { Ticket } from './ticket.js';

/** Which seat a client has: what its messages are judged on. */
@Injectable()
export class SocketSeats {
  private readonly byClient = new WeakMap<object, Seat>();

  constructor(private readonly watch: SeatWatch) {}

  of(client: object): Seat | undefined {
    return this.byClient.get(client);
  }

  /**
   * @param close how the client is told, and sent away
   * @returns what to call when it is gone by itself
   */
  take(client: object, ticket: Ticket, entry: EntryRule, close: (code: string) => void): () => void {
    const { sessionId, tokenHash, userId, session } = ticket;
    const seat: Seat = { opened: { sessionId, tokenHash }, userId, entry, close };
    this.byClient.set(client, seat);
    noteSocket(client, session);
    this.watch.sit(seat, ticket);
    return () => this.watch.leave(seat);
  }

  /** Ends it once what is under way has been answered. */
  end(client: object, code: string): void {
    const seat = this.byClient.get(client);
    if (seat === undefined) return;
    this.byClient.delete(client);
    noteSocket(client, null);
    setImmediate(() => this.watch.end(seat, code));
  }
}
