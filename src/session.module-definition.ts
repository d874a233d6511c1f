import { ConfigurableModuleBuilder, type DynamicModule, type Type } from '@nestjs/common';
import { APP_GUARD, DiscoveryModule } from '@nestjs/core';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { SessionOptionsError } from './core/errors.js';
import { OptionReader } from './core/option-reader.js';
import type { ResolvedSessionOptions, SessionModuleOptions } from './core/options.js';
import { SessionStore } from './core/store.js';
import { GLOBAL_GUARD } from './http/placement-check.js';
import { SessionGuard } from './http/session.guard.js';
import { BaseSessionEntity, SessionEntity, SessionUserEntity } from './store/session.entity.js';
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

/** The checked options, with all defaults. */
export const RESOLVED_OPTIONS = Symbol('nestjs-sessions:options');

// By these names the builder tells the static options from the others; their defaults are below.
const STATIC_OPTIONS: SessionModuleStaticOptions = {
  dataSource: undefined,
  entity: undefined,
  isGlobal: undefined,
  globalGuard: undefined,
};

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<SessionModuleOptions>({ moduleName: 'Session' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createSessionOptions')
    .setExtras(STATIC_OPTIONS, wire)
    .build();

/** What depends on the static options. */
function wire(definition: DynamicModule, options: SessionModuleStaticOptions): DynamicModule {
  const { dataSource, entity, isGlobal, globalGuard } = resolveStaticOptions(options);
  return {
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
      { provide: GLOBAL_GUARD, useValue: globalGuard },
      ...(globalGuard ? [{ provide: APP_GUARD, useExisting: SessionGuard }] : []),
    ],
  };
}

/** @throws SessionOptionsError */
function resolveStaticOptions({
  dataSource,
  entity = SessionEntity,
  isGlobal,
  globalGuard,
}: SessionModuleStaticOptions) {
  const read = new OptionReader<SessionModuleStaticOptions>({ isGlobal, globalGuard }, '', [
    'isGlobal',
    'globalGuard',
  ]);
  if (dataSource !== undefined && (typeof dataSource !== 'string' || dataSource === '')) {
    throw new SessionOptionsError('dataSource', dataSource, 'pass the name of a data source.');
  }
  if (typeof entity !== 'function' || !(entity.prototype instanceof BaseSessionEntity)) {
    throw new SessionOptionsError('entity', entity, 'pass a class that extends BaseSessionEntity.');
  }
  return {
    dataSource,
    entity,
    isGlobal: read.boolean('isGlobal', true),
    globalGuard: read.boolean('globalGuard', true),
  };
}
