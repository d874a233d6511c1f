import {
  Body,
  Controller,
  Get,
  HttpCode,
  type INestApplicationContext,
  Post,
  type Type,
} from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { WsAdapter } from '@nestjs/platform-ws';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import type { ClientOptions } from 'graphql-ws';
import {
  Background,
  CurrentSession,
  RequireRole,
  RequireSession,
  type SessionPrincipal,
  StartSession,
} from 'nestjs-sessions';
import { createSessionClient, type SessionClientEvent } from 'nestjs-sessions/client';
import { type CloseEvent, WebSocket } from 'ws';
import { io, type Socket } from 'socket.io-client';
import { type EdgeApp, edgeApps } from './support/edge-apps.js';

const opened: { close(): unknown }[] = [];
afterEach(() => {
  for (const socket of opened.splice(0)) socket.close();
});
// After that: who connects again by itself keeps a server from closing.
const start = edgeApps();

@Controller()
class Account {
  @StartSession() @Post('sign-in') signIn(@Body() principal: SessionPrincipal) {
    return principal;
  }
  @RequireSession() @StartSession() @HttpCode(200) @Post('step-up') stepUp(
    @CurrentSession('userId') userId: string,
  ) {
    return { userId };
  }
  @Background() @Get('status') status() {
    return {};
  }
}

@WebSocketGateway()
class Chat {
  @SubscribeMessage('who') who(@CurrentSession('userId') userId: string) {
    return { event: 'who', data: userId };
  }
}

@RequireRole('admin')
@WebSocketGateway()
class Admins {
  @SubscribeMessage('who') who(@CurrentSession('userId') userId: string) {
    return { event: 'who', data: userId };
  }
}

/** An app, and what its client tells. */
async function enter({ url }: EdgeApp, roles: string[] = []) {
  const client = createSessionClient({ origin: url, signOutPath: '/sign-out', statusPath: '/status' });
  const events: SessionClientEvent['type'][] = [];
  const ends: string[] = [];
  for (const type of ['signed-in', 'renewed', 'step-up'] as const) client.on(type, () => events.push(type));
  client.on('ended', ({ reason }) => ends.push(reason));
  const session = await client.signIn('/sign-in', { userId: 'ana', roles });
  return { client, ends, session };
}

type Entered = Awaited<ReturnType<typeof enter>>;

describe.each(['express', 'fastify'] as const)('a socket of an app on %s', (platform) => {
  const withAdapter = (gateway: Type, Adapter: typeof WsAdapter | typeof IoAdapter) =>
    start({
      platform,
      controllers: [Account],
      providers: [gateway],
      configure: (app) => app.useWebSocketAdapter(new Adapter(app as INestApplicationContext)),
    });

  describe('by WebSocket', () => {
    /** As a page opens it. */
    function open({ client }: Entered, { url }: EdgeApp) {
      const address = url.replace('http', 'ws');
      const socket = new WebSocket(address, client.socketProtocols(address, 'app'));
      opened.push(socket);
      const answer = new Promise<string>((resolve) => {
        socket.addEventListener('open', () => socket.send(JSON.stringify({ event: 'who' })));
        socket.addEventListener('message', ({ data }) => resolve(String(data)));
      });
      const told = new Promise<string | null>((resolve, reject) => {
        socket.addEventListener('error', () => {});
        socket.addEventListener('close', (event: CloseEvent) => {
          client.socketEnded(event).then(resolve, reject);
        });
      });
      return { socket, answer, told };
    }

    it('shows the token, and ends with the session', async () => {
      const app = await withAdapter(Chat, WsAdapter);
      const entered = await enter(app);
      const { socket, answer, told } = open(entered, app);
      expect(JSON.parse(await answer)).toEqual({ event: 'who', data: 'ana' });
      expect(socket.protocol).toBe('app');
      await app.sessions.revokeAll('ana');
      expect(await told).toBe('session_invalid');
      expect(entered.ends).toEqual(['session_invalid']);
    });

    it('that is refused tells why, and that the session is over', async () => {
      const app = await withAdapter(Chat, WsAdapter);
      const entered = await enter(app);
      await app.sessions.revokeAll('ana');
      expect(await open(entered, app).told).toBe('session_invalid');
      expect(entered.ends).toEqual(['session_invalid']);
    });

    it('is opened again after a step-up, with the token of that', async () => {
      const app = await withAdapter(Chat, WsAdapter);
      const entered = await enter(app);
      const first = open(entered, app);
      await first.answer;
      await entered.client.signIn('/step-up', {});
      expect(await first.told).toBeNull();
      expect(JSON.parse(await open(entered, app).answer)).toEqual({ event: 'who', data: 'ana' });
      expect(entered.ends).toEqual([]);
    });

    it('that has lost its role is no end of the session', async () => {
      const app = await withAdapter(Admins, WsAdapter);
      const entered = await enter(app, ['admin']);
      const { answer, told } = open(entered, app);
      await answer;
      await app.sessions.setRoles('ana', []);
      expect(await told).toBe('role_required');
      expect(entered.ends).toEqual([]);
      expect((await entered.client.fetch('/status')).status).toBe(200);
    });

    it('that the app closes tells nobody', async () => {
      const app = await withAdapter(Chat, WsAdapter);
      const entered = await enter(app);
      const { socket, answer, told } = open(entered, app);
      await answer;
      socket.close();
      expect(await told).toBe('closed');
      expect(entered.ends).toEqual([]);
    });
  });

  describe('by socket.io', () => {
    function open({ client }: Entered, { url }: EdgeApp) {
      const auth = client.socketAuth(url);
      const socket: Socket = io(url, { auth, transports: ['websocket'], forceNew: true });
      opened.push(socket);
      const told = new Promise<string | null>((resolve, reject) => {
        const tell = (end: unknown) => void client.socketEnded(end).then(resolve, reject);
        socket.on('disconnect', tell);
        socket.on('connect_error', tell);
      });
      const connected = new Promise<void>((resolve) => socket.on('connect', resolve));
      return { socket, connected, told };
    }

    it('shows the token, and ends with the session', async () => {
      const app = await withAdapter(Chat, IoAdapter);
      const entered = await enter(app);
      const { connected, told } = open(entered, app);
      await connected;
      await app.sessions.revokeAll('ana');
      expect(await told).toBe('session_invalid');
      expect(entered.ends).toEqual(['session_invalid']);
    });

    it('that is refused tells why', async () => {
      const app = await withAdapter(Admins, IoAdapter);
      const customer = await enter(app);
      expect(await open(customer, app).told).toBe('role_required');
      expect(customer.ends).toEqual([]);
      await app.sessions.revokeAll('ana');
      expect(await open(customer, app).told).toBe('session_invalid');
      expect(customer.ends).toEqual(['session_invalid']);
    });

    it('shows the newest token when it connects by itself again', async () => {
      const app = await withAdapter(Chat, IoAdapter);
      const entered = await enter(app);
      const { socket, connected, told } = open(entered, app);
      await connected;
      await entered.client.signIn('/step-up', {});
      expect(await told).toBeNull();
      socket.connect();
      await new Promise<void>((resolve) => socket.once('connect', resolve));
      expect(entered.ends).toEqual([]);
    });
  });
});

it('fits what graphql-ws asks for', () => {
  const client = createSessionClient({
    origin: 'https://api.example.com',
    signOutPath: '/',
    statusPath: '/me',
  });
  const url = 'wss://api.example.com/graphql';
  const options: ClientOptions = {
    url,
    connectionParams: client.connectionParams(url),
    on: { closed: (event) => void client.socketEnded(event) },
  };
  expect(options.connectionParams).toBeInstanceOf(Function);
});
