import { expect, it } from '@jest/globals';
import type { IncomingMessage, Server } from 'node:http';
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { startApp } from '../support/platforms.js';

const handshake = [
  'GET / HTTP/1.1',
  'Host: 127.0.0.1',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Protocol: bearer.secret, graphql-transport-ws',
  '\r\n',
].join('\r\n');

it('a token among the protocols is taken away before any server of WebSockets sees it', async () => {
  const seen: string[] = [];
  const app = await startApp('express', {
    configure: (nest) =>
      (nest.getHttpServer() as Server).on(
        'upgrade',
        ({ headers, rawHeaders }: IncomingMessage, socket: Socket) => {
          seen.push(JSON.stringify({ headers, rawHeaders }));
          socket.destroy();
        },
      ),
  });
  try {
    const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
    const socket = connect(port, '127.0.0.1', () => socket.write(handshake));
    await once(socket, 'close');
    expect(seen).toEqual([expect.stringContaining('graphql-transport-ws')]);
    expect(seen).toEqual([expect.not.stringContaining('secret')]);
  } finally {
    await app.close();
  }
});

it('a handshake is left to the routes where no server waits for it', async () => {
  const app = await startApp('express');
  try {
    const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
    const socket = connect(port, '127.0.0.1', () => socket.write(handshake));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(String(answer)).toMatch(/^HTTP\/1.1 404/);
    socket.destroy();
  } finally {
    await app.close();
  }
});
