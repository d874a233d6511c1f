import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { DataSource, type QueryRunner } from 'typeorm';
import { WORK_PATIENCE } from '../../src/core/outage/time-budgets.js';
import type { SessionModuleOptions } from '../../src/core/options/options.js';
import type { SessionService } from '../../src/session.service.js';
import { sessionEntities } from '../../src/store/session.entity.js';
import { describeOnEachDatabase, type TestDatabase } from '../support/databases.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { TestCluster, type TestNode } from '../support/store.js';

/** Calls of each verb. With `TEST_ROUNDS=1000` connections are held for 10 seconds. */
const ROUNDS = Number(process.env['TEST_ROUNDS'] ?? 5);
const HELD_FOR = ROUNDS < 1_000 ? 0 : 10_000;
const POOL = 2;
const LIMITS = {
  evicting: { maxSessionsPerUser: 1, onSessionLimit: 'evict-oldest' },
  rejecting: { maxSessionsPerUser: 1, onSessionLimit: 'reject' },
} as const satisfies Record<string, SessionModuleOptions>;

/** The services of one pool, which differ in their limits. */
type Services = Record<'plain' | keyof typeof LIMITS, SessionService>;
/** What a call is about. */
interface Scene {
  readonly userId: string;
  readonly id: string;
  readonly anonymous: string;
  readonly token: string;
}

const VERBS: Readonly<Record<string, (on: Services, scene: Scene) => Promise<unknown>>> = {
  create: ({ plain }, { userId }) => plain.create({ userId }),
  createAnonymous: ({ plain }) => plain.createAnonymous({ n: 1 }),
  'create, at a limit that evicts': ({ evicting }, { userId }) => evicting.create({ userId }),
  'create, at a limit that rejects': ({ rejecting }, { userId }) => rejecting.create({ userId: `${userId}-new` }),
  authenticate: ({ plain }, { id, userId }) => plain.authenticate(id, { userId, level: 2 }),
  'authenticate, with roles': ({ plain }, { id, userId }) =>
    plain.authenticate(id, { userId, roles: ['admin'] }),
  'authenticate, as another user': ({ plain }, { id }) => plain.authenticate(id, { userId: 'mallory' }),
  'authenticate, on an anonymous session': ({ plain }, { anonymous, userId }) =>
    plain.authenticate(anonymous, { userId }),
  'authenticate, on an anonymous session at a limit that evicts': ({ evicting }, { anonymous, userId }) =>
    evicting.authenticate(anonymous, { userId }),
  'authenticate, on an anonymous session at a limit that rejects': ({ rejecting }, { anonymous, userId }) =>
    rejecting.authenticate(anonymous, { userId: `${userId}-new` }),
  rotate: ({ plain }, { id }) => plain.rotate(id),
  update: ({ plain }, { id }) => plain.update(id, () => ({ n: 1 })),
  setRoles: ({ plain }, { userId }) => plain.setRoles(userId, ['admin']),
  revoke: ({ plain }, { id }) => plain.revoke(id),
  revokeAll: ({ plain }, { userId }) => plain.revokeAll(userId),
  'validate, for the first time': ({ plain }, { token }) => plain.validate(token),
};

await describeOnEachDatabase((leg) => {
  if (leg.name.startsWith('SQLite')) return; // it has no pool: see test/store/transactions.test.ts
  const isPostgres = leg.name === 'PostgreSQL';
  let cluster: TestCluster;
  let node: TestNode;
  /** Connections of its own, and not of the pool that is held. */
  let observer: DataSource;
  let services: Services;
  let scenes: Scene[] = [];

  beforeAll(async () => {
    cluster = await TestCluster.on(leg, { poolSize: POOL });
    node = await cluster.node();
    observer = (await cluster.node()).dataSource;
    const limited = (limits: SessionModuleOptions) => cluster.nodeSharing(node, limits).service;
    services = {
      plain: node.service,
      evicting: limited(LIMITS.evicting),
      rejecting: limited(LIMITS.rejecting),
    };
  });
  afterAll(() => cluster.close());

  beforeEach(async () => {
    for (const table of ['sessions', 'session_users']) await observer.query(`DELETE FROM ${table}`);
    node.events.splice(0);
    scenes = [];
    for (const verb of Object.keys(VERBS)) {
      for (let round = 0; round < ROUNDS; round++) scenes.push(await sceneFor(`${verb} ${round}`));
    }
    node.events.splice(0);
  });

  async function sceneFor(userId: string): Promise<Scene> {
    const { service } = node;
    const [{ session, token }, other] = [
      await service.create({ userId, roles: ['user'] }),
      await service.createAnonymous(),
    ];
    return { userId, id: session.id, anonymous: other.session.id, token };
  }

  const sessions = () =>
    observer.query('SELECT * FROM sessions ORDER BY id') as Promise<Record<'id' | 'user_id', string>[]>;

  /** Calls all verbs, each on scenes of its own. @returns which were done, and which were answered 503 */
  async function callAll(): Promise<{ done: string[]; unavailable: string[] }> {
    const calls = Object.entries(VERBS).flatMap(([verb, call], at) =>
      scenes.slice(at * ROUNDS, (at + 1) * ROUNDS).map((scene) => ({ verb, answer: call(services, scene) })),
    );
    const outcomes = await Promise.allSettled(calls.map(({ answer }) => answer));
    const [done, unavailable]: [string[], string[]] = [[], []];
    for (const [at, outcome] of outcomes.entries()) {
      const { verb } = calls[at] as { verb: string };
      if (outcome.status === 'fulfilled') done.push(verb);
      else if (outcome.reason.code === 'session_store_unavailable') unavailable.push(verb);
      else throw outcome.reason;
    }
    return { done, unavailable };
  }

  /** Nothing waits for a connection any more, and nothing that was sent is under way. */
  async function settled(): Promise<void> {
    await Promise.all(Array.from({ length: POOL }, () => node.dataSource.query('SELECT 1')));
    await wait(500);
    await node.dataSource.query('SELECT 1');
  }

  const connections = async () => {
    const [row] = (await observer.query(
      isPostgres
        ? 'SELECT COUNT(*) AS count FROM pg_stat_activity WHERE datname = current_database()'
        : 'SELECT COUNT(*) AS count FROM information_schema.processlist WHERE db = DATABASE()',
    )) as [{ count: unknown }];
    return Number(row.count);
  };

  it('does nothing of what it has answered 503 while all connections were busy', async () => {
    const before = await sessions();
    const runners: QueryRunner[] = [];
    for (let held = 0; held < POOL; held++) {
      const runner = node.dataSource.createQueryRunner();
      await runner.startTransaction();
      runners.push(runner);
    }
    const [{ done }] = await Promise.all([callAll(), wait(HELD_FOR)]);
    for (const runner of runners) {
      await runner.commitTransaction();
      await runner.release();
    }
    expect(done).toEqual([]);
    await settled();
    expect(await sessions()).toEqual(before);
    expect(node.events).toEqual([]);
  }, 120_000);

  it('does nothing of what it has answered 503 while rows were locked, and leaves nothing on the server', async () => {
    const before = await sessions();
    const holder = observer.createQueryRunner();
    await holder.startTransaction();
    // Whoever reads does not wait.
    await holder.query(isPostgres ? 'LOCK TABLE sessions IN EXCLUSIVE MODE' : 'SELECT * FROM sessions FOR UPDATE');
    const seen: number[] = [];
    for (let wave = 0; wave < 2; wave++) {
      const { done } = await callAll();
      expect(done).toEqual([]);
      seen.push(await connections());
    }
    await holder.rollbackTransaction();
    await holder.release();
    await settled();
    expect(await sessions()).toEqual(before);
    // The pool, and this test's own two.
    for (const count of seen) expect(count).toBeLessThanOrEqual(POOL + 2);
  }, 120_000);

  it('begins nothing between two statements once it is too late', async () => {
    const before = await sessions();
    const restore = delayed(node.dataSource, 0.55 * WORK_PATIENCE);
    const { unavailable } = await callAll();
    await wait(WORK_PATIENCE); // what was left behind is removed
    restore();
    await settled();
    const after = await sessions();
    const told = new Set(unavailable);
    expect([...told]).toEqual(expect.arrayContaining(['create', 'setRoles', 'revokeAll']));
    const changed = new Set<string>();
    for (const [at, { userId, id, anonymous }] of scenes.entries()) {
      const verb = Object.keys(VERBS)[Math.floor(at / ROUNDS)] as string;
      const theirs = (rows: typeof before) =>
        rows.filter((row) => [id, anonymous].includes(row.id) || row.user_id?.startsWith(userId));
      if (JSON.stringify(theirs(after)) !== JSON.stringify(theirs(before))) changed.add(verb);
    }
    expect([...changed].filter((verb) => told.has(verb))).toEqual([]);
  }, 120_000);
});

/** Each statement waits so long for its connection. @returns what ends that */
function delayed(dataSource: DataSource, milliseconds: number): () => void {
  const create = dataSource.createQueryRunner.bind(dataSource);
  dataSource.createQueryRunner = (mode) => {
    const runner = create(mode);
    const connect = runner.connect.bind(runner);
    let isFirst = true;
    runner.connect = async () => {
      if (isFirst) await wait(milliseconds);
      isFirst = false;
      return connect() as Promise<unknown>;
    };
    return runner;
  };
  return () => {
    dataSource.createQueryRunner = create;
  };
}
void TcpProxy; void sessionEntities; void ({} as TestDatabase);
