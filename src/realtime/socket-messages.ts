import { type ExecutionContext, HttpException, Injectable, type OnModuleInit } from '@nestjs/common';
import { toSession } from '../core/life/recorded-session.js';
import type { SessionRecord } from '../core/model/record.js';
import { assertAuthorized } from '../http/authorization.js';
import { Refusals } from '../http/refusals.js';
import type { Requirement } from '../http/requirement.js';
import { noteMessage } from '../http/socket-sessions.js';
import { refusalOf, SessionException } from '../session.exceptions.js';
import { Gateways } from './gateways.js';
import { bodyOf } from './refused-upgrade.js';
import { SocketSeats } from './socket-seats.js';

/** Not there where there are no gateways: an application without them need not have it. */
const WEBSOCKETS: string = '@nestjs/websockets';

type WsExceptionOf = new (body: object) => Error;

interface Websockets {
  readonly WsException: WsExceptionOf;
  readonly BaseWsExceptionFilter: { readonly prototype: object };
}

/** A client of `ws`, which has a `send`; that of socket.io has an `emit` that sends. */
interface Client {
  readonly readyState?: unknown;
  send?(text: string): void;
}

/** Judges each message on the newest state of the session that its socket was opened with. */
@Injectable()
export class SocketMessages implements OnModuleInit {
  private exception: WsExceptionOf | null = null;
  /** Whether Nest sends what is refused to clients of `ws`: Nest 11 does not. */
  private isToldByNest = false;
  /** Where the guard is global and a decorator brings it along too, a message comes here twice. */
  private readonly judged = new WeakMap<ExecutionContext, Promise<boolean>>();

  constructor(
    private readonly gateways: Gateways,
    private readonly seats: SocketSeats,
    private readonly refusals: Refusals,
  ) {}

  async onModuleInit(): Promise<void> {
    if (this.gateways.all.length === 0) return;
    const websockets = await import(WEBSOCKETS).catch(() => null);
    if (websockets === null) return; // then nobody calls gateways either
    const { WsException, BaseWsExceptionFilter } = websockets as Websockets;
    this.exception = WsException;
    this.isToldByNest = 'emitMessage' in BaseWsExceptionFilter.prototype;
  }

  admit(context: ExecutionContext, requirement: Requirement): Promise<boolean> {
    let verdict = this.judged.get(context);
    if (verdict === undefined) this.judged.set(context, (verdict = this.judge(context, requirement)));
    return verdict;
  }

  private async judge(context: ExecutionContext, requirement: Requirement): Promise<boolean> {
    const client = context.getArgByIndex<Client>(0);
    let record: SessionRecord | null = null;
    try {
      const verdict = await this.seats.examine(client, !requirement.isBackground);
      record = verdict?.record ?? null;
      if (verdict?.reason !== undefined) throw refusalOf(verdict.reason);
      assertAuthorized(requirement, verdict);
      const session = verdict && toSession(verdict.record, verdict.policy, verdict.now);
      noteMessage(client, context.getHandler(), session);
      return true;
    } catch (error) {
      throw this.refuse(context, client, error, record);
    }
  }

  /** Tells the client: by an event, by the acknowledgement that it may wait for, and by what Nest makes of the exception. */
  private refuse(
    context: ExecutionContext,
    client: Client,
    error: unknown,
    record: SessionRecord | null,
  ): unknown {
    const exception = this.refusals.tellOf(null, error, record);
    if (!(exception instanceof HttpException) || this.exception === null) return exception;
    const args = context.getArgs<unknown[]>();
    const body = { status: 'error', ...bodyOf(exception), cause: { pattern: args.at(-1) } };
    const acknowledge = args.find((argument) => typeof argument === 'function');
    if (isOfWs(client) && !this.isToldByNest) client.send(JSON.stringify({ event: 'exception', data: body }));
    if (acknowledge && exception instanceof SessionException) (acknowledge as (answer: object) => void)(body);
    return new this.exception(body);
  }
}

function isOfWs(client: Client): client is Required<Client> {
  return typeof client.readyState === 'number' && typeof client.send === 'function';
}
