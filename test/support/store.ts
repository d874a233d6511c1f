import { TestClock } from 'nestjs-sessions/testing';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { resolveOptions } from '../../src/core/options/resolve-options.js';
import type { SessionModuleOptions } from '../../src/core/options/options.js';
import type { SessionStore } from '../../src/core/model/store.js';
import { SessionCore } from '../../src/core/session-core.js';
import type { SessionEvent } from '../../src/core/model/session-event.js';
import { SessionService } from '../../src/session.service.js';
import { SessionEntity, sessionEntities } from '../../src/store/session.entity.js';
import { TypeOrmSessionStore } from '../../src/store/typeorm-session.store.js';
import type { DatabaseLeg, TestDatabase } from './databases.js';

/** One node of an application, without HTTP: a service with a store and connections of its own. */
export interface TestNode {
  readonly dataSource: DataSource;
  readonly store: TypeOrmSessionStore;
  readonly core: SessionCore;
  readonly service: SessionService;
  readonly events: SessionEvent[];
  readonly outages: unknown[];
  close(): Promise<void>;
}

/** A database with its tables, and the nodes that work on it. */
export class TestCluster {
  readonly clock = new TestClock();
  private readonly nodes: TestNode[] = [];

  private constructor(
    private readonly database: TestDatabase,
    private readonly extra: Partial<DataSourceOptions>,
  ) {}

  /** @param extra options of all its data sources */
  static async on(leg: DatabaseLeg, extra: Partial<DataSourceOptions> = {}): Promise<TestCluster> {
    return new TestCluster(await leg.create(), extra);
  }

  /** In a database that is there, and stays. */
  static async in(options: DataSourceOptions): Promise<TestCluster> {
    return new TestCluster({ options, drop: async () => {} }, {});
  }

  /** A node with connections of its own kind. */
  async nodeOn(connection: DataSourceOptions, options: SessionModuleOptions = {}): Promise<TestNode> {
    const dataSource = await new DataSource({ ...connection, entities: [...sessionEntities] }).initialize();
    return this.assemble(dataSource, options);
  }

  async node(
    options: SessionModuleOptions = {},
    entities: (abstract new () => object)[] = [],
  ): Promise<TestNode> {
    const dataSource = await new DataSource({
      ...this.database.options,
      ...this.extra,
      entities: [...sessionEntities, ...entities],
      synchronize: this.nodes.length === 0,
    } as DataSourceOptions).initialize();
    return this.assemble(dataSource, options);
  }

  /** A node with other options on the connections of one that is there. */
  nodeSharing({ dataSource }: TestNode, options: SessionModuleOptions): TestNode {
    return this.assemble(dataSource, options);
  }

  private assemble(dataSource: DataSource, options: SessionModuleOptions): TestNode {
    const resolved = resolveOptions({ clock: this.clock.now, ...options });
    const store = new TypeOrmSessionStore(dataSource, {
      entity: SessionEntity,
      purgeBatchSize: resolved.purge?.batchSize ?? null,
      purgeStep: 1,
    });
    const outages: unknown[] = [];
    const core = coreOf(store, { clock: this.clock.now, ...options }, (cause) => outages.push(cause));
    const service = new SessionService(core);
    const events: SessionEvent[] = [];
    service.events.subscribe((event) => events.push(event));
    const node = { dataSource, store, core, service, events, outages, close: () => dataSource.destroy() };
    this.nodes.push(node);
    return node;
  }

  async close(): Promise<void> {
    for (const node of this.nodes) {
      await node.store.flush();
      if (node.dataSource.isInitialized) await node.close();
    }
    await this.database.drop();
  }
}

export function coreOf(
  store: SessionStore,
  options: SessionModuleOptions,
  onOutage: (cause: unknown) => void = () => {},
): SessionCore {
  return new SessionCore(resolveOptions(options), store, {
    onOutage,
    onRecovery: () => {},
    onSubscriberError: () => {},
    onUnknownRoles: () => {},
  });
}
