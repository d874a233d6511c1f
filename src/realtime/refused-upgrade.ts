import { HttpException, Logger } from '@nestjs/common';
import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { SessionException } from '../session.exceptions.js';

/** What a handshake is answered with that is refused, as a request would be. */
export interface RefusedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body: object;
}

const FAILED = { statusCode: 500, message: 'Internal server error' };

export function answerTo(error: unknown): RefusedAnswer {
  if (!(error instanceof HttpException)) new Logger('SessionSockets').error(error);
  const isKnown = error instanceof HttpException;
  return {
    status: isKnown ? error.getStatus() : FAILED.statusCode,
    headers: error instanceof SessionException ? error.headers : {},
    body: isKnown ? bodyOf(error) : FAILED,
  };
}

/** The body of an exception, as an object. */
export function bodyOf(error: HttpException): object {
  const body = error.getResponse();
  return typeof body === 'object' ? body : { statusCode: error.getStatus(), message: body };
}

/** Answers on the connection itself, which no answer of HTTP belongs to, and ends it. */
export function refuseUpgrade(socket: Duplex, error: unknown): void {
  const { status, headers, body } = answerTo(error);
  const text = JSON.stringify(body);
  const all = {
    ...headers,
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
    Connection: 'close',
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  socket.once('finish', () => socket.destroy());
  socket.end([`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, ...lines, '', text].join('\r\n'));
}

/** The same for a request that is still one. */
export function refuseRequest(response: ServerResponse, error: unknown): void {
  const { status, headers, body } = answerTo(error);
  response.writeHead(status, {
    ...headers,
    'Content-Type': 'application/json; charset=utf-8',
    'Cache-Control': 'no-store',
  });
  response.end(JSON.stringify(body));
}
