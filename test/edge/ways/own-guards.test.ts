import { type CanActivate, Controller, Get, type INestApplication } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { APP_GUARD } from '@nestjs/core';
import { Field, ID, ObjectType, Query, ResolveReference, Resolver, Directive } from '@nestjs/graphql';
import { MessagePattern } from '@nestjs/microservices';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { Public, SessionGuard } from 'nestjs-sessions';
import { edgeApps } from '../support/edge-apps.js';
import { ask, subgraph } from '../support/graphql.js';
import { attempt } from '../support/outcomes.js';
import { OwnTransport } from '../support/own-transport.js';
import { noteRuns } from '../support/runs.js';
import { SOCKET_IO, WS } from '../support/socket-clients.js';

/* What comes in without a session, and without any decorator of ours, where the guard is put there by the application. */

const { ran, note } = noteRuns();
const start = edgeApps();

@Controller()
class Routes {
  @Get('route') route(): string {
    return note('route');
  }
  @MessagePattern('message') message(): string {
    return note('message');
  }
}

@WebSocketGateway()
class Gateway {
  handleConnection(): void {
    note('connection');
  }
  @SubscribeMessage('message') message(): string {
    return note('socket message');
  }
}

const APP_GUARDS = [
  { provide: APP_GUARD, useExisting: SessionGuard },
  { provide: APP_GUARD, useFactory: (guard: SessionGuard): CanActivate => guard, inject: [SessionGuard] },
];

/** A guard of the application that asks it. */
const asking = (guard: SessionGuard): CanActivate => ({
  canActivate: (context) => guard.canActivate(context),
});

const guardOf = (app: INestApplication) => app.get(SessionGuard, { strict: false });

describe.each([{}, { inheritAppConfig: true }])('an application that is connected with %p', (hybrid) => {
  describe.each([WS, SOCKET_IO])('and has gateways of $name', ({ adapter, send }) => {
    async function visit(provider: object | null, give?: (app: INestApplication) => void): Promise<void> {
      const strategy = new OwnTransport();
      const { url, port } = await start({
        controllers: [Routes],
        providers: [Gateway, ...(provider ? [provider as never] : [])],
        options: { globalGuard: false },
        configure: async (app) => {
          give?.(app);
          app.useWebSocketAdapter(adapter(app));
          app.connectMicroservice({ strategy }, hybrid);
          await app.startAllMicroservices();
        },
      });
      await fetch(`${url}/route`);
      await strategy.receive('message').catch(() => {});
      await send(port, 'message').catch(() => {});
    }

    it.each(APP_GUARDS)(
      'SessionGuard as APP_GUARD closes all that the global one does: %p',
      async (guard) => {
        await visit(guard);
        expect(ran).toEqual([]);
      },
    );

    it('SessionGuard in useGlobalGuards() stops the boot', async () => {
      await expect(visit(null, (app) => app.useGlobalGuards(guardOf(app)))).rejects.toThrow(
        'useGlobalGuards()',
      );
    });

    it('a guard of the application that asks SessionGuard closes what Nest asks it for', async () => {
      await visit(null, (app) => app.useGlobalGuards(asking(guardOf(app))));
      expect(ran).not.toContain('route');
      expect(ran).toContain('connection');
      expect(ran.includes('message')).toBe(!('inheritAppConfig' in hybrid));
    });
  });
});

@ObjectType()
@Directive('@key(fields: "id")')
class User {
  @Field(() => ID) id!: string;
}

@Resolver(() => User)
class Users {
  @Public() @Query(() => User) user(): User {
    return { id: '1' };
  }
  @ResolveReference() reference({ id }: User): User {
    return { id: note(id) };
  }
}

it('a reference without a decorator is open with globalGuard: false, and stops the boot with SessionGuard as APP_GUARD', async () => {
  const [guard] = APP_GUARDS;
  const open = (providers: object[]) =>
    start({
      imports: [subgraph()],
      providers: [Users, ...(providers as never[])],
      options: { globalGuard: false },
    });
  await ask(
    await open([]),
    '{ _entities(representations: [{ __typename: "User", id: "7" }]) { ... on User { id } } }',
  );
  expect(ran).toEqual(['7']);
  expect(
    await attempt(
      () => open([guard!]),
      async () => true,
    ),
  ).toBe('stops the boot');
});
