import {
  All,
  Controller,
  Get,
  Head,
  type INestApplication,
  Injectable,
  SetMetadata,
  Sse,
  type Type,
} from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { Mutation, Query, Resolver, Subscription } from '@nestjs/graphql';
import { MessagePattern } from '@nestjs/microservices';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  AllowAnonymous,
  type AnonymousSession,
  CurrentSession,
  EndSession,
  EnsureSession,
  OptionalSession,
  type SessionPrincipal,
  sessionOf,
  StartSession,
} from 'nestjs-sessions';
import { signInAs } from 'nestjs-sessions/testing';
import { EMPTY } from 'rxjs';
import { edgeApps } from '../support/edge-apps.js';
import { APOLLO, ask, MERCURIUS } from '../support/graphql.js';
import { attempt } from '../support/outcomes.js';
import { OwnTransport } from '../support/own-transport.js';
import { noteRuns } from '../support/runs.js';
import { SOCKET_IO, WS } from '../support/socket-clients.js';

/* The decorators that ask for less, above all where there is no request. */

const { ran, note } = noteRuns();
const start = edgeApps();

@WebSocketGateway()
class Guests {
  @OptionalSession() @SubscribeMessage('optional') optional(client: object): string {
    return note(`optional of ${sessionOf(client)?.userId}`);
  }
}

@WebSocketGateway()
class Visitors {
  @AllowAnonymous() @SubscribeMessage('anonymous') anonymous(client: object): string {
    return note(`anonymous of ${sessionOf(client)?.userId}`);
  }
}

describe.each([WS, SOCKET_IO])('by $name', ({ adapter, send }) => {
  const open = (gateway: Type) =>
    start({ providers: [gateway], configure: (app) => app.useWebSocketAdapter(adapter(app)) });

  it('a message with @OptionalSession() is open, and so are connections', async () => {
    const { app, port } = await open(Guests);
    const { bearer } = await signInAs(app, { userId: 'ana' });
    await send(port, 'optional');
    await send(port, 'optional', { ...bearer });
    expect(ran).toEqual(['optional of undefined', 'optional of ana']);
  });

  it('a message with @AllowAnonymous() needs a session, that of nobody is enough', async () => {
    const { port, sessions } = await open(Visitors);
    expect(await send(port, 'anonymous').catch(() => null)).toBeNull();
    const { token } = await sessions.createAnonymous();
    await send(port, 'anonymous', { authorization: `Bearer ${token}` });
    expect(ran).toEqual(['anonymous of null']);
  });
});

@Controller()
class Routes {
  @AllowAnonymous() @Get('anonymous') anonymous(): string {
    return note('anonymous');
  }
}

it.each(['express', 'fastify'] as const)(
  'a route with @AllowAnonymous() needs a session, that of nobody is enough',
  async (platform) => {
    const { url, sessions } = await start({ platform, controllers: [Routes] });
    expect((await fetch(`${url}/anonymous`)).status).toBe(401);
    const { token } = await sessions.createAnonymous();
    expect((await fetch(`${url}/anonymous`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(
      200,
    );
    expect(ran).toEqual(['anonymous']);
  },
);

@Resolver()
class Queries {
  @OptionalSession() @Query(() => String) optional(@CurrentSession('userId') userId: string | null): string {
    return note(`optional of ${userId}`);
  }
  @AllowAnonymous() @Query(() => String) anonymous(@CurrentSession('userId') userId: string | null): string {
    return note(`anonymous of ${userId}`);
  }
  @EnsureSession() @Mutation(() => String) ensured(@CurrentSession() session: AnonymousSession): string {
    return note(`ensured of ${session.userId}`);
  }
}

describe.each([APOLLO, MERCURIUS])('by $name', ({ platform, module }) => {
  it('queries and mutations with decorators that ask for less are as routes with them', async () => {
    const app = await start({ platform, imports: [module()], providers: [Queries] });
    await ask(app, '{ optional }');
    await ask(app, '{ anonymous }');
    await ask(app, 'mutation { ensured }');
    const { token } = await app.sessions.createAnonymous();
    await ask(app, '{ anonymous }', { authorization: `Bearer ${token}` });
    expect(ran).toEqual(['optional of null', 'ensured of null', 'anonymous of null']);
  });

  it('a query with @EnsureSession() or @EndSession() stops the boot', async () => {
    for (const decorator of [EnsureSession(), EndSession()]) {
      @Resolver()
      class Reading {
        @decorator @Query(() => String) query(): string {
          return '';
        }
      }
      const boot = () => start({ platform, imports: [module()], providers: [Reading] });
      expect(await attempt(boot, async () => true)).toBe('stops the boot');
    }
  });
});

const DOORS = [StartSession, EndSession, EnsureSession] as unknown as readonly (() => MethodDecorator)[];

it.each(DOORS)('a subscription, or server-sent events, with %p stop the boot', async (Decorator) => {
  @Resolver()
  class Events {
    @Query(() => String) query(): string {
      return '';
    }
    @Decorator() @Subscription(() => String) async *events(): AsyncGenerator<object> {}
  }
  @Controller()
  class Streams {
    @Decorator() @Sse('stream') stream(): typeof EMPTY {
      return EMPTY;
    }
  }
  const subscriptions = () => start({ imports: [APOLLO.module()], providers: [Events] });
  expect(await attempt(subscriptions, async () => true)).toBe('stops the boot');
  expect(
    await attempt(
      () => start({ controllers: [Streams] }),
      async () => true,
    ),
  ).toBe('stops the boot');
});

it.each([All, Head])('a route of %p with @EndSession() or @EnsureSession() stops the boot', async (Verb) => {
  for (const decorator of [EnsureSession(), EndSession()]) {
    @Controller()
    class Reading {
      @decorator @Verb('door') door(): void {}
    }
    expect(
      await attempt(
        () => start({ controllers: [Reading] }),
        async () => true,
      ),
    ).toBe('stops the boot');
  }
});

@Controller()
class Doors {
  @StartSession() @MessagePattern('start') start(): SessionPrincipal {
    return { userId: note('start') };
  }
  @EndSession() @MessagePattern('end') end(): string {
    return note('end');
  }
  @EnsureSession() @MessagePattern('ensure') ensure(): string {
    return note('ensure');
  }
}

it('a message of a microservice with @StartSession(), @EndSession() or @EnsureSession() is refused', async () => {
  const strategy = new OwnTransport();
  const configure = async (app: INestApplication) => {
    app.connectMicroservice({ strategy });
    await app.startAllMicroservices();
  };
  await start({ controllers: [Doors], configure });
  for (const pattern of ['start', 'end', 'ensure'])
    await expect(strategy.receive(pattern)).rejects.toBeDefined();
  expect(ran).toEqual([]);
});

@Controller()
class Messages {
  @OptionalSession() @MessagePattern('optional') optional(): string {
    return note('optional');
  }
  @AllowAnonymous() @MessagePattern('anonymous') anonymous(): string {
    return note('anonymous');
  }
}

it('a message of a microservice with @OptionalSession() or @AllowAnonymous() is refused', async () => {
  const strategy = new OwnTransport();
  const configure = async (app: INestApplication) => {
    app.connectMicroservice({ strategy });
    await app.startAllMicroservices();
  };
  await start({ controllers: [Messages], configure });
  for (const pattern of ['optional', 'anonymous'])
    await expect(strategy.receive(pattern)).rejects.toBeDefined();
  expect(ran).toEqual([]);
});

@Injectable()
class OptionalCommand {
  @OptionalSession() @SetMetadata('bot:command', true) command(): string {
    return note('command');
  }
}

@Injectable()
class AnonymousCommand {
  @AllowAnonymous() @SetMetadata('bot:command', true) command(): string {
    return note('command');
  }
}

it.each([OptionalCommand, AnonymousCommand])(
  'on what another library calls, %p stops the boot',
  async (type) => {
    const boot = () => start({ providers: [type] });
    expect(await attempt(boot, async () => true)).toBe('stops the boot');
  },
);
