import { type ExecutionContext, Injectable } from '@nestjs/common';
import type { AcceptedToken } from '../core/life/accepted-token.js';
import { rawResponseOf, type SessionResponse } from '../http/exchange.js';
import { LiveConnections } from '../http/live-connections.js';
import type { Requirement } from '../http/requirement.js';
import { GraphqlSockets } from './graphql-sockets.js';
import { SocketMessages } from './socket-messages.js';
import { Streams } from './streams.js';

/** What the guard is answered with about sockets and streams. */
@Injectable()
export class OpenConnections extends LiveConnections {
  constructor(
    private readonly messages: SocketMessages,
    private readonly operations: GraphqlSockets,
    private readonly streams: Streams,
  ) {
    super();
  }

  admitMessage(context: ExecutionContext, requirement: Requirement): Promise<boolean> {
    return this.messages.admit(context, requirement);
  }

  admitOperation(context: ExecutionContext, requirement: Requirement): Promise<boolean> {
    return this.operations.admit(context, requirement);
  }

  keep(response: SessionResponse, requirement: Requirement, accepted: AcceptedToken): void {
    this.streams.keep(rawResponseOf(response), requirement, accepted);
  }
}
