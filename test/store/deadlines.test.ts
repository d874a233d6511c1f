import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { STORE_PATIENCE, WORK_PATIENCE } from '../../src/core/outage/time-budgets.js';
import type { BegunSignIn } from '../../src/core/life/begun-sign-in.js';
import type { SessionRecord } from '../../src/core/model/record.js';
import type { SessionModuleOptions } from '../../src/core/options/options.js';
import { SessionStoreUnavailableException, toException } from '../../src/session.exceptions.js';
import type { SessionService } from '../../src/session.service.js';
import { describeOnEachDatabase } from '../support/databases.js';
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
interface Services extends Record<'plain' | keyof typeof LIMITS, SessionService>, Pick<TestNode, 'core'> {
  /** Sign-ins have begun before: what follows is their own first statement. */
  readonly begun: BegunSignIn;
}
type Row = Record<'id' | 'data', string> & { readonly user_id: string | null };

/** What a call is about. */
interface Scene {
  readonly userId: string;
  readonly id: string;
  readonly record: SessionRecord | null;
  readonly anonymous: string;
  readonly token: string;
}

const VERBS: Readonly<Record<string, (on: Services, scene: Scene) => Promise<unknown>>> = {
  create: ({ plain, begun }, { userId }) => plain.create({ userId }, {}, { begun }),
  createAnonymous: ({ plain }, { userId }) => plain.createAnonymous({ of: userId }),
  'create, at a limit that evicts': ({ evicting, begun }, { userId }) =>
    evicting.create({ userId }, {}, { begun }),
  'create, at a limit that rejects': ({ rejecting, begun }, { userId }) =>
    rejecting.create({ userId: `${userId}-new` }, {}, { begun }),
  authenticate: ({ plain, begun }, { id, userId }) => plain.authenticate(id, { userId, level: 2 }, { begun }),
  'authenticate, with roles': ({ plain, begun }, { id, userId }) =>
    plain.authenticate(id, { userId, roles: ['admin'] }, { begun }),
  'authenticate, as another user': ({ plain, begun }, { id, userId }) =>
    plain.authenticate(id, { userId: `${userId}-other` }, { begun }),
  'authenticate, on an anonymous session': ({ plain, begun }, { anonymous, userId }) =>
    plain.authenticate(anonymous, { userId }, { begun }),
  'authenticate, on an anonymous session at a limit that evicts': (
    { evicting, begun },
    { anonymous, userId },
  ) => evicting.authenticate(anonymous, { userId }, { begun }),
  'authenticate, on an anonymous session at a limit that rejects': (
    { rejecting, begun },
    { anonymous, userId },
  ) => rejecting.authenticate(anonymous, { userId: `${userId}-new` }, { begun }),
  rotate: ({ plain }, { id }) => plain.rotate(id),
  update: ({ plain }, { id }) => plain.update(id, () => ({ n: 1 })),
  setRoles: ({ plain }, { userId }) => plain.setRoles(userId, ['admin']),
  revoke: ({ plain }, { id }) => plain.revoke(id),
  revokeAll: ({ plain }, { userId }) => plain.revokeAll(userId),
  // As `@EndSession()` does.
  'sign-out': ({ core }, { record }) => core.revocation.signOut(record as SessionRecord),
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
      core: node.core,
      begun: await node.service.beginSignIn(),
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
    services = { ...services, begun: await node.service.beginSignIn() };
    const names = Object.keys(VERBS).flatMap((verb) =>
      Array.from({ length: ROUNDS }, (_, round) => `${verb} ${round}`),
    );
    while (names.length > 0) scenes.push(...(await Promise.all(names.splice(0, 50).map(sceneFor))));
    node.events.splice(0);
  }, 600_000);

  async function sceneFor(userId: string): Promise<Scene> {
    const { service, store } = node;
    const { begun } = services;
    const { session, token } = await service.create({ userId, roles: ['user'] }, {}, { begun });
    const { id } = session;
    // Only where the verb is about it: there may be many thousands of scenes.
    const anonymous = userId.includes('anonymous') ? (await service.createAnonymous()).session.id : '';
    const record = userId.startsWith('sign-out') ? await store.findById(id) : null;
    return { userId, id, token, anonymous, record };
  }

  const sessions = () => observer.query('SELECT * FROM sessions ORDER BY id') as Promise<Row[]>;

  /** Whose sessions are others than they were. */
  function changed(before: readonly Row[], after: readonly Row[]): string[] {
    const owners = new Map(
      scenes.flatMap(({ userId, id, anonymous }) => [
        [id, userId],
        [anonymous, userId],
      ]),
    );
    const known = new Set(before.map((row) => JSON.stringify(row)));
    const different = after.filter((row) => !known.delete(JSON.stringify(row)));
    const gone = [...known].map((row) => JSON.parse(row) as Row);
    const ownerOf = ({ id, user_id: userId, data }: Row) =>
      owners.get(id) ??
      userId?.replace(/-(?:new|other)$/, '') ??
      String((JSON.parse(data) as { of: string }).of);
    return [...new Set([...different, ...gone].map(ownerOf))];
  }

  /** Calls all verbs, each on scenes of its own. @returns for whom they were done, and to whom 503 was answered */
  async function callAll(): Promise<{ done: string[]; unavailable: string[] }> {
    const calls = Object.values(VERBS).flatMap((call, at) =>
      scenes.slice(at * ROUNDS, (at + 1) * ROUNDS).map((scene) => call(services, scene)),
    );
    const outcomes = await Promise.allSettled(calls);
    const [done, unavailable]: [string[], string[]] = [[], []];
    for (const [at, outcome] of outcomes.entries()) {
      const { userId } = scenes[at] as Scene;
      if (outcome.status === 'fulfilled') done.push(userId);
      else if (isUnavailable(outcome.reason)) unavailable.push(userId);
      else throw outcome.reason;
    }
    return { done, unavailable };
  }

  /** Has all connections, as transactions of the application that take their time. @returns what gives them back */
  async function holdPool(): Promise<() => Promise<unknown>> {
    const runners = Array.from({ length: POOL }, () => node.dataSource.createQueryRunner());
    await Promise.all(runners.map((runner) => runner.startTransaction()));
    return () =>
      Promise.all(runners.map((runner) => runner.commitTransaction().then(() => runner.release())));
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

  /** There are the pool and this test's own two. What cancels a statement has a connection too, for a moment. */
  async function nothingLeftBehind(): Promise<void> {
    const until = Date.now() + WORK_PATIENCE;
    while ((await connections()) > POOL + 2 && Date.now() < until) await wait(50);
    expect(await connections()).toBeLessThanOrEqual(POOL + 2);
  }

  it('does nothing of what it has answered 503 while all connections were busy', async () => {
    const before = await sessions();
    const release = await holdPool();
    const [{ done }] = await Promise.all([callAll(), wait(HELD_FOR)]);
    await release();
    expect(done).toEqual([]);
    await settled();
    expect(changed(before, await sessions())).toEqual([]);
    expect(node.events).toEqual([]);
  }, 120_000);

  it('does nothing of what it has answered 503 while rows were locked, and leaves nothing on the server', async () => {
    const before = await sessions();
    const holder = observer.createQueryRunner();
    await holder.startTransaction();
    // Whoever reads does not wait.
    await holder.query(
      isPostgres ? 'LOCK TABLE sessions IN EXCLUSIVE MODE' : 'SELECT * FROM sessions FOR UPDATE',
    );
    for (let wave = 0; wave < 2; wave++) {
      const { done } = await callAll();
      expect(done).toEqual([]);
      await nothingLeftBehind();
    }
    await holder.rollbackTransaction();
    await holder.release();
    await settled();
    expect(changed(before, await sessions())).toEqual([]);
  }, 120_000);

  it('takes as long as it needs to purge, and ends no session of everyone once it is too late', async () => {
    const { service } = node;
    cluster.clock.advance(365 * 24 * 3_600_000);
    const { session } = await service.create({ userId: 'ana' });
    const release = await holdPool();
    const purged = service.purgeExpired();
    const revoked = service.revokeEveryone().catch((error: Error) => error);
    await wait(1.2 * STORE_PATIENCE);
    const before = await sessions();
    await release();
    expect(await revoked).toBeInstanceOf(SessionStoreUnavailableException);
    expect(await purged).toBe(before.length - 1);
    await settled();
    expect((await sessions()).map(({ id }) => id)).toEqual([session.id]);
  });

  it('begins nothing between two statements once it is too late', async () => {
    const before = await sessions();
    const restore = delayed(node.dataSource, 0.55 * WORK_PATIENCE);
    const { unavailable } = await callAll();
    await wait(WORK_PATIENCE); // what was left behind is removed
    restore();
    await settled();
    for (const verb of ['create', 'setRoles', 'revokeAll']) expect(unavailable).toContain(`${verb} 0`);
    const told = new Set(unavailable);
    expect(changed(before, await sessions()).filter((whose) => told.has(whose))).toEqual([]);
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

function isUnavailable(error: unknown): boolean {
  return (toException(error) as { code?: unknown }).code === 'session_store_unavailable';
}
