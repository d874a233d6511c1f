import type { INestApplicationContext } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { WsAdapter } from '@nestjs/platform-ws';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { RequireRole } from 'nestjs-sessions';
import { endOf, type SignedIn, signInAs } from 'nestjs-sessions/testing';
import { io } from 'socket.io-client';
import { WebSocket } from 'ws';
import { type EdgeApp, edgeApps } from './support/edge-apps.js';

const opened: { close(): unknown }[] = [];
afterEach(() => {
  for (const socket of opened.splice(0)) socket.close();
});
const start = edgeApps();

@RequireRole('customer')
@WebSocketGateway()
class Chat {
  @SubscribeMessage('say') say() {
    return 'said';
  }
}

const openWs = ({ port }: EdgeApp, { bearer }: Pick<SignedIn, 'bearer'>) => {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, { headers: bearer });
  opened.push(socket);
  return { socket, end: endOf(socket), isOpen: new Promise((resolve) => socket.on('open', resolve)) };
};

const openIo = ({ url }: EdgeApp, { bearer }: Pick<SignedIn, 'bearer'>) => {
  const socket = io(url, { extraHeaders: bearer, transports: ['websocket'], forceNew: true });
  opened.push(socket);
  const isOpen = new Promise<void>((resolve) => socket.on('connect', resolve));
  return { socket, end: endOf(socket), isOpen };
};

const STRANGER = { bearer: { authorization: 'Bearer nothing' } };

describe.each([
  ['ws', WsAdapter, openWs],
  ['socket.io', IoAdapter, openIo],
] as const)('the end of a socket of %s', (name, Adapter, open) => {
  const startChat = () =>
    start({
      providers: [Chat],
      configure: (app) => app.useWebSocketAdapter(new Adapter(app as INestApplicationContext)),
    });

  it('is told with the code of its reason', async () => {
    const app = await startChat();
    for (const [act, code] of [
      [() => app.sessions.revokeAll('ana'), 'session_invalid'],
      [() => app.sessions.setRoles('ana', []), 'role_required'],
    ] as const) {
      const { end, isOpen } = open(app, await signInAs(app.app, { userId: 'ana', roles: ['customer'] }));
      await isOpen;
      await act();
      expect(await end).toBe(code);
    }
  });

  it('is a refusal, where that is told', async () => {
    const app = await startChat();
    const { end } = open(app, await signInAs(app.app, { userId: 'ana' }));
    expect(await end).toBe('role_required');
    // socket.io hides what was answered to a request.
    expect(await open(app, STRANGER).end).toBe(name === 'ws' ? 'session_invalid' : null);
  });

  it('has no code where the test itself closes it', async () => {
    const app = await startChat();
    const { socket, end, isOpen } = open(
      app,
      await signInAs(app.app, { userId: 'ana', roles: ['customer'] }),
    );
    await isOpen;
    socket.close();
    expect(await end).toBeNull();
  });
});

it('is not waited for in vain', async () => {
  const socket = new WebSocket('ws://127.0.0.1:9');
  await endOf(socket);
  await expect(endOf(socket)).rejects.toThrow('call it before what ends the socket');
});
