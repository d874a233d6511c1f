import type { ExecutionContext, Type } from '@nestjs/common';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';

export interface FakeRequest {
  readonly method?: string;
  readonly protocol?: string;
  readonly peer?: string;
  readonly httpVersion?: string;
  readonly headers?: Record<string, string>;
}

/** A request as Express hands it on, with an answer that nobody gets. */
export function fakeExchange({
  method = 'GET',
  protocol = 'http',
  peer,
  httpVersion = '1.1',
  headers = {},
}: FakeRequest) {
  const socket = new Socket();
  Object.defineProperty(socket, 'remoteAddress', { value: peer ?? '127.0.0.1' });
  const message = new IncomingMessage(socket);
  message.method = method;
  message.httpVersion = httpVersion;
  message.headers = { host: 'localhost:3000' };
  for (const [name, value] of Object.entries(headers)) message.headers[name.toLowerCase()] = value;
  message.rawHeaders = Object.entries(message.headers).flatMap(([name, value]) => [name, String(value)]);
  const req = Object.assign(message, { protocol, host: message.headers.host, ip: socket.remoteAddress });
  return { req, res: new ServerResponse(req) };
}

/** An execution context of any type, for a method of a controller. */
export function fakeContext(type: string, target: Type, method: string, args: unknown[]): ExecutionContext {
  const handler = target.prototype[method] as () => unknown;
  const host = { getRequest: () => args[0], getResponse: () => args[1], getNext: () => args[2] };
  return {
    getType: () => type,
    getClass: () => target,
    getHandler: () => handler,
    getArgs: () => args,
    getArgByIndex: (index: number) => args[index],
    switchToHttp: () => host,
  } as unknown as ExecutionContext;
}
