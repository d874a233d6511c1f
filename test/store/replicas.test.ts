import { afterAll, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { SessionEntity, sessionEntities } from '../../src/store/session.entity.js';
import { type DatabaseLeg, describeOnEachDatabase } from '../support/databases.js';
import { TestCluster, type TestNode } from '../support/store.js';

await describeOnEachDatabase((leg) => {
  if (leg.name.startsWith('SQLite')) return; // TypeORM has no replication there

  let cluster: TestCluster;
  let node: TestNode;
  /** Straight to the replica, which nothing replicates to: as stale as a replica can be. */
  let replica: DataSource;
  let replicaReads: ReturnType<typeof spyOnReplicaReads>;

  beforeAll(async () => {
    const replicated = withReplica(leg);
    cluster = await TestCluster.on(replicated);
    node = await cluster.node({
      timeouts: { idle: '10m', absolute: '1h', renewal: '1m' },
      touchEvery: 0,
      maxSessionsPerUser: 2,
    });
    replica = replicated.replica();
    replicaReads = spyOnReplicaReads(node.dataSource);
  });
  afterAll(async () => {
    await replica.destroy();
    await cluster.close();
  });
  beforeEach(async () => {
    await node.service.revokeEveryone();
    await replica.getRepository(SessionEntity).clear();
    replicaReads.mockClear();
  });

  const create = (userId = 'ana') => node.service.create({ userId, roles: ['customer'] });
  const reasonFor = async (token: string) => (await node.service.validate(token)).reason ?? 'live';

  /** What the replica has from now on: the sessions of this moment. */
  async function copyToReplica(): Promise<void> {
    const rows = await onPrimary(node.dataSource, (manager) => manager.find(SessionEntity));
    await replica.getRepository(SessionEntity).insert(rows);
  }

  it("would be misled by TypeORM's own reads", async () => {
    await create();
    expect(await node.dataSource.getRepository(SessionEntity).count()).toBe(0);
    expect(replicaReads).toHaveBeenCalled();
  });

  it('reads and writes the primary only, whatever the verb', async () => {
    const { service, core, store } = node;
    const anonymous = await service.createAnonymous({ cart: [1] });
    const first = await service.authenticate(anonymous.session.id, { userId: 'ana', roles: ['customer'] });
    expect(await reasonFor(anonymous.token)).toBe('unknown');
    expect(await reasonFor(first.token)).toBe('live');

    const second = await service.rotate(first.session.id);
    expect(await reasonFor(first.token)).toBe('rotated');
    const stepUp = await service.authenticate(second.session.id, { userId: 'ana', level: 2 });
    expect(stepUp.session).toMatchObject({ level: 2, roles: ['customer'], data: { cart: [1] } });
    expect(await service.get(stepUp.session.id)).toMatchObject({ id: stepUp.session.id });
    expect(await service.update(stepUp.session.id, (data) => ({ ...data, n: 1 }))).toEqual({
      cart: [1],
      n: 1,
    });
    expect(await service.setRoles('ana', ['support'])).toBe(1);

    expect(await reasonFor(stepUp.token)).toBe('live');
    cluster.clock.advance('2m');
    const shown = await core.validation.validate(stepUp.token);
    if (shown.reason !== undefined) throw new Error(shown.reason);
    const renewed = (await core.rotation.renew(shown)) as string;
    expect(await reasonFor(renewed)).toBe('live');
    await store.flush();
    expect(await service.list('ana')).toMatchObject([{ id: stepUp.session.id, roles: ['support'] }]);

    const [other, newest] = [await create(), await create()];
    expect((await service.list('ana')).map(({ id }) => id)).toEqual(
      expect.arrayContaining([other.session.id, newest.session.id]),
    );
    expect(await reasonFor(renewed)).toBe('unknown'); // the limit
    expect(await service.revoke(other.session.id, { userId: 'ana' })).toBe(true);
    expect(await service.revokeAll('ana')).toBe(1);

    const stolen = await create();
    expect(await reasonFor(stolen.token)).toBe('live'); // a token that nobody has shown is no sign of theft
    const genuine = await service.rotate(stolen.session.id);
    expect(await reasonFor(genuine.token)).toBe('live');
    cluster.clock.advance('1m');
    expect(await reasonFor(stolen.token)).toBe('reused');
    expect(await reasonFor(genuine.token)).toBe('unknown');

    await create();
    cluster.clock.advance('10m');
    expect(await service.purgeExpired()).toBe(1);
    await create();
    expect(await service.revokeEveryone()).toBe(1);

    expect(replicaReads).not.toHaveBeenCalled();
    expect(await replica.getRepository(SessionEntity).count()).toBe(0);
    expect(await replica.query('SELECT * FROM session_users')).toEqual([]);
    expect(node.outages).toEqual([]);
  });

  it('refuses what was revoked at once, though the replica still has it', async () => {
    const [revoked, ofUser, ofEveryone] = [await create(), await create('bob'), await create('eve')];
    await copyToReplica();
    expect(await replica.getRepository(SessionEntity).count()).toBe(3);
    await node.service.revoke(revoked.session.id);
    expect(await reasonFor(revoked.token)).toBe('unknown');
    await node.service.revokeAll('bob');
    expect(await reasonFor(ofUser.token)).toBe('unknown');
    await node.service.revokeEveryone();
    expect(await reasonFor(ofEveryone.token)).toBe('unknown');
    expect(await node.service.list('ana')).toEqual([]);
    expect(await node.service.get(revoked.session.id)).toBeNull();
    await expect(node.service.rotate(revoked.session.id)).rejects.toMatchObject({ status: 401 });
    expect(await replica.getRepository(SessionEntity).count()).toBe(3);
    expect(replicaReads).not.toHaveBeenCalled();
  });

  it('goes by the newest token, roles and data, though the replica has older ones', async () => {
    const { session, token } = await create();
    await copyToReplica();
    const next = await node.service.rotate(session.id);
    await node.service.setRoles('ana', ['support']);
    await node.service.update(session.id, () => ({ n: 1 }));
    expect(await reasonFor(token)).toBe('rotated');
    expect(await node.service.validate(next.token)).toMatchObject({
      session: { id: session.id, roles: ['support'], data: { n: 1 } },
    });
    expect(replicaReads).not.toHaveBeenCalled();
  });
});

/** The database of a leg as primary, with an empty one beside it that poses as its replica. */
function withReplica(leg: DatabaseLeg): DatabaseLeg & { replica(): DataSource } {
  let replica: DataSource;
  return {
    ...leg,
    replica: () => replica,
    create: async () => {
      const [primary, stale] = [await leg.create(), await leg.create()];
      const entities = [...sessionEntities];
      replica = await new DataSource({ ...stale.options, entities, synchronize: true }).initialize();
      const { type } = primary.options;
      const [master, slave] = [primary, stale].map(({ options }) => ({
        url: (options as { url: string }).url,
      }));
      return {
        options: { type, replication: { master, slaves: [slave] } } as DataSourceOptions,
        drop: () => Promise.all([primary.drop(), stale.drop()]),
      };
    },
  };
}

async function onPrimary<T>(
  dataSource: DataSource,
  work: (manager: DataSource['manager']) => Promise<T>,
): Promise<T> {
  const runner = dataSource.createQueryRunner('master');
  try {
    return await work(runner.manager);
  } finally {
    await runner.release();
  }
}

/** Whoever reads a replica asks the driver for a connection to it first. */
function spyOnReplicaReads({ driver }: DataSource) {
  return jest.spyOn(driver as unknown as { obtainSlaveConnection(): unknown }, 'obtainSlaveConnection');
}
