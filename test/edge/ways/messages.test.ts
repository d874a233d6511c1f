import { Controller, type INestApplication, Injectable, Scope } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  type ClientDuplexStream,
  credentials,
  type GrpcObject,
  loadPackageDefinition,
  type Server,
  type ServiceClientConstructor,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import {
  EventPattern,
  GrpcMethod,
  GrpcStreamCall,
  GrpcStreamMethod,
  MessagePattern,
  Transport,
} from '@nestjs/microservices';
import { SubscribeMessage, WebSocketGateway, WebSocketServer } from '@nestjs/websockets';
import { Test } from '@nestjs/testing';
import { Public, RequireRole, SessionModule } from 'nestjs-sessions';
import { InMemorySessionStore, signInAs } from 'nestjs-sessions/testing';
import { interval, map, type Observable, of } from 'rxjs';
import { io } from 'socket.io-client';
import type { WebSocketServer as WsServer } from 'ws';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { edgeApps } from '../support/edge-apps.js';
import { connect, disconnectAll, heard } from '../support/io-visitor.js';
import { attempt } from '../support/outcomes.js';
import { OwnTransport } from '../support/own-transport.js';
import { noteRuns } from '../support/runs.js';
import { sharedStore } from '../support/shared-store.js';
import { SOCKET_IO, WS } from '../support/socket-clients.js';
import { closeSockets, openSocket, refusedSocket } from '../support/ws-visitor.js';

/* What messages come to, without a session and without any decorator of ours. */

const { ran, note } = noteRuns();
const folders: string[] = [];
const start = edgeApps();
afterEach(closeSockets);
afterEach(disconnectAll);
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

@WebSocketGateway()
class Gateway {
  afterInit(): void {
    note('init');
  }
  handleConnection(): void {
    note('connection');
  }
  handleDisconnect(): void {
    note('disconnect');
  }
  @SubscribeMessage('message') message(): string {
    return note('message');
  }
}

@WebSocketGateway()
@Injectable({ scope: Scope.REQUEST })
class ScopedGateway {
  @SubscribeMessage('message') message(): string {
    return note('message');
  }
}

@WebSocketGateway()
class WithListener {
  afterInit(server: WsServer): void {
    server.on('connection', (socket) => socket.on('message', () => note('listener')));
  }
}

@WebSocketGateway()
class WithMiddleware {
  afterInit(server: { use(middleware: (socket: unknown, next: () => void) => void): void }): void {
    server.use((_, next) => {
      note('middleware');
      next();
    });
  }
}

describe.each([WS, SOCKET_IO])('by $name', ({ adapter, send }) => {
  it('a message is closed', async () => {
    const { port } = await start({
      providers: [Gateway],
      configure: (app) => app.useWebSocketAdapter(adapter(app)),
    });
    await send(port, 'message');
    expect(ran).not.toContain('message');
  });

  it('a message to a gateway with Scope.REQUEST is closed', async () => {
    const { port } = await start({
      providers: [ScopedGateway],
      configure: (app) => app.useWebSocketAdapter(adapter(app)),
    });
    await send(port, 'message');
    expect(ran).toEqual([]);
  });
});

it('what a gateway listens to on its server itself runs for who is let in', async () => {
  const { app, port } = await start({
    providers: [WithListener],
    configure: (nest) => nest.useWebSocketAdapter(WS.adapter(nest)),
  });
  await refusedSocket(port);
  const { bearer } = await signInAs(app, { userId: 'ana' });
  const { socket } = await openSocket(port, { headers: { ...bearer } });
  socket.send('hello');
  while (ran.length === 0) await new Promise(setImmediate);
  expect(ran).toEqual(['listener']);
});

interface ServerOfRooms {
  to(room: string): { emit(event: string, what: string): void };
  in(room: string): { fetchSockets(): Promise<unknown[]> };
}

it('a room of socket.io is heard without the role that led there, until the socket ends', async () => {
  @WebSocketGateway()
  class Rooms {
    @WebSocketServer() server!: ServerOfRooms;
    @RequireRole('admin') @SubscribeMessage('join') join(client: { join(room: string): void }): string {
      client.join('admins');
      return 'joined';
    }
    @SubscribeMessage('other') other(): void {}
  }
  const { app, port, sessions } = await start({
    providers: [Rooms],
    configure: (nest) => nest.useWebSocketAdapter(SOCKET_IO.adapter(nest)),
  });
  const { token } = await signInAs(app, { userId: 'ana', roles: ['admin'] });
  const socket = connect(port, { transports: ['websocket'], auth: { token } });
  expect(await socket.emitWithAck('join')).toBe('joined');
  await sessions.setRoles('ana', []);
  expect(await socket.emitWithAck('join')).toMatchObject({ code: 'role_required' });
  const { server } = app.get(Rooms);
  const news = heard(socket, 'news');
  server.to('admins').emit('news', 'secret');
  expect(await news).toBe('secret');
  const ended = heard(socket, 'disconnect');
  await sessions.revokeAll('ana');
  await ended;
  expect(await server.in('admins').fetchSockets()).toEqual([]);
});

it('what a client answers to a question of the server is judged by nobody', async () => {
  @WebSocketGateway()
  class Asking {
    async handleConnection(client: { emitWithAck(event: string): Promise<string> }): Promise<void> {
      note(await client.emitWithAck('question'));
    }
    @RequireRole('admin') @SubscribeMessage('answer') answer(): void {}
    @SubscribeMessage('message') message(): void {}
  }
  const { app, port, sessions } = await start({
    providers: [Asking],
    configure: (nest) => nest.useWebSocketAdapter(SOCKET_IO.adapter(nest)),
  });
  const { token } = await signInAs(app, { userId: 'ana', roles: ['admin'] });
  const socket = connect(port, { transports: ['websocket'], auth: { token } });
  socket.on('question', async (answer: (text: string) => void) => {
    await sessions.setRoles('ana', []);
    answer('answer');
  });
  while (ran.length === 0) await new Promise(setImmediate);
  expect(ran).toEqual(['answer']);
});

it('a listener of a gateway on a socket runs until that ends, where the session was ended elsewhere too', async () => {
  @WebSocketGateway()
  class Listening {
    handleConnection(client: {
      on(event: string, listener: () => void): void;
      onAny(listener: (event: string) => void): void;
    }): void {
      client.on('own', () => note('listener'));
      client.onAny((event) => note(`any ${event}`));
    }
    @SubscribeMessage('message') message(): void {}
  }
  const configure = (nest: INestApplication) => nest.useWebSocketAdapter(SOCKET_IO.adapter(nest));
  const options = { store: sharedStore() };
  const here = await start({ options });
  const { port, clock } = await start({ providers: [Listening], options, configure });
  const { token } = await signInAs(here.app, { userId: 'ana' });
  const socket = connect(port, { transports: ['websocket'], auth: { token } });
  const untilRan = async () => {
    while (ran.length < 2) await new Promise(setImmediate);
    expect(ran.splice(0)).toEqual(['any own', 'listener']);
  };
  socket.emit('own');
  await untilRan();
  await here.sessions.revokeAll('ana');
  socket.emit('own');
  await untilRan();
  const ended = heard(socket, 'disconnect');
  clock.advance('31s');
  await ended;
});

it('the hooks of a gateway run for who is let in', async () => {
  const { app, port } = await start({
    providers: [Gateway],
    configure: (nest) => nest.useWebSocketAdapter(WS.adapter(nest)),
  });
  await refusedSocket(port);
  expect(ran).toEqual(['init']);
  const { bearer } = await signInAs(app, { userId: 'ana' });
  const { socket } = await openSocket(port, { headers: { ...bearer } });
  socket.close();
  while (!ran.includes('disconnect')) await new Promise(setImmediate);
  expect(ran).toEqual(['init', 'connection', 'disconnect']);
});

it('middleware of socket.io runs for who is let in', async () => {
  const { app, port } = await start({
    providers: [WithMiddleware],
    configure: (nest) => nest.useWebSocketAdapter(SOCKET_IO.adapter(nest)),
  });
  const { token } = await signInAs(app, { userId: 'ana' });
  for (const [auth, outcome] of [
    [{}, 'connect_error'],
    [{ token }, 'connect'],
  ] as const) {
    const socket = io(`http://127.0.0.1:${port}`, { transports: ['websocket'], reconnection: false, auth });
    await new Promise((resolve) => socket.on(outcome, () => resolve(null)));
    socket.disconnect();
  }
  expect(ran).toEqual(['middleware']);
});

it('what a message returns as an Observable goes on without its role, and ends with its socket', async () => {
  @WebSocketGateway()
  class Ticking {
    @RequireRole('admin') @SubscribeMessage('ticks') ticks(): Observable<object> {
      return interval(5).pipe(map(() => ({ event: note('tick') })));
    }
    @SubscribeMessage('other') other(): void {}
  }
  const { app, port, sessions } = await start({
    providers: [Ticking],
    configure: (nest) => nest.useWebSocketAdapter(WS.adapter(nest)),
  });
  const { bearer } = await signInAs(app, { userId: 'ana', roles: ['admin'] });
  const { socket, ended } = await openSocket(port, { headers: { ...bearer } });
  socket.send(JSON.stringify({ event: 'ticks' }));
  const tick = async () => {
    ran.length = 0;
    while (ran.length < 2) await new Promise(setImmediate);
  };
  await tick();
  await sessions.setRoles('ana', ['customer']);
  await tick();
  await sessions.revokeAll('ana');
  await ended;
  ran.length = 0;
  await pause(30);
  expect(ran).toEqual([]);
});

it('constructors of a message to a gateway run for nobody who is not let in', async () => {
  @Injectable({ scope: Scope.REQUEST })
  class OfMessage {
    constructor() {
      note('constructor');
    }
  }
  @WebSocketGateway()
  class Scoped {
    constructor(readonly part: OfMessage) {}
    @RequireRole('admin') @SubscribeMessage('message') message(): void {
      note('message');
    }
    @SubscribeMessage('other') other(): void {}
  }
  const { app, port } = await start({
    providers: [OfMessage, Scoped],
    configure: (nest) => nest.useWebSocketAdapter(WS.adapter(nest)),
  });
  await WS.send(port, 'message').catch(() => {});
  expect(ran).toEqual([]);
  const { bearer } = await signInAs(app, { userId: 'ana' });
  await WS.send(port, 'message', { ...bearer }).catch(() => {});
  expect(ran).not.toContain('message');
});

it('functions in the options of a gateway of ws run for who is let in', async () => {
  @WebSocketGateway({
    verifyClient: () => Boolean(note('verifyClient')),
    handleProtocols: () => note('handleProtocols'),
  })
  class Choosing {
    @SubscribeMessage('message') message(): void {}
  }
  const { port } = await start({
    providers: [Choosing],
    configure: (nest) => nest.useWebSocketAdapter(WS.adapter(nest)),
  });
  await refusedSocket(port);
  expect(ran).toEqual([]);
});

type Engine = { use(middleware: (request: object, response: object, next: () => void) => void): void };
type Done = (error: null, isFit: boolean) => void;

it('functions in the options of a gateway of socket.io, and on its engine, run for whoever connects', async () => {
  const options = {
    cors: { origin: (_: unknown, done: Done) => done(null, Boolean(note('origin'))) },
    allowRequest: (_: unknown, done: Done) => done(null, Boolean(note('allowRequest'))),
  };
  @WebSocketGateway(options)
  class Choosing {
    afterInit({ engine }: { engine: Engine }): void {
      engine.use((_request, _response, next) => {
        note('engine');
        next();
      });
    }
    @SubscribeMessage('message') message(): string {
      return note('message');
    }
  }
  const { port } = await start({
    providers: [Choosing],
    configure: (nest) => nest.useWebSocketAdapter(SOCKET_IO.adapter(nest)),
  });
  await SOCKET_IO.send(port, 'message');
  expect(ran).toEqual(['origin', 'engine', 'allowRequest']);
});

const PATTERN = 'message';

@Controller()
class Messages {
  @MessagePattern(PATTERN) message(): string {
    return note('message');
  }
  @Public() @MessagePattern('public') public(): string {
    return 'public';
  }
}

it.each([{}, { inheritAppConfig: true }])(
  'a message by any other transport is closed, with %p',
  async (hybrid) => {
    const strategy = new OwnTransport();
    await start({
      controllers: [Messages],
      configure: async (app) => {
        app.connectMicroservice({ strategy }, hybrid);
        await app.startAllMicroservices();
      },
    });
    await expect(strategy.receive(PATTERN)).rejects.toBeDefined();
    expect(ran).toEqual([]);
    expect(await strategy.receive('public')).toBe('public');
  },
);

@Controller()
class Events {
  @EventPattern('event') event(message: object): void {
    note(`event ${Object.keys(message).length}`);
  }
}

it('of an event that is refused the transport gets an error, as if its handler had thrown one', async () => {
  const strategy = new OwnTransport();
  await start({
    controllers: [Events],
    configure: async (app) => {
      app.connectMicroservice({ strategy });
      await app.startAllMicroservices();
    },
  });
  await expect(strategy.receive('event')).rejects.toBeDefined();
  expect(ran).toEqual([]);
});

class DecoratedMessage {
  @RequireRole('admin') message(): string {
    return note('message');
  }
}

@Controller()
class OverridingMessage extends DecoratedMessage {
  @MessagePattern(PATTERN) override message(): string {
    return note('message');
  }
}

it('what comes to a microservice before the boot has checked it is closed with the global guard alone', async () => {
  const boot = async (globalGuard: boolean, isInitialized: boolean) => {
    const strategy = new OwnTransport();
    const outcomes: unknown[] = [];
    const configure = async (app: INestApplication) => {
      app.connectMicroservice({ strategy });
      if (isInitialized) await app.init();
      await app.startAllMicroservices();
      outcomes.push(await strategy.receive(PATTERN).catch(() => 'refused'));
    };
    const options = { globalGuard };
    const open = () => start({ controllers: [OverridingMessage], options, configure });
    outcomes.push(await attempt(open, async () => true));
    return outcomes;
  };
  expect((await boot(true, false))[0]).toBe('refused');
  expect(await boot(false, false)).toEqual(['message', 'stops the boot']);
  expect(await boot(false, true)).toEqual(['stops the boot']);
});

@Controller({ scope: Scope.REQUEST })
class ScopedMessages {
  constructor() {
    note('constructor');
  }
  @MessagePattern(PATTERN) message(): string {
    return note('message');
  }
}

it('constructors of a message run before the guard', async () => {
  const strategy = new OwnTransport();
  await start({
    controllers: [ScopedMessages],
    configure: async (app) => {
      app.connectMicroservice({ strategy });
      await app.startAllMicroservices();
    },
  });
  await expect(strategy.receive(PATTERN)).rejects.toBeDefined();
  expect(ran).toEqual(['constructor']);
});

it('hooks before the messages of a microservice alone run before the guard, where Nest has them', async () => {
  const strategy = new OwnTransport();
  const imports = [SessionModule.forRoot({ store: InMemorySessionStore })];
  const module = await Test.createTestingModule({ imports, controllers: [Messages] }).compile();
  const service = module.createNestMicroservice({ strategy });
  service.useLogger(false);
  const hook = (_: unknown, next: () => unknown): unknown => (note('hook'), next());
  if ('registerPreRequestHook' in service) service.registerPreRequestHook(hook as never);
  await service.listen();
  await expect(strategy.receive(PATTERN)).rejects.toBeDefined();
  expect(ran).toEqual('registerPreRequestHook' in service ? ['hook'] : []);
  await service.close();
});

@Controller()
class Calls {
  @GrpcMethod('Calls', 'Unary') unary(): object {
    return { text: note('unary') };
  }
  @GrpcStreamMethod('Calls', 'Stream') stream(): Observable<object> {
    return of({ text: note('stream') });
  }
  @Public() @GrpcMethod('Calls', 'Open') open(): object {
    return { text: 'open' };
  }
}

@Controller()
class RawCalls {
  @GrpcStreamCall('Calls', 'Raw') raw(call: { end(): void }): void {
    call.end();
  }
}

@Controller()
class OpenRawCalls {
  @Public() @GrpcStreamCall('Calls', 'Raw') raw(call: { end(): void }): void {
    note('raw');
    call.end();
  }
}

const method = (isStream: boolean) => ({
  requestType: 'Text',
  responseType: 'Text',
  requestStream: isStream,
  responseStream: isStream,
  comment: '',
});
const definition = (name: string, methods: Record<string, ReturnType<typeof method>>) => {
  const nested = { Text: { fields: { text: { id: 1, type: 'string' } } }, Calls: { methods } };
  return fromJSON({ nested: { [name]: { nested } } });
};
const DEFINITION = definition('ways', {
  Unary: method(false),
  Stream: method(true),
  Raw: method(true),
  Open: method(false),
});
const BESIDE = definition('beside', { Unary: method(false) });

interface Client {
  unary(message: object, callback: (error: Error | null, answer?: object) => void): void;
  open(message: object, callback: (error: Error | null, answer?: object) => void): void;
  stream(): ClientDuplexStream<object, object>;
  raw(): ClientDuplexStream<object, object>;
  close(): void;
}

async function connectGrpc(app: INestApplication, more: object = {}, called = DEFINITION): Promise<Client> {
  const folder = await mkdtemp(join(tmpdir(), 'grpc-'));
  folders.push(folder);
  const url = `unix:${join(folder, 'socket')}`;
  const options = { package: 'ways', packageDefinition: DEFINITION, url, ...more };
  app.connectMicroservice({ transport: Transport.GRPC, options });
  await app.startAllMicroservices();
  const [loaded] = Object.values(loadPackageDefinition(called)) as [GrpcObject];
  const { Calls: Connect } = loaded;
  return new (Connect as ServiceClientConstructor)(url, credentials.createInsecure()) as unknown as Client;
}

it('calls and streams of gRPC are closed', async () => {
  let client: Client | undefined;
  await start({ controllers: [Calls], configure: async (app) => (client = await connectGrpc(app)) });
  const { promise: refused, resolve: refuse } = withResolver<Error | null>();
  client!.unary({ text: '' }, refuse);
  expect(await refused).toBeInstanceOf(Error);
  expect(await endOf(client!.stream())).toBeInstanceOf(Error);
  expect(ran).toEqual([]);
  const { promise: answered, resolve: answer } = withResolver<unknown>();
  client!.open({ text: '' }, (_, text) => answer(text));
  expect(await answered).toEqual({ text: 'open' });
  client!.close();
});

// A guard that refuses one would end the process: Nest leaves the rejection to nobody.
it('a raw stream of gRPC stops the boot', async () => {
  const open = (options = {}) => start({ controllers: [RawCalls], options });
  expect(await attempt(open, async () => true)).toBe('stops the boot');
  expect(
    await attempt(
      () => open({ globalGuard: false }),
      async () => true,
    ),
  ).toBe('open');
});

it('a raw stream of gRPC is open with @Public()', async () => {
  let client: Client | undefined;
  await start({ controllers: [OpenRawCalls], configure: async (app) => (client = await connectGrpc(app)) });
  await endOf(client!.raw());
  expect(ran).toEqual(['raw']);
  client!.close();
});

it('services that onLoadPackageDefinition adds to a server of gRPC have no guard', async () => {
  const unary = (_: unknown, answer: (error: null, text: object) => void): void =>
    answer(null, { text: note('added') });
  const onLoadPackageDefinition = (_: unknown, server: Server): void =>
    server.addService(BESIDE['beside.Calls'] as ServiceDefinition, { unary });
  let client: Client | undefined;
  await start({
    controllers: [Calls],
    configure: async (app) => (client = await connectGrpc(app, { onLoadPackageDefinition }, BESIDE)),
  });
  const { promise, resolve } = withResolver<unknown>();
  client!.unary({ text: '' }, (_, answer) => resolve(answer));
  expect(await promise).toEqual({ text: 'added' });
  client!.close();
});

/** What comes first of a stream: an error, a message or its end. */
function endOf(stream: ClientDuplexStream<object, object>): Promise<unknown> {
  const { promise, resolve } = withResolver<unknown>();
  stream.on('error', resolve).on('end', resolve).on('data', resolve);
  stream.write({ text: '' });
  stream.end();
  return promise;
}

function withResolver<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  return { promise: new Promise<T>((resolvePromise) => (resolve = resolvePromise)), resolve };
}
