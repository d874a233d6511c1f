import { ConfigurableModuleBuilder, type DynamicModule, type Provider, type Type } from '@nestjs/common';
import { APP_GUARD, DiscoveryModule } from '@nestjs/core';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import type { ClusterNode } from './cluster/cluster-node.js';
import { SessionCluster } from './cluster/session-cluster.js';
import { SessionOptionsError } from './core/model/errors.js';
import { boolean } from './core/options/option-kinds.js';
import { Given, type OptionTable, readAll } from './core/options/option.js';
import type { SessionModuleOptions } from './core/options/options.js';
import { type ResolvedSessionOptions, resolveOptions } from './core/options/resolve-options.js';
import { SessionStore } from './core/model/store.js';
import { GLOBAL_GUARD } from './http/placement/global-guard.js';
import { SessionGuard } from './http/session.guard.js';
import { SchemaCheck } from './store/schema-check.js';
import {
  BaseSessionEntity,
  SessionEntity,
  sessionEntities,
  SessionMessageEntity,
  SessionNodeEntity,
} from './store/session.entity.js';
import { purgeStepFor } from './store/purge-schedule.js';
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

/** Every static option once, as those of `OPTIONS` are. */
export const STATIC_OPTIONS = {
  dataSource: { read: readDataSource },
  entity: { read: readEntity },
  store: { read: readStore },
  isGlobal: boolean(true),
  globalGuard: boolean(true),
} satisfies OptionTable<SessionModuleStaticOptions>;

const STATIC_NAMES = Object.keys(STATIC_OPTIONS) as (keyof SessionModuleStaticOptions)[];

/** What the factory of `forRootAsync` returns, or `forRoot` was given, without the static options. */
export function resolveModuleOptions(options: SessionModuleOptions): ResolvedSessionOptions {
  const fix = 'it is read before the factory runs; put it beside `useFactory`.';
  return resolveOptions(options, Object.fromEntries(STATIC_NAMES.map((name) => [name, fix])));
}

// By these names the builder tells the static options from the others.
const EXTRAS: SessionModuleStaticOptions = Object.fromEntries(STATIC_NAMES.map((name) => [name, undefined]));

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<SessionModuleOptions>({ moduleName: 'Session' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createSessionOptions')
    .setExtras(EXTRAS, wire)
    .build();

/** What depends on the static options. @throws SessionOptionsError */
function wire(definition: DynamicModule, options: SessionModuleStaticOptions): DynamicModule {
  const given = Object.fromEntries(STATIC_NAMES.map((name) => [name, options[name]]));
  const { isGlobal, globalGuard, store, dataSource, entity } = readAll(STATIC_OPTIONS, new Given('', given));
  const storage =
    store === null
      ? typeOrmStorage(dataSource, entity ?? SessionEntity)
      : { imports: [], providers: [{ provide: SessionStore, useClass: store }, CLUSTER_WITHOUT_DATABASE] };
  return {
    ...definition,
    global: isGlobal,
    imports: [...(definition.imports ?? []), DiscoveryModule, ...storage.imports],
    providers: [
      ...(definition.providers ?? []),
      ...storage.providers,
      { provide: GLOBAL_GUARD, useValue: globalGuard },
      ...(globalGuard ? [{ provide: APP_GUARD, useExisting: SessionGuard }] : []),
    ],
  };
}

/** A store of the application's own says nothing of the database that it has. */
const CLUSTER_WITHOUT_DATABASE: Provider = {
  provide: SessionCluster,
  inject: [RESOLVED_OPTIONS],
  useFactory({ cluster }: ResolvedSessionOptions) {
    if (cluster === null) return new SessionCluster(null);
    const fix = 'it needs the store on TypeORM: leave it out beside the option `store`.';
    throw new SessionOptionsError('cluster', cluster, fix);
  },
};

/** The data source that the sessions are in. */
const DATA_SOURCE = Symbol('nestjs-sessions:data-source');

function typeOrmStorage(
  dataSource: string | undefined,
  entity: Type<BaseSessionEntity>,
): { readonly imports: readonly DynamicModule[]; readonly providers: readonly Provider[] } {
  const entities = sessionEntities.map((each) => (each === SessionEntity ? entity : each));
  // `autoLoadEntities` learns of them. The repositories would need a data source before it is known that there is one.
  const feature = { ...TypeOrmModule.forFeature(entities, dataSource), providers: [], exports: [] };
  return {
    imports: [feature],
    providers: [
      {
        provide: DATA_SOURCE,
        inject: [{ token: getDataSourceToken(dataSource), optional: true }],
        useFactory: (source?: DataSource) => source ?? refuseToBeWithout(dataSource),
      },
      {
        provide: SessionStore,
        inject: [DATA_SOURCE, RESOLVED_OPTIONS],
        useFactory: (source: DataSource, options: ResolvedSessionOptions) => {
          const { purge, schemaCheck, touchEvery } = options;
          return new TypeOrmSessionStore(source, {
            entity,
            purgeBatchSize: purge?.batchSize ?? null,
            purgeStep: purgeStepFor(touchEvery),
            schema: schemaCheck ? new SchemaCheck(source, neededOf(entities, options)) : null,
          });
        },
      },
      {
        provide: SessionCluster,
        inject: [DATA_SOURCE, RESOLVED_OPTIONS],
        useFactory: async (source: DataSource, options: ResolvedSessionOptions) =>
          new SessionCluster(await nodeOn(source, options)),
      },
    ],
  };
}

/** Its code is loaded only where the option `cluster` is given. @throws SessionOptionsError */
async function nodeOn(source: DataSource, { cluster }: ResolvedSessionOptions): Promise<ClusterNode | null> {
  if (cluster === null) return null;
  const { clusterDatabaseOn } = await import('./store/cluster/cluster-database.js');
  const { nodeOf } = await import('./cluster/node-of.js');
  return nodeOf(cluster, clusterDatabaseOn(source));
}

/** Nest would say of what it misses a class, and not what to do. @throws SessionOptionsError */
function refuseToBeWithout(dataSource: string | undefined): never {
  const fix =
    dataSource === undefined
      ? 'the application has no data source without a name. Add `TypeOrmModule.forRoot({ … })` of @nestjs/typeorm to the ' +
        'imports of the root module (README, "Name the database"), or set `dataSource` to the name that yours has. If it ' +
        'is there, `npm ls typeorm` shows two copies of TypeORM: keep one.'
      : 'the application has no data source of this name. Set `name` in `TypeOrmModule.forRoot({ name, … })`, or beside ' +
        '`useFactory` in `forRootAsync`, or set `dataSource` to the name that yours has; leave it out where yours has none.';
  throw new SessionOptionsError('dataSource', dataSource, fix);
}

/** The tables that are there for the option `cluster` need not be there without it. */
function neededOf(
  entities: readonly Type<object>[],
  { cluster }: ResolvedSessionOptions,
): readonly Type<object>[] {
  const isNeeded = (entity: Type<object>) => {
    if (entity === SessionNodeEntity) return cluster !== null;
    return entity !== SessionMessageEntity || cluster?.bus === 'table';
  };
  return entities.filter(isNeeded);
}

function readDataSource(given: Given): string | undefined {
  if (given.isLeftOut) return undefined;
  if (typeof given.value === 'string' && given.value !== '') return given.value;
  throw given.refuse('pass the name of a data source.');
}

function readEntity(given: Given): Type<BaseSessionEntity> | null {
  if (given.isLeftOut) return null;
  if (isClassOf(given.value, BaseSessionEntity)) return given.value;
  throw given.refuse('pass a class that extends BaseSessionEntity.');
}

function readStore(
  given: Given,
  { dataSource, entity }: { readonly dataSource: string | undefined; readonly entity: object | null },
): Type<SessionStore> | null {
  if (given.isLeftOut) return null;
  if (!isClassOf(given.value, SessionStore)) throw given.refuse('pass a class that extends SessionStore.');
  if (dataSource === undefined && entity === null) return given.value;
  throw given.refuse('leave out `dataSource` and `entity`, which it does not use.');
}

function isClassOf<Base extends object>(
  value: unknown,
  base: abstract new (...args: never[]) => Base,
): value is Type<Base> {
  return typeof value === 'function' && value.prototype instanceof base;
}
