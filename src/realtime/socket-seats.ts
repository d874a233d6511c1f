import { Injectable } from '@nestjs/common';
import type { AcceptedToken } from '../core/life/accepted-token.js';
import type { RefusedToken } from '../core/life/validation.js';
import { SessionCore } from '../core/session-core.js';
import { noteSocket } from '../http/socket-sessions.js';
import { refusalOf } from '../session.exceptions.js';
import type { EntryRule } from './entry.js';
import { SeatWatch } from './seat-watch.js';
import type { Seat } from './seats.js';
import type { Ticket } from './ticket.js';

/** Which seat a client has: what its messages are judged on. */
@Injectable()
export class SocketSeats {
  private readonly byClient = new WeakMap<object, Seat>();

  constructor(
    private readonly core: SessionCore,
    private readonly watch: SeatWatch,
  ) {}

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

  /**
   * Judges what a client sends on the newest state of its session, and ends its seat where that is refused.
   *
   * @returns `null` where it has none
   */
  async examine(client: object, isActivity: boolean): Promise<AcceptedToken | RefusedToken | null> {
    const seat = this.byClient.get(client);
    if (seat === undefined) return null;
    const verdict = await this.core.continuation.check(seat.opened, isActivity);
    if (verdict.reason !== undefined) this.end(client, refusalOf(verdict.reason).code);
    return verdict;
  }

  /** Looks whether a client may stay, where something has changed since so many changes were heard of. */
  lookAgain(client: object, changesHeard: number): void {
    const seat = this.byClient.get(client);
    if (seat) this.watch.lookAgain(seat, changesHeard);
  }

  /** Ends it once what is under way has been answered. */
  private end(client: object, code: string): void {
    const seat = this.byClient.get(client);
    if (seat === undefined) return;
    this.byClient.delete(client);
    noteSocket(client, null);
    setImmediate(() => this.watch.end(seat, code));
  }
}
