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
  /** Where the guard is global and a decorator brings it along too, a call comes here twice. */
  private readonly judged = new WeakMap<ExecutionContext, Promise<boolean>>();

  constructor(
    private readonly messages: SocketMessages,
    private readonly operations: GraphqlSockets,
    private readonly streams: Streams,
  ) {
    super();
  }

  admitMessage(context: ExecutionContext, requirement: Requirement): Promise<boolean> {
    return this.once(context, () => this.messages.admit(context, requirement));
  }

  admitOperation(context: ExecutionContext, requirement: Requirement): Promise<boolean> {
    return this.once(context, () => this.operations.admit(context, requirement));
  }

  keep(response: SessionResponse, requirement: Requirement, accepted: AcceptedToken): void {
    this.streams.keep(rawResponseOf(response), requirement, accepted);
  }

  private once(context: ExecutionContext, judge: () => Promise<boolean>): Promise<boolean> {
    let verdict = this.judged.get(context);
    if (verdict === undefined) this.judged.set(context, (verdict = judge()));
    return verdict;
  }
}
