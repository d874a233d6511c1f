import type { ExecutionContext } from '@nestjs/common';
import type { AcceptedToken } from '../core/life/accepted-token.js';
import type { SessionResponse } from './exchange.js';
import type { Requirement } from './requirement.js';

/** What the guard leaves to those who know of what outlives a request. */
export abstract class LiveConnections {
  /**
   * Whether a message of a socket may be handled.
   *
   * @throws WsException with the body that a refused request is answered with
   */
  abstract admitMessage(context: ExecutionContext, requirement: Requirement): Promise<boolean>;
  /**
   * Whether a resolver of an operation over a WebSocket may run.
   *
   * @throws SessionException with its code in `extensions`; Error where the context does not tell of the WebSocket
   */
  abstract admitOperation(context: ExecutionContext, requirement: Requirement): Promise<boolean>;
  /** Ends an answer that goes on with the session that it was begun with. */
  abstract keep(response: SessionResponse, requirement: Requirement, accepted: AcceptedToken): void;
}
