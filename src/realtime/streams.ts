import { Injectable } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import type { AcceptedToken } from '../core/life/accepted-token.js';
import type { Requirement } from '../http/requirement.js';
import { SeatWatch } from './seat-watch.js';
import type { Seat } from './seats.js';
import { ticketFor } from './ticket.js';

/** The check of the guard may have been before any change that was heard of: each is looked at once more. */
const BEFORE_ALL = -1;

/** Ends answers that go on, as those of server-sent events, with the session that they were begun with. */
@Injectable()
export class Streams {
  /** By answers, what was seen to: the fields of GraphQL are judged anew with each event. */
  private readonly kept = new WeakMap<ServerResponse, Set<Requirement>>();

  constructor(private readonly watch: SeatWatch) {}

  keep(answer: ServerResponse, requirement: Requirement, accepted: AcceptedToken): void {
    const kept = this.kept.get(answer) ?? new Set();
    if (answer.destroyed || answer.writableEnded || kept.has(requirement)) return;
    this.kept.set(answer, kept.add(requirement));
    const ticket = ticketFor(accepted, BEFORE_ALL);
    const { sessionId, tokenHash, userId } = ticket;
    const seat: Seat = {
      opened: { sessionId, tokenHash },
      userId,
      entry: () => [requirement],
      close: () => end(answer),
    };
    this.watch.sit(seat, ticket);
    answer.once('close', () => this.watch.leave(seat));
  }
}

/** The connection too: what Nest has subscribed to for the answer it gives up only when that is gone. */
function end(answer: ServerResponse): void {
  const { socket } = answer;
  // What is written at this very moment has nowhere to go.
  answer.on('error', () => {});
  // A connection of HTTP/2 has other streams.
  if (answer.req.httpVersionMajor < 2) answer.once('finish', () => socket?.end());
  answer.end();
}
