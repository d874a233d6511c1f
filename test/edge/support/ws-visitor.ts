import type { IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { WebSocket } from 'ws';

/** What a handshake was refused with. */
export interface RefusedHandshake {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Visit {
  readonly headers?: Readonly<Record<string, string>>;
  readonly protocols?: readonly string[];
  readonly path?: string;
}

/** A socket of `ws` that is open. */
export interface OpenSocket {
  readonly socket: WebSocket;
  /** The code and the reason of its end. */
  readonly ended: Promise<readonly [number, string]>;
  /** The next message that comes after this one was sent. */
  ask(event: string, data?: unknown): Promise<{ readonly event: string; readonly data: unknown }>;
}

const opened: WebSocket[] = [];

export function closeSockets(): void {
  for (const socket of opened.splice(0)) socket.terminate();
}

function connect(port: number, { headers = {}, protocols = [], path = '' }: Visit): WebSocket {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, [...protocols], { headers });
  opened.push(socket);
  return socket;
}

/** @throws where the handshake is refused */
export async function openSocket(port: number, visit: Visit = {}): Promise<OpenSocket> {
  const socket = connect(port, visit);
  await once(socket, 'open');
  const ended = once(socket, 'close').then(([code, reason]) => [Number(code), String(reason)] as const);
  return {
    socket,
    ended,
    async ask(event, data = {}) {
      const answer = once(socket, 'message');
      socket.send(JSON.stringify({ event, data }));
      const [message] = (await answer) as [Buffer];
      return JSON.parse(String(message)) as { event: string; data: unknown };
    },
  };
}

/** @throws where the handshake is not refused */
export async function refusedSocket(port: number, visit: Visit = {}): Promise<RefusedHandshake> {
  const socket = connect(port, visit);
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    socket.on('unexpected-response', (_, response) => resolve(response));
    socket.on('open', () => reject(new Error('The handshake was not refused.')));
    socket.on('error', reject);
  });
  let text = '';
  for await (const part of answer) text += String(part);
  return {
    status: answer.statusCode ?? 0,
    headers: answer.headers,
    body: JSON.parse(text) as RefusedHandshake['body'],
  };
}
