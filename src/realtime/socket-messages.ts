import { type ExecutionContext, HttpException, Injectable, type OnModuleInit } from '@nestjs/common';
import type { Requirement } from '../http/requirement.js';
import { noteMessage } from '../http/socket-sessions.js';
import { SessionException } from '../session.exceptions.js';
import { Gateways } from './gateways.js';
import { bodyOf } from './refused-upgrade.js';
import { SocketJudgement } from './socket-judgement.js';

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

  constructor(
    private readonly gateways: Gateways,
    private readonly judgement: SocketJudgement,
  ) {}

  async onModuleInit(): Promise<void> {
    if (this.gateways.all.length === 0) return;
    const websockets = await import(WEBSOCKETS).catch(() => null);
    if (websockets === null) return; // then nobody calls gateways either
    const { WsException, BaseWsExceptionFilter } = websockets as Websockets;
    this.exception = WsException;
    this.isToldByNest = 'emitMessage' in BaseWsExceptionFilter.prototype;
  }

  async admit(context: ExecutionContext, requirement: Requirement): Promise<boolean> {
    const client = context.getArgByIndex<Client>(0);
    try {
      const session = await this.judgement.judge(client, requirement, !requirement.isBackground);
      noteMessage(client, context.getHandler(), session);
      return true;
    } catch (error) {
      throw this.refuse(context, client, error);
    }
  }

  /** Tells the client: by an event, by the acknowledgement that it may wait for, and by what Nest makes of the exception. */
  private refuse(context: ExecutionContext, client: Client, exception: unknown): unknown {
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
