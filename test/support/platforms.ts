import type { DynamicModule, INestApplication, LoggerService, ModuleMetadata, Type } from '@nestjs/common';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { WsAdapter } from '@nestjs/platform-ws';
import { Test } from '@nestjs/testing';
import { TypeOrmModule, type TypeOrmModuleOptions } from '@nestjs/typeorm';
import { SessionModule, type SessionModuleOptions, type SessionModuleStaticOptions } from 'nestjs-sessions';
import { SQLITE_DRIVER } from './sqlite-driver.js';

export type Platform = 'express' | 'fastify';
export const PLATFORMS: readonly Platform[] = ['express', 'fastify'];

export interface TestAppOptions {
  readonly controllers?: Type[];
  readonly imports?: ModuleMetadata['imports'];
  readonly providers?: ModuleMetadata['providers'];
  readonly options?: SessionModuleOptions & SessionModuleStaticOptions;
  /** In place of `SessionModule.forRoot(options)`. */
  readonly sessionModule?: DynamicModule;
  readonly database?: string;
  /** Further options of the data source. */
  readonly typeorm?: Pick<TypeOrmModuleOptions, 'logger' | 'logging'>;
  /** As a proxy in front would need it. */
  readonly trustProxy?: boolean;
  /** Before the application starts. */
  readonly configure?: (app: INestApplication) => void;
  /** Where Nest's log lines go, from boot on. Default: nowhere. */
  readonly logger?: LoggerService;
}

/** A running application on one platform, on a port of its own. */
export async function startApp(platform: Platform, given: TestAppOptions = {}): Promise<INestApplication> {
  const builder = Test.createTestingModule({
    imports: [
      TypeOrmModule.forRoot({
        type: SQLITE_DRIVER,
        database: given.database ?? ':memory:',
        autoLoadEntities: true,
        synchronize: true,
        retryAttempts: 0,
        ...given.typeorm,
      }),
      given.sessionModule ?? SessionModule.forRoot(given.options),
      ...(given.imports ?? []),
    ],
    controllers: given.controllers ?? [],
    providers: given.providers ?? [],
  });
  if (given.logger) builder.setLogger(given.logger);
  const module = await builder.compile();
  const app = createOn(platform, module.createNestApplication.bind(module), given.trustProxy ?? false);
  app.useLogger(given.logger ?? false);
  given.configure?.(app);
  try {
    await app.listen(0, '127.0.0.1');
  } catch (error) {
    await app.close();
    throw error;
  }
  return app;
}

function createOn(
  platform: Platform,
  create: (adapter: ExpressAdapter | FastifyAdapter) => INestApplication,
  trustProxy: boolean,
): INestApplication {
  if (platform === 'fastify') return create(new FastifyAdapter({ trustProxy })) as NestFastifyApplication;
  const app = create(new ExpressAdapter()) as NestExpressApplication;
  if (trustProxy) app.set('trust proxy', true);
  return app;
}

/** Where there are gateways: Nest ends the process that has none of the packages which it takes by itself. */
export function withSockets(app: INestApplication): void {
  app.useWebSocketAdapter(new WsAdapter(app));
}
