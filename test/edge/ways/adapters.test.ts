import type { WebSocketAdapter } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { WsAdapter } from '@nestjs/platform-ws';
import { AbstractWsAdapter, SubscribeMessage, WebSocketGateway, WebSocketServer } from '@nestjs/websockets';
import { OptionalSession, Public, RequireRole } from 'nestjs-sessions';
import { signInAs } from 'nestjs-sessions/testing';
import { EventEmitter } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { edgeApps } from '../support/edge-apps.js';
import { connect, disconnectAll, outcomeOf } from '../support/io-visitor.js';
import { attempt } from '../support/outcomes.js';
import { noteRuns } from '../support/runs.js';
import { SOCKET_IO, WS } from '../support/socket-clients.js';
import { closeSockets, openSocket, refusedSocket } from '../support/ws-visitor.js';

/* What adapters of the application, and gateways beside each other, let in. */

const { ran, note } = noteRuns();
const start = edgeApps();
afterEach(closeSockets);

@WebSocketGateway()
class Gateway {
  handleConnection(): void {
    note('connection');
  }
  @SubscribeMessage('message') message(): string {
    return note('message');
  }
}

/** As Nest's documentation has it for Redis: with an adapter of socket.io of its own. */
class ClusteredIoAdapter extends IoAdapter {
  override createIOServer(port: number, options?: never): ReturnType<IoAdapter['createIOServer']> {
    const server = super.createIOServer(port, options);
    const Adapter = server.sockets.adapter.constructor as new () => object;
    server.adapter(class extends Adapter {} as never);
    return server;
  }
}

class LimitedWsAdapter extends WsAdapter {
  override create(port: number, options: never): unknown {
    return super.create(port, { ...(options as object), maxPayload: 1_000 } as never);
  }
}

describe.each(['express', 'fastify'] as const)('on %s', (platform) => {
  describe.each([
    { name: 'IoAdapter', make: (app: never) => new ClusteredIoAdapter(app), send: SOCKET_IO.send },
    { name: 'WsAdapter', make: (app: never) => new LimitedWsAdapter(app), send: WS.send },
  ])('an adapter that extends $name', ({ make, send }) => {
    it('is guarded', async () => {
      const configure = (app: { useWebSocketAdapter(adapter: WebSocketAdapter): unknown }) =>
        app.useWebSocketAdapter(make(app as never));
      const { app, port } = await start({ platform, providers: [Gateway], configure });
      expect(await send(port, 'message').catch(() => null)).toBeNull();
      expect(ran).toEqual([]);
      const { bearer } = await signInAs(app, { userId: 'ana' });
      await send(port, 'message', { ...bearer });
      expect(ran).toEqual(['connection', 'message']);
    });
  });
});

interface Engine {
  attach(server: object): void;
  onWebTransportSession(session: object): Promise<void>;
  close(): void;
}

interface BindingServer {
  readonly engine: Engine;
  bind(engine: Engine): void;
}

@WebSocketGateway()
class Binding {
  @WebSocketServer() server!: BindingServer;
  handleConnection(): void {
    note('connection');
  }
  @SubscribeMessage('message') message(): string {
    return note('message');
  }
}

it('by another engine of socket.io nobody connects without a token of its own', async () => {
  const { app } = await start({
    providers: [Binding],
    configure: (nest) => nest.useWebSocketAdapter(SOCKET_IO.adapter(nest)),
  });
  const { server } = app.get(Binding);
  const engine = new (server.engine.constructor as new () => Engine)();
  const own = createServer();
  engine.attach(own);
  server.bind(engine);
  await new Promise<void>((resolve) => own.listen(0, '127.0.0.1', resolve));
  const { port } = own.address() as AddressInfo;
  const { token, bearer } = await signInAs(app, { userId: 'ana' });
  const by = (options: object) =>
    outcomeOf(connect(port, { transports: ['websocket'], path: '/engine.io', ...options }));
  expect(await by({})).toBe('session_required');
  expect(await by({ extraHeaders: { ...bearer } })).toBe('session_required');
  expect(ran).toEqual([]);
  expect(await by({ auth: { token } })).toBe('connected');
  disconnectAll();
  engine.close();
  own.close();
});

it('WebTransport of socket.io is closed to everybody', async () => {
  const { app } = await start({
    providers: [Binding],
    configure: (nest) => nest.useWebSocketAdapter(SOCKET_IO.adapter(nest)),
  });
  await app.get(Binding).server.engine.onWebTransportSession({ close: () => note('closed') });
  expect(ran).toEqual(['closed']);
});

type Handlers = readonly { readonly message: unknown; callback(data: object): unknown }[];

/** A server that no package of Nest has. */
class OwnAdapter extends AbstractWsAdapter {
  readonly server = Object.assign(new EventEmitter(), { close: () => {} });
  private handlers: Handlers = [];

  create(): object {
    return this.server;
  }
  bindMessageHandlers(_client: object, handlers: Handlers): void {
    this.handlers = handlers;
  }
  override async close(): Promise<void> {}

  async visit(message: string): Promise<unknown> {
    this.server.emit('connection', new EventEmitter());
    await new Promise(setImmediate);
    return this.handlers.find((handler) => handler.message === message)?.callback({});
  }
}

@WebSocketGateway()
class OpenGateway {
  handleConnection(): void {
    note('connection');
  }
  @Public() @SubscribeMessage('public') public(): string {
    return note('public');
  }
  @OptionalSession() @SubscribeMessage('optional') optional(): string {
    return note('optional');
  }
  @SubscribeMessage('message') message(): string {
    return note('message');
  }
}

describe('an adapter with a server of its own', () => {
  const open = (gateway: typeof Gateway | typeof OpenGateway, adapter: OwnAdapter) =>
    start({ providers: [gateway], configure: (app) => app.useWebSocketAdapter(adapter) });

  it('stops the boot, where strangers may not connect', async () => {
    expect(
      await attempt(
        () => open(Gateway, new OwnAdapter({} as never)),
        async () => true,
      ),
    ).toBe('stops the boot');
  });

  it('lets everybody connect, where strangers may, and refuses what needs a session', async () => {
    const adapter = new OwnAdapter({} as never);
    await open(OpenGateway, adapter);
    for (const message of ['public', 'optional', 'message']) await adapter.visit(message);
    expect(ran).toEqual(['connection', 'public', 'connection', 'optional', 'connection']);
  });
});

@WebSocketGateway()
class Admins {
  @WebSocketServer() server!: { clients: Set<{ send(text: string): void }> };
  handleConnection(): void {
    note('connection of admins');
  }
  @RequireRole('admin') @SubscribeMessage('rule') rule(): string {
    return note('rule');
  }
  tell(): void {
    for (const client of this.server.clients)
      client.send(JSON.stringify({ event: 'news', data: 'of admins' }));
  }
}

it('of two gateways on one server each connection is one of both, let in by either, and messages are judged by themselves', async () => {
  const { app, port } = await start({
    providers: [Gateway, Admins],
    configure: (nest) => nest.useWebSocketAdapter(WS.adapter(nest)),
  });
  await refusedSocket(port);
  expect(ran).toEqual([]);
  const { bearer } = await signInAs(app, { userId: 'ana', roles: ['customer'] });
  const { ask, socket } = await openSocket(port, { headers: { ...bearer } });
  expect(await ask('rule')).toMatchObject({ event: 'exception', data: { code: 'role_required' } });
  expect(new Set(ran)).toEqual(new Set(['connection', 'connection of admins']));
  const heard = new Promise((resolve) => socket.once('message', (text) => resolve(String(text))));
  app.get(Admins).tell();
  expect(await heard).toContain('of admins');
});
