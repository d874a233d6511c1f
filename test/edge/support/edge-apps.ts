import type { DynamicModule, INestApplication, Provider, Type } from '@nestjs/common';
import { afterEach } from '@jest/globals';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import {
  SessionModule,
  type SessionModuleOptions,
  type SessionModuleStaticOptions,
  SessionService,
} from 'nestjs-sessions';
import { InMemorySessionStore, TestClock } from 'nestjs-sessions/testing';

export interface EdgeAppOptions {
  readonly platform?: 'express' | 'fastify';
  /** After `SessionModule`. */
  readonly imports?: (DynamicModule | Type)[];
  /** Before `SessionModule`. */
  readonly importsBefore?: (DynamicModule | Type)[];
  readonly controllers?: Type[];
  readonly providers?: Provider[];
  readonly options?: SessionModuleOptions & Pick<SessionModuleStaticOptions, 'globalGuard' | 'store'>;
  /** Whether the platform believes what proxies say. */
  readonly trustProxy?: boolean;
  /** Of Fastify. */
  readonly isHttp2?: boolean;
  /** Before the application starts. */
  readonly configure?: (app: INestApplication) => unknown;
}

/** A running application, and what tests look at. */
export interface EdgeApp {
  readonly app: INestApplication;
  readonly url: string;
  readonly port: number;
  readonly sessions: SessionService;
  readonly clock: TestClock;
}

/** Starts applications of the Nest under test on ports of their own, and closes them after each test. */
export function edgeApps(): (options: EdgeAppOptions) => Promise<EdgeApp> {
  const running: INestApplication[] = [];
  afterEach(async () => {
    for (const app of running.splice(0)) await app.close();
  });
  return async ({
    platform = 'express',
    imports = [],
    importsBefore = [],
    trustProxy = false,
    isHttp2 = false,
    options,
    configure,
    ...own
  }) => {
    const clock = new TestClock();
    const sessions = SessionModule.forRoot({ store: InMemorySessionStore, clock: clock.now, ...options });
    const builder = Test.createTestingModule({
      imports: [...importsBefore, sessions, ...imports],
      controllers: own.controllers ?? [],
      providers: own.providers ?? [],
    });
    const module = await builder.compile();
    const adapter =
      platform === 'express'
        ? new ExpressAdapter()
        : new FastifyAdapter({
            trustProxy,
            forceCloseConnections: true,
            ...(isHttp2 && { http2: true as const }),
          } as object);
    if (adapter instanceof ExpressAdapter) adapter.set('trust proxy', trustProxy);
    // On Fastify the option stands at the adapter, and Nest 11 would leave sockets of socket.io to it, which it does not close.
    const forceCloseConnections = platform === 'express';
    const app = module.createNestApplication(adapter, { logger: false, forceCloseConnections });
    running.push(app);
    await configure?.(app);
    await app.listen(0, '127.0.0.1');
    const url = await app.getUrl();
    const port = Number(new URL(url).port);
    return { app, url, port, sessions: app.get(SessionService, { strict: false }), clock };
  };
}
