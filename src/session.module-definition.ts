import { ConfigurableModuleBuilder, type Type } from '@nestjs/common';
import { APP_GUARD, DiscoveryModule } from '@nestjs/core';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import type { ResolvedSessionOptions, SessionModuleOptions } from './core/options.js';
import { SessionStore } from './core/store.js';
import { SessionGuard } from './http/session.guard.js';
import { type BaseSessionEntity, SessionEntity, SessionUserEntity } from './store/session.entity.js';
import { TypeOrmSessionStore } from './store/typeorm-session.store.js';

/** Options that Nest must know before any factory runs; with `forRootAsync` they stand beside `useFactory`. */
export interface SessionModuleStaticOptions {
  /** Name of the TypeORM data source. Default: the one without a name. */
  dataSource?: string;
  /** Your extension of `BaseSessionEntity`. Default: `SessionEntity`. */
  entity?: Type<BaseSessionEntity>;
  /** Default: true. */
  isGlobal?: boolean;
  /**
   * Whether the guard stands before every handler of the application. Default: true. When false, the decorators bring
   * it along, and a handler without any of them is open.
   */
  globalGuard?: boolean;
}

const STATIC_DEFAULTS: SessionModuleStaticOptions & Required<Omit<SessionModuleStaticOptions, 'dataSource'>> =
  {
    // Named, so that the builder takes it for a static option.
    dataSource: undefined,
    entity: SessionEntity,
    isGlobal: true,
    globalGuard: true,
  };

/** The checked options, with all defaults. */
export const RESOLVED_OPTIONS = Symbol('nestjs-sessions:options');

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<SessionModuleOptions>({ moduleName: 'Session' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createSessionOptions')
    .setExtras(STATIC_DEFAULTS, (definition, { dataSource, entity, isGlobal, globalGuard }) => ({
      ...definition,
      global: isGlobal,
      imports: [
        ...(definition.imports ?? []),
        DiscoveryModule,
        TypeOrmModule.forFeature([entity, SessionUserEntity], dataSource),
      ],
      providers: [
        ...(definition.providers ?? []),
        {
          provide: SessionStore,
          inject: [getDataSourceToken(dataSource), RESOLVED_OPTIONS],
          useFactory: (source: DataSource, { purge }: ResolvedSessionOptions) =>
            new TypeOrmSessionStore(source, { entity, purgeBatchSize: purge?.batchSize ?? null }),
        },
        ...(globalGuard ? [{ provide: APP_GUARD, useExisting: SessionGuard }] : []),
      ],
    }))
    .build();
