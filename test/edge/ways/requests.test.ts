import {
  type ArgumentsHost,
  type CallHandler,
  Catch,
  Controller,
  type ExecutionContext,
  Get,
  Head,
  Injectable,
  type INestApplication,
  type MiddlewareConsumer,
  Module,
  Query as Parameter,
  Sse,
  UseInterceptors,
} from '@nestjs/common';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { APP_FILTER, LazyModuleLoader, ModuleRef } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Mutation, Query, Resolver } from '@nestjs/graphql';
import { Interval, ScheduleModule } from '@nestjs/schedule';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { of } from 'rxjs';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { type EdgeAppOptions, edgeApps } from './support/edge-apps.js';
import { APOLLO, ask, MERCURIUS } from './support/graphql.js';
import { SOCKET_IO, WS } from './support/socket-clients.js';

/* Every way by which Nest calls a method of an application, without a session and without any decorator of ours. */

const ran: string[] = [];
const note = (what: string): string => (ran.push(what), what);
const start = edgeApps();

beforeEach(() => {
  ran.length = 0;
});

@Controller()
class Routes {
  @Get('route') route(): string {
    return note('route');
  }
  @Head('head') head(): void {
    note('head');
  }
  @Sse('stream') stream(): object {
    return of({ data: note('stream') });
  }
}

@Injectable()
class Audit {
  use(_request: unknown, _response: unknown, next: () => void): void {
    note('middleware');
    next();
  }
}

@Module({ controllers: [Routes] })
class WithMiddleware {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(Audit).forRoutes('*path');
  }
}

@Controller('lazy')
class LazyController {
  @Get() lazy(): string {
    return note('lazy');
  }
}

@Module({ controllers: [LazyController] })
class LazyModule {}

@Injectable()
class Hooks {
  onModuleInit(): void {
    note('init');
  }
  onApplicationBootstrap(): void {
    note('bootstrap');
  }
}

@Catch()
class Filter {
  catch(_error: unknown, host: ArgumentsHost): void {
    note('filter');
    host.switchToHttp().getResponse<{ status(code: number): { send(): void } }>().status(401).send();
  }
}

@Injectable()
class Interceptor {
  intercept(_: ExecutionContext, next: CallHandler): unknown {
    note('interceptor');
    return next.handle();
  }
}

@Injectable()
class Pipe {
  transform(value: unknown): unknown {
    note('pipe');
    return value;
  }
}

@Controller()
class Decorated {
  @UseInterceptors(Interceptor) @Get('decorated') decorated(@Parameter('page', Pipe) page: string): string {
    return note(`decorated ${page}`);
  }
}

@Injectable()
class Jobs {
  @Interval(5) tick(): void {
    note('job');
  }
}

@WebSocketGateway()
class Gateway {
  handleConnection(): void {
    note('connection');
  }
  @SubscribeMessage('message') message(): string {
    return note('message');
  }
}

@Resolver()
class Resolvers {
  @Query(() => String) query(): string {
    return note('query');
  }
  @Mutation(() => String) mutation(): string {
    return note('mutation');
  }
}

describe.each(['express', 'fastify'] as const)('on %s', (platform) => {
  const open = (options: EdgeAppOptions) => start({ platform, ...options });

  it.each([
    ['GET', 'route'],
    ['HEAD', 'route'],
    ['HEAD', 'head'],
    ['GET', 'stream'],
  ])('a route is closed: %s /%s', async (method, path) => {
    const { url } = await open({ controllers: [Routes] });
    expect((await fetch(`${url}/${path}`, { method })).status).toBe(401);
    expect(ran).toEqual([]);
  });

  it('middleware runs before the guard', async () => {
    const { url } = await open({ imports: [WithMiddleware] });
    expect((await fetch(`${url}/route`)).status).toBe(401);
    expect(ran).toEqual(['middleware']);
  });

  it('what is put on the platform itself has no guard', async () => {
    const configure = (app: INestApplication): unknown =>
      app.getHttpAdapter().get('/raw', (_: unknown, response: { send(text: string): void }) => {
        response.send(note('raw'));
      });
    const { url } = await open({ configure });
    expect(await (await fetch(`${url}/raw`)).text()).toBe('raw');
  });

  it('what is given to app.use() has no guard', async () => {
    const router = (
      request: { url?: string },
      response: { end(text: string): void },
      next: () => void,
    ): void => {
      if (request.url === '/routed') response.end(note('routed'));
      else next();
    };
    const { url } = await open({ configure: (app) => app.use(router) });
    expect(await (await fetch(`${url}/routed`)).text()).toBe('routed');
  });

  it('interceptors and pipes run after the guard', async () => {
    const { url } = await open({ controllers: [Decorated] });
    expect((await fetch(`${url}/decorated?page=1`)).status).toBe(401);
    expect(ran).toEqual([]);
  });

  it('exception filters get what the guard refuses', async () => {
    const { url } = await open({
      controllers: [Routes],
      providers: [{ provide: APP_FILTER, useClass: Filter }],
    });
    expect((await fetch(`${url}/route`)).status).toBe(401);
    expect(ran).toEqual(['filter']);
  });

  it('lifecycle hooks run without a request', async () => {
    await open({ providers: [Hooks] });
    expect(ran).toEqual(['init', 'bootstrap']);
  });

  it('the controllers of a lazy module have no routes', async () => {
    const { app, url } = await open({});
    await app.get(LazyModuleLoader).load(() => LazyModule);
    expect((await fetch(`${url}/lazy`)).status).toBe(404);
  });

  it('what ModuleRef.create() makes has no routes', async () => {
    const { app, url } = await open({});
    await app.get(ModuleRef).create(LazyController);
    expect((await fetch(`${url}/lazy`)).status).toBe(404);
  });

  it('a scheduled method runs without a request', async () => {
    await open({ imports: [ScheduleModule.forRoot()], providers: [Jobs] });
    await pause(50);
    expect(ran).toContain('job');
  });
});

it('static files have no guard', async () => {
  const configure = (app: INestApplication): unknown =>
    (app as NestExpressApplication).useStaticAssets(import.meta.dirname, { prefix: '/files' });
  const { url } = await start({ configure });
  expect((await fetch(`${url}/files/ways.test.ts`)).status).toBe(200);
});

describe.each([APOLLO, MERCURIUS])('by $name', ({ platform, module }) => {
  it('a query and a mutation are closed', async () => {
    const app = await start({ platform, imports: [module()], providers: [Resolvers] });
    await ask(app, '{ query }');
    await ask(app, 'mutation { mutation }');
    expect(ran).toEqual([]);
  });
});

describe.each([WS, SOCKET_IO])('by $name', ({ adapter, send }) => {
  it('a message is closed', async () => {
    const { port } = await start({
      providers: [Gateway],
      configure: (app) => app.useWebSocketAdapter(adapter(app)),
    });
    await send(port, 'message');
    expect(ran).not.toContain('message');
  });
});

it('the hooks of a gateway have no guard', async () => {
  const { port } = await start({
    providers: [Gateway],
    configure: (app) => app.useWebSocketAdapter(WS.adapter(app)),
  });
  const socket = new WebSocket(`ws://127.0.0.1:${port}`);
  await once(socket, 'open');
  socket.terminate();
  expect(ran).toEqual(['connection']);
});
