import {
  Controller,
  Get,
  Injectable,
  type INestApplicationContext,
  type MiddlewareConsumer,
  Module,
  Scope,
  type Type,
} from '@nestjs/common';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { LazyModuleLoader, ModuleRef, NestFactory, repl } from '@nestjs/core';
import { EventEmitter2, EventEmitterModule, OnEvent } from '@nestjs/event-emitter';
import { MessagePattern } from '@nestjs/microservices';
import { Query, Resolver } from '@nestjs/graphql';
import { Cron, Interval, ScheduleModule, SchedulerRegistry, Timeout } from '@nestjs/schedule';
import { WsAdapter } from '@nestjs/platform-ws';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { RequireRole, SessionModule } from 'nestjs-sessions';
import { InMemorySessionStore } from 'nestjs-sessions/testing';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { edgeApps } from '../support/edge-apps.js';
import { APOLLO, ask } from '../support/graphql.js';
import { attempt } from '../support/outcomes.js';
import { OwnTransport } from '../support/own-transport.js';
import { noteRuns } from '../support/runs.js';
import { WS } from '../support/socket-clients.js';

/* What the application calls by itself, without any request, and what it makes after its boot. */

const { ran, note } = noteRuns();
const start = edgeApps();
const contexts: INestApplicationContext[] = [];
afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close();
});

@Injectable()
class Payments {
  pay(): string {
    return note('pay');
  }
}

@Injectable()
class GuardedPayments {
  @RequireRole('admin') pay(): string {
    return note('pay');
  }
}

@Injectable()
class Hooks {
  onModuleInit(): void {
    note('init');
  }
  onApplicationBootstrap(): void {
    note('bootstrap');
  }
  onModuleDestroy(): void {
    note('destroy');
  }
  beforeApplicationShutdown(): void {
    note('before shutdown');
  }
  onApplicationShutdown(): void {
    note('shutdown');
  }
}

@Injectable()
class Jobs {
  @Cron('0 0 1 1 *', { name: 'yearly' }) cron(): void {
    note('cron');
  }
  @Interval(5) interval(): void {
    note('interval');
  }
  @Timeout(5) timeout(): void {
    note('timeout');
  }
}

@Controller('lazy')
class LazyController {
  @Get() lazy(): string {
    return note('lazy');
  }
  @RequireRole('admin') @Get('admin') admin(): string {
    return note('admin');
  }
  @MessagePattern('lazy') message(): string {
    return note('message');
  }
}

@Resolver()
class LazyResolver {
  @Query(() => String) lazy(): string {
    return note('query');
  }
}

@WebSocketGateway()
class LazyGateway {
  handleConnection(): void {
    note('connection');
  }
  @SubscribeMessage('lazy') message(): string {
    return note('message');
  }
}

@Module({
  controllers: [LazyController],
  providers: [LazyResolver, LazyGateway, GuardedPayments, Jobs],
  exports: [GuardedPayments],
})
class LazyModule {}

@Injectable()
class LazyParts {
  use(_request: unknown, _response: unknown, next: () => void): void {
    note('middleware');
    next();
  }
  @OnEvent('lazy') heard(): void {
    note('listener');
  }
  @Interval(1) interval(): void {
    note('interval');
  }
  onModuleInit(): void {
    note('hook');
  }
}

@Module({ controllers: [LazyController], providers: [LazyParts] })
class LazyWithParts {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(LazyParts).forRoutes('*path');
  }
}

@Resolver()
class Hello {
  @Query(() => String) hello(): string {
    return 'hello';
  }
}

@Module({ controllers: [LazyController] })
class LazyWithRoutes {}

/** As factories do it whose provider comes from a lazy module: before the routes are there. */
const loading = (module: Type) => ({
  provide: 'loaded',
  inject: [LazyModuleLoader],
  useFactory: (loader: LazyModuleLoader) => loader.load(() => module),
});

const SCOPED = { provide: 'payments', scope: Scope.REQUEST, useFactory: () => new GuardedPayments() };

const sessions = () => SessionModule.forRoot({ store: InMemorySessionStore });

@Module({ imports: [sessions()], providers: [Payments] })
class Console {}

@Module({ imports: [sessions()], providers: [GuardedPayments] })
class GuardedConsole {}

@WebSocketGateway()
class Gateway {
  @SubscribeMessage('message') message(): string {
    return note('message');
  }
}

describe.each(['express', 'fastify'] as const)('on %s', (platform) => {
  it('lifecycle hooks run without a request', async () => {
    const { app } = await start({ platform, providers: [Hooks] });
    await app.close();
    expect(ran).toEqual(['init', 'bootstrap', 'destroy', 'before shutdown', 'shutdown']);
  });

  it('scheduled methods run without a request', async () => {
    const { app } = await start({ platform, imports: [ScheduleModule.forRoot()], providers: [Jobs] });
    void app.get(SchedulerRegistry).getCronJob('yearly').fireOnTick();
    while (new Set(ran).size < 3) await new Promise(setImmediate);
  });

  it('the controllers of a lazy module have no routes', async () => {
    const { app, url } = await start({ platform });
    await app.get(LazyModuleLoader).load(() => LazyModule);
    expect((await fetch(`${url}/lazy`)).status).toBe(404);
  });

  it('messages, middleware, listeners, schedules and hooks of a lazy module are not called', async () => {
    const strategy = new OwnTransport();
    const { app, url } = await start({
      platform,
      imports: [EventEmitterModule.forRoot(), ScheduleModule.forRoot()],
      configure: async (app) => {
        app.connectMicroservice({ strategy });
        await app.startAllMicroservices();
      },
    });
    await app.get(LazyModuleLoader).load(() => LazyWithParts);
    app.get(EventEmitter2).emit('lazy');
    await fetch(`${url}/lazy`);
    await pause(20);
    expect(strategy.getHandlers().size).toBe(0);
    expect(ran).toEqual([]);
  });

  it('the routes of a module that a factory loads during the boot are closed', async () => {
    const { url } = await start({ platform, providers: [loading(LazyWithRoutes)] });
    expect((await fetch(`${url}/lazy`)).status).toBe(401);
    expect((await fetch(`${url}/lazy/admin`)).status).toBe(401);
    expect(ran).toEqual([]);
  });

  it('a decorator without a guard in a module that a factory loads during the boot stops it', async () => {
    const open = () => start({ platform, providers: [loading(LazyModule)] });
    expect(await attempt(open, async () => true)).toBe('stops the boot');
  });

  it('what ModuleRef.create() makes has no routes', async () => {
    const { app, url } = await start({ platform });
    await app.get(ModuleRef).create(LazyController);
    expect((await fetch(`${url}/lazy`)).status).toBe(404);
  });
});

it('the resolvers and gateways of a lazy module are not called', async () => {
  const server = await start({
    imports: [APOLLO.module()],
    providers: [Hello],
    configure: (app) => app.useWebSocketAdapter(WS.adapter(app)),
  });
  await server.app.get(LazyModuleLoader).load(() => LazyModule);
  expect((await ask(server, '{ lazy }')).errors).toHaveLength(1);
  expect(await WS.send(server.port, 'lazy').catch(() => null)).toBeNull();
  expect(ran).toEqual([]);
});

it('a decorator on what is made or loaded after boot has no effect', async () => {
  const { app } = await start({});
  const lazy = await app.get(LazyModuleLoader).load(() => LazyModule);
  expect(lazy.get(GuardedPayments).pay()).toBe('pay');
  expect((await app.get(ModuleRef).create(GuardedPayments)).pay()).toBe('pay');
  expect(new GuardedPayments().pay()).toBe('pay');
});

it('a decorator on what a factory makes for each request has no effect', async () => {
  const { app } = await start({ providers: [SCOPED] });
  const payments = await app
    .get(ModuleRef)
    .resolve<GuardedPayments>('payments', undefined, { strict: false });
  expect(payments.pay()).toBe('pay');
});

class DecoratedAdapter extends WsAdapter {
  @RequireRole('admin') override create(port: number, options?: never): unknown {
    note('adapter');
    return super.create(port, options);
  }
}

class DecoratedTransport extends OwnTransport {
  @RequireRole('admin') override listen(callback: () => void): void {
    note('transport');
    callback();
  }
}

class DecoratedPlugin {
  @RequireRole('admin') async requestDidStart(): Promise<void> {
    note('plugin');
  }
}

it('a decorator on what Nest is given without a module, but for guards and the like, has no effect', async () => {
  const server = await start({
    imports: [APOLLO.module({ plugins: [new DecoratedPlugin()] })],
    providers: [Hello, Gateway],
    configure: async (app) => {
      app.useWebSocketAdapter(new DecoratedAdapter(app));
      app.connectMicroservice({ strategy: new DecoratedTransport() });
      await app.startAllMicroservices();
    },
  });
  await ask(server, '{ hello }');
  expect(new Set(ran)).toEqual(new Set(['adapter', 'transport', 'plugin']));
});

it('what an application context gives out runs without a request', async () => {
  const context = await NestFactory.createApplicationContext(Console, { logger: false });
  contexts.push(context);
  expect(context.get(Payments).pay()).toBe('pay');
});

it('a decorator without a guard stops the boot of an application context', async () => {
  const boot = NestFactory.createApplicationContext(GuardedConsole, { logger: false, abortOnError: false });
  await expect(boot).rejects.toThrow('GuardedPayments.pay has session decorators');
});

it('what is called in the REPL runs without a request', async () => {
  // Where it logs whatever one says.
  jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  const input = new PassThrough();
  const server = await repl(Console, { input, output: new PassThrough(), terminal: false } as never);
  const { get } = server.context as { get(type: typeof Payments): Payments };
  expect(get(Payments).pay()).toBe('pay');
  const left = once(server, 'exit');
  server.close();
  await left;
  jest.restoreAllMocks();
});
