import { Controller, Get, type INestApplication, UseGuards } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { APP_GUARD } from '@nestjs/core';
import { Query, Resolver } from '@nestjs/graphql';
import { MessagePattern } from '@nestjs/microservices';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  AllowAnonymous,
  Background,
  CurrentSession,
  Public,
  RequireRole,
  RequireSession,
  SessionGuard,
} from 'nestjs-sessions';
import { signInAs } from 'nestjs-sessions/testing';
import { io } from 'socket.io-client';
import { edgeApps } from '../support/edge-apps.js';
import { APOLLO, ask } from '../support/graphql.js';
import { OwnTransport } from '../support/own-transport.js';
import { noteRuns } from '../support/runs.js';
import { SOCKET_IO, WS } from '../support/socket-clients.js';

/* What comes in without a session where the guard is not global, by what stands on it. */

const { ran, note } = noteRuns();
const start = edgeApps();
const NOTHING: MethodDecorator = () => {};
const ALL = ['route', 'query', 'message', 'connection', 'socket message'];

/** A handler of each kind, each with these decorators. */
function handlersWith(decorator: MethodDecorator, ofClass: ClassDecorator = () => {}) {
  @ofClass
  @Controller()
  class Routes {
    @decorator @Get('route') route(@CurrentSession() session: unknown): string {
      expect(session).toBeNull();
      return note('route');
    }
    @decorator @MessagePattern('message') message(): string {
      return note('message');
    }
  }
  @ofClass
  @Resolver()
  class Queries {
    @decorator @Query(() => String) query(@CurrentSession() session: unknown): string {
      expect(session).toBeNull();
      return note('query');
    }
  }
  @ofClass
  @WebSocketGateway()
  class Gateway {
    handleConnection(): void {
      note('connection');
    }
    @decorator @SubscribeMessage('message') message(): string {
      return note('socket message');
    }
  }
  return { controllers: [Routes], providers: [Queries, Gateway] };
}

describe.each([WS, SOCKET_IO])('without the global guard, with gateways of $name', ({ adapter, send }) => {
  async function visit(handlers: ReturnType<typeof handlersWith>): Promise<void> {
    const strategy = new OwnTransport();
    const app = await start({
      ...handlers,
      imports: [APOLLO.module()],
      options: { globalGuard: false },
      configure: async (nest: INestApplication) => {
        nest.useWebSocketAdapter(adapter(nest));
        nest.connectMicroservice({ strategy });
        await nest.startAllMicroservices();
      },
    });
    await fetch(`${app.url}/route`);
    await ask(app, '{ query }');
    await strategy.receive('message').catch(() => {});
    await send(app.port, 'message').catch(() => {});
  }

  it('without a decorator all is open, connections too', async () => {
    await visit(handlersWith(NOTHING));
    expect(ran).toEqual(ALL);
  });

  it.each([RequireSession(), RequireRole('admin'), AllowAnonymous(), Background()])(
    'with a decorator on it all is guarded, connections too: %#',
    async (decorator) => {
      await visit(handlersWith(decorator));
      expect(ran).toEqual([]);
    },
  );

  it('with a decorator on its class all is guarded, connections too', async () => {
    await visit(handlersWith(NOTHING, RequireSession()));
    expect(ran).toEqual([]);
  });

  it('with @Public() all is open', async () => {
    await visit(handlersWith(Public()));
    expect(ran).toEqual(ALL);
  });

  it('one message without a decorator lets strangers connect, to the messages that are open', async () => {
    @WebSocketGateway()
    class Mixed {
      handleConnection(): void {
        note('connection');
      }
      @SubscribeMessage('open') open(): string {
        return note('open');
      }
      @RequireSession() @SubscribeMessage('closed') closed(): string {
        return note('closed');
      }
    }
    const { port } = await start({
      providers: [Mixed],
      options: { globalGuard: false },
      configure: (app) => app.useWebSocketAdapter(adapter(app)),
    });
    await send(port, 'open').catch(() => {});
    await send(port, 'closed').catch(() => {});
    expect(ran).toEqual(['connection', 'open', 'connection']);
  });
});

@Controller()
class ByHand {
  @UseGuards(SessionGuard) @Get('route') route(): void {}
}

@UseGuards(SessionGuard)
@Resolver()
class QueriesByHand {
  @Query(() => String) query(): string {
    return '';
  }
}

@WebSocketGateway()
class GatewayByHand {
  @UseGuards(SessionGuard) @SubscribeMessage('message') message(): void {}
}

describe.each([true, false])('with globalGuard: %p', (globalGuard) => {
  it.each([{ controllers: [ByHand] }, { providers: [QueriesByHand] }, { providers: [GatewayByHand] }])(
    '@UseGuards(SessionGuard) stops the boot, and says what to write: %#',
    async (types) => {
      const boot = start({ ...types, options: { globalGuard } });
      await expect(boot).rejects.toThrow('put @RequireSession() there instead');
    },
  );

  it.each([SessionGuard, { provide: APP_GUARD, useClass: SessionGuard }])(
    'a SessionGuard that another module makes stops the boot: %#',
    async (provider) => {
      const boot = start({ providers: [provider], options: { globalGuard } });
      await expect(boot).rejects.toThrow('SessionGuard');
    },
  );
});

it('without the global guard, a namespace of socket.io that no gateway has needs a sign-in', async () => {
  @WebSocketGateway({ namespace: 'chat' })
  class Chat {
    @SubscribeMessage('message') message(): void {}
  }
  const { app, port } = await start({
    providers: [Chat],
    options: { globalGuard: false },
    configure: (nest) => nest.useWebSocketAdapter(SOCKET_IO.adapter(nest)),
  });
  const { bearer } = await signInAs(app, { userId: 'ana' });
  const isLetIn = (namespace: string, headers: Record<string, string>) =>
    new Promise<boolean>((resolve) => {
      const options = {
        transports: ['websocket'],
        extraHeaders: headers,
        reconnection: false,
        forceNew: true,
      };
      const socket = io(`http://127.0.0.1:${port}${namespace}`, options);
      const end = (isIn: boolean) => (socket.disconnect(), resolve(isIn));
      socket.on('connect', () => end(true));
      socket.on('connect_error', () => end(false));
    });
  expect(await isLetIn('/chat', {})).toBe(true);
  expect(await isLetIn('/', {})).toBe(false);
  expect(await isLetIn('/', { ...bearer })).toBe(true);
});
