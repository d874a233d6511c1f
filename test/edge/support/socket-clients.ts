import type { INestApplicationContext, WebSocketAdapter } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { WsAdapter } from '@nestjs/platform-ws';
import { io } from 'socket.io-client';
import { WebSocket } from 'ws';
import { setTimeout as pause } from 'node:timers/promises';

/** How long an answer may take until there is none. */
const PATIENCE = 300;

/** One kind of WebSocket server, and its client. */
export interface SocketLeg {
  readonly name: string;
  adapter(app: INestApplicationContext): WebSocketAdapter;
  /** What a message brings to who shows these headers; null where nothing comes in time, or an error. */
  send(port: number, event: string, headers?: Record<string, string>): Promise<unknown>;
}

export const WS: SocketLeg = {
  name: 'platform-ws',
  adapter: (app) => new WsAdapter(app),
  async send(port, event, headers = {}) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, { headers });
    const answer = new Promise<unknown>((resolve) => {
      socket.on('open', () => socket.send(JSON.stringify({ event, data: {} })));
      socket.on('message', (data) => resolve(JSON.parse(String(data))));
      socket.on('error', () => resolve(null));
      socket.on('close', () => resolve(null));
    });
    const first = await Promise.race([answer, pause(PATIENCE, null)]);
    socket.terminate();
    return first;
  },
};

export const SOCKET_IO: SocketLeg = {
  name: 'socket.io',
  adapter: (app) => new IoAdapter(app),
  async send(port, event, headers = {}) {
    const options = { transports: ['websocket'], extraHeaders: headers, reconnection: false, forceNew: true };
    const socket = io(`http://127.0.0.1:${port}`, options);
    const answer = socket.timeout(PATIENCE).emitWithAck(event, {}) as Promise<unknown>;
    const first = await answer.catch(() => null);
    socket.disconnect();
    return first;
  },
};
