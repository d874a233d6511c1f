import { ConfigurableModuleBuilder, type DynamicModule, type Provider, type Type } from '@nestjs/common';
import { APP_GUARD, DiscoveryModule } from '@nestjs/core';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { SessionOptionsError } from './core/model/errors.js';
import { OptionReader } from './core/options/option-reader.js';
import type { ResolvedSessionOptions, SessionModuleOptions } from './core/options/options.js';
import { SessionStore } from './core/model/store.js';
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
  /**
   * A store of your own, made and injected into by Nest, in place of the one on TypeORM. The contract is in the comments
   * of `SessionStore`, and its test cases are in `nestjs-sessions/testing`. Not beside `dataSource` and `entity`.
   */
  store?: Type<SessionStore>;
  /** Whether other modules can inject `SessionService` without importing the module. Default: true. */
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
  store: undefined,
  isGlobal: undefined,
  globalGuard: undefined,
};

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<SessionModuleOptions>({ moduleName: 'Session' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createSessionOptions')
    .setExtras(STATIC_OPTIONS, wire)
    .build();

/** What depends on the static options. */
function wire(definition: DynamicModule, options: SessionModuleStaticOptions): DynamicModule {
  const { isGlobal, globalGuard } = resolvePlacement(options);
  const storage = options.store === undefined ? typeOrmStorage(options) : ownStorage(options);
  return {
    ...definition,
    global: isGlobal,
    imports: [...(definition.imports ?? []), DiscoveryModule, ...storage.imports],
    providers: [
      ...(definition.providers ?? []),
      storage.provider,
      { provide: GLOBAL_GUARD, useValue: globalGuard },
      ...(globalGuard ? [{ provide: APP_GUARD, useExisting: SessionGuard }] : []),
    ],
  };
}

interface StoreWiring {
  readonly imports: readonly DynamicModule[];
  readonly provider: Provider;
}

/** @throws SessionOptionsError */
function typeOrmStorage({ dataSource, entity = SessionEntity }: SessionModuleStaticOptions): StoreWiring {
  if (dataSource !== undefined && (typeof dataSource !== 'string' || dataSource === '')) {
    throw new SessionOptionsError('dataSource', dataSource, 'pass the name of a data source.');
  }
  if (typeof entity !== 'function' || !(entity.prototype instanceof BaseSessionEntity)) {
    throw new SessionOptionsError('entity', entity, 'pass a class that extends BaseSessionEntity.');
  }
  return {
    imports: [TypeOrmModule.forFeature([entity, SessionUserEntity], dataSource)],
    provider: {
      provide: SessionStore,
      inject: [getDataSourceToken(dataSource), RESOLVED_OPTIONS],
      useFactory: (source: DataSource, { purge }: ResolvedSessionOptions) =>
        new TypeOrmSessionStore(source, { entity, purgeBatchSize: purge?.batchSize ?? null }),
    },
  };
}

/** @throws SessionOptionsError */
function ownStorage({ store, dataSource, entity }: SessionModuleStaticOptions): StoreWiring {
  if (typeof store !== 'function' || !(store.prototype instanceof SessionStore)) {
    throw new SessionOptionsError('store', store, 'pass a class that extends SessionStore.');
  }
  if (dataSource !== undefined || entity !== undefined) {
    throw new SessionOptionsError(
      'store',
      store,
      'leave out `dataSource` and `entity`, which it does not use.',
    );
  }
  return { imports: [], provider: { provide: SessionStore, useClass: store } };
}

/** @throws SessionOptionsError */
function resolvePlacement({ isGlobal, globalGuard }: SessionModuleStaticOptions) {
  const read = new OptionReader<SessionModuleStaticOptions>({ isGlobal, globalGuard }, '', [
    'isGlobal',
    'globalGuard',
  ]);
  return {
    isGlobal: read.boolean('isGlobal', true),
    globalGuard: read.boolean('globalGuard', true),
  };
}
