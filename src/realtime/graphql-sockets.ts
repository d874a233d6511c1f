import { type ExecutionContext, ForbiddenException, Injectable } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import { type GraphqlClient, type SocketOperation, socketOperationOf } from '../http/graphql-socket.js';
import type { Requirement } from '../http/requirement.js';
import { noteOperation } from '../http/socket-sessions.js';
import { SessionException, SessionStoreUnavailableException } from '../session.exceptions.js';
import { closeCodeOf } from './close-code.js';
import { allOf } from './entry.js';
import { Handshake } from './handshake.js';
import { SeatWatch } from './seat-watch.js';
import { SocketJudgement } from './socket-judgement.js';
import { SocketSeats } from './socket-seats.js';

/** `readyState` of a WebSocket that is neither closing nor closed. */
const OPEN = 1;

interface Connection {
  /** Whether it was found out whose it is. */
  readonly seating: Promise<void>;
  /** What the subscriptions that were begun on it ask for. */
  readonly subscribed: Set<Requirement>;
}

/**
 * Judges each operation of GraphQL that comes over a WebSocket on the newest state of the session that the WebSocket was
 * opened with. Whose that is is asked with the first operation that needs to know: the token may come after the handshake.
 */
@Injectable()
export class GraphqlSockets {
  private readonly connections = new WeakMap<GraphqlClient, Connection>();

  constructor(
    private readonly handshake: Handshake,
    private readonly seats: SocketSeats,
    private readonly watch: SeatWatch,
    private readonly judgement: SocketJudgement,
  ) {}

  async admit(context: ExecutionContext, requirement: Requirement): Promise<boolean> {
    const operation = socketOperationOf(context);
    if (requirement.opens !== null || requirement.session === 'ensured') {
      throw new ForbiddenException('Sessions are started and ended by HTTP requests, not over a WebSocket.');
    }
    const connection = this.connections.get(operation.client) ?? this.connect(operation);
    try {
      await connection.seating;
      await this.judge(operation, requirement, connection);
      return true;
    } catch (error) {
      throw withCode(error);
    }
  }

  private connect(operation: SocketOperation): Connection {
    const { client } = operation;
    const subscribed = new Set<Requirement>();
    const connection = { subscribed, seating: this.seat(operation, subscribed) };
    this.connections.set(client, connection);
    connection.seating.catch((error: unknown) => this.dismiss(client, error));
    return connection;
  }

  private async seat(
    { client, request, parameters }: SocketOperation,
    subscribed: Set<Requirement>,
  ): Promise<void> {
    const { token } = parameters;
    const shown = token === undefined || token === null ? undefined : { token };
    const ticket = await this.handshake.examine(asArrived(request), shown);
    if (ticket === null || client.readyState !== OPEN) return;
    const leave = this.seats.take(client, ticket, allOf(subscribed), (code) => close(client, code));
    client.once('close', leave);
  }

  /** What is shown on it is no good, as at a handshake that is refused; without an answer of the store it is asked again. */
  private dismiss(client: GraphqlClient, error: unknown): void {
    this.connections.delete(client);
    const isDoubt = !(error instanceof SessionException) || error instanceof SessionStoreUnavailableException;
    if (!isDoubt) setImmediate(() => close(client, error.code));
  }

  private async judge(
    { client, call, isSubscription }: SocketOperation,
    requirement: Requirement,
    { subscribed }: Connection,
  ): Promise<void> {
    const { changesHeard } = this.watch;
    // Clients subscribe again by themselves when they connect again.
    const isActivity = !requirement.isBackground && !isSubscription;
    noteOperation(call, await this.judgement.judge(client, requirement, isActivity));
    if (!isSubscription) return;
    subscribed.add(requirement);
    this.seats.lookAgain(client, changesHeard);
  }
}

function close(client: GraphqlClient, code: string): void {
  client.close(closeCodeOf(code), code);
}

/** Both drivers hand on what stands in `extensions` of what is thrown, and nothing else. */
function withCode(error: unknown): unknown {
  return error instanceof SessionException
    ? Object.assign(error, { extensions: { code: error.code } })
    : error;
}

/**
 * The handshake with the headers that came over the wire. Mercurius puts what the client says after the handshake among
 * those of the request, and with it what browsers let no page say, such as `Sec-Fetch-Site`.
 */
function asArrived(request: IncomingMessage): IncomingMessage {
  const { rawHeaders } = request;
  const headers = new Map<string, string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name, value] = [rawHeaders[at]!.toLowerCase(), rawHeaders[at + 1]!];
    const earlier = headers.get(name);
    const glue = name === 'cookie' ? '; ' : ', ';
    headers.set(name, earlier === undefined ? value : earlier + glue + value);
  }
  return Object.create(request, { headers: { value: Object.fromEntries(headers) } }) as IncomingMessage;
}
