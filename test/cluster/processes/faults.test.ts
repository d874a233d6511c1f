import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { DataSourceOptions } from 'typeorm';
import { NEAR_CACHE_AGE } from '../../../src/core/outage/time-budgets.js';
import { ClusterNodes, type Issued, remembered, said, stale, until } from '../../support/cluster-nodes.js';
import { describeOnEachDatabase } from '../../support/databases.js';
import {
  hasRedis,
  ownPostgres,
  ownRedis,
  type OwnServer,
  postgresPrograms,
} from '../../support/own-servers.js';
import type { NodeProcess } from '../../support/processes.js';
import { TcpProxy } from '../../support/tcp-proxy.js';

jest.setTimeout(300_000);

const may = (node: NodeProcess) => node.ask<boolean>('mayAnswer');
const describeWhere = (isThere: boolean) => (isThere || process.env['CI'] ? describe : describe.skip);

/** Ends a session on one node, and looks for what the others say of it. */
async function revokeAndLook(one: NodeProcess, two: NodeProcess, userId: string): Promise<number> {
  const { token, session } = await remembered([one, two], userId);
  const before = await said(two, token);
  await one.ask('revoke', session.id);
  return stale([one, two], token, before);
}

await describeOnEachDatabase((leg) => {
  if (!leg.isShared || leg.name.startsWith('SQLite')) return;
  const isPostgres = leg.name === 'PostgreSQL';
  const bus = isPostgres ? 'postgres' : 'table';
  let cluster: ClusterNodes;

  beforeAll(async () => {
    cluster = await ClusterNodes.on(await leg.create());
  });
  afterEach(() => cluster.kill());
  afterAll(() => cluster.close());

  async function startTwo(given: object = { bus }): Promise<[NodeProcess, NodeProcess]> {
    const nodes = (await cluster.start(given)) as [NodeProcess, NodeProcess];
    await cluster.settled(nodes);
    return nodes;
  }

  it('a pool that is exhausted costs no node its lease, and nobody waits for it', async () => {
    const [one, two] = await startTwo();
    const { token, session } = await remembered([one, two], 'exhausted');
    const before = await said(two, token);
    await two.ask('exhaust', 4_000);
    const deadline = Date.now() + 3_500;
    await one.ask('revoke', session.id);
    expect(await cluster.members()).toBe(2);
    await until(async () => {
      expect(await may(two)).toBe(true);
      return Date.now() > deadline;
    });
    expect(await stale([one, two], token, before)).toBe(0);
  });

  it('what a process without the option takes away, the others forget when the call is repeated with it', async () => {
    const [one, two] = await startTwo();
    const [old] = (await cluster.start({ bus: null }, 1)) as [NodeProcess];
    const { token, session } = await remembered([one, two], 'rolling');
    const before = await said(two, token);
    expect(await old.ask('revoke', session.id)).toBe(true);
    // This is what the documentation warns of.
    expect(await stale([two], token, before)).toBeGreaterThan(0);
    expect(await one.ask('revoke', session.id)).toBe(false);
    expect(await stale([one, two], token, before)).toBe(0);
  });

  it('what a process without the option takes away, the others answer for a minute at most', async () => {
    const [one, two] = await startTwo();
    const [old] = (await cluster.start({ bus: null }, 1)) as [NodeProcess];
    const { token, session } = await remembered([one, two], 'left');
    const before = await said(two, token);
    await old.ask('revoke', session.id);
    const revoked = performance.now();
    await until(async () => (await stale([one, two], token, before)) === 0, 2 * NEAR_CACHE_AGE);
    // It ends by itself, and not before: otherwise this shows nothing.
    expect(performance.now() - revoked).toBeGreaterThan(NEAR_CACHE_AGE / 10);
  });

  it('while a deploy is rolled out without the cache, processes without the option take away at once', async () => {
    const nodes = await cluster.start({ bus, cache: false });
    const [old] = (await cluster.start({ bus: null }, 1)) as [NodeProcess];
    const { token, session } = await old.ask<Issued>('create', { userId: 'ana' });
    const before = await said(nodes[0]!, token);
    await old.ask('revoke', session.id);
    expect(await stale(nodes, token, before)).toBe(0);
  });

  /** The second node reaches its bus through the proxy. */
  async function cutTheBus(proxy: TcpProxy, direct: object, through: object): Promise<void> {
    const [one] = (await cluster.start(direct, 1)) as [NodeProcess];
    const [two] = (await cluster.start(through, 1)) as [NodeProcess];
    await cluster.settled([one, two]);
    const { token, session } = await remembered([one, two], 'cut');
    const before = await said(two, token);
    proxy.silence();
    await one.ask('revoke', session.id);
    expect(await stale([one, two], token, before)).toBe(0);
    await until(async () => !(await may(two)));
    proxy.heal();
    await cluster.settled([one, two]);
    expect(await revokeAndLook(one, two, 'healed')).toBe(0);
    await cluster.kill();
    await proxy.refuse();
  }

  if (isPostgres) {
    it('a node whose bus is cut asks the database, and comes back (postgres)', async () => {
      const directUrl = new URL((cluster.options as { url: string }).url);
      const proxy = await TcpProxy.to(directUrl.hostname, Number(directUrl.port));
      directUrl.hostname = '127.0.0.1';
      directUrl.port = String(proxy.port);
      await cutTheBus(proxy, { bus }, { bus, directUrl: directUrl.href });
    });
  }

  describeWhere(hasRedis())('with Redis as the bus', () => {
    let redis: OwnServer;
    beforeAll(async () => {
      redis = await ownRedis();
    });
    afterAll(() => redis.remove());

    it.each(['ioredis', 'redis'])(
      'a node whose bus is cut asks the database, and comes back (%s)',
      async (client) => {
        const { hostname, port } = new URL(redis.url);
        const proxy = await TcpProxy.to(hostname, Number(port));
        const through = { bus: client, redisUrl: `redis://127.0.0.1:${proxy.port}` };
        await cutTheBus(proxy, { bus: client, redisUrl: redis.url }, through);
      },
    );

    it.each(['ioredis', 'redis'])('nodes come back after a restart of Redis (%s)', async (client) => {
      const [one, two] = await startTwo({ bus: client, redisUrl: redis.url });
      const { token, session } = await remembered([one, two], 'restarted');
      const before = await said(two, token);
      await redis.stop();
      await one.ask('revoke', session.id);
      expect(await stale([one, two], token, before)).toBe(0);
      await redis.start();
      await cluster.settled([one, two]);
      expect(await revokeAndLook(one, two, 'again')).toBe(0);
    });
  });
});

describeWhere(postgresPrograms() !== null)('a restart of PostgreSQL', () => {
  let server: OwnServer;
  beforeAll(async () => {
    server = await ownPostgres();
  });
  afterAll(() => server.remove());

  it.each(hasRedis() ? ['postgres', 'ioredis'] : ['postgres'])(
    'leaves nothing stale, and nodes come back by themselves, with the bus %s',
    async (bus) => {
      const options: DataSourceOptions = { type: 'postgres', url: server.url };
      const redis = bus === 'postgres' ? null : await ownRedis();
      const cluster = await ClusterNodes.on({ options, drop: async () => {} });
      const [one, two] = (await cluster.start({ bus, redisUrl: redis?.url })) as [NodeProcess, NodeProcess];
      await cluster.settled([one, two]);
      const { token, session } = await remembered([one, two], 'restart');
      const before = await said(two, token);
      await cluster.dataSource.destroy();
      await server.stop();
      await server.start();
      await cluster.dataSource.initialize();
      await until(() =>
        one.ask('revoke', session.id).then(
          () => true,
          () => false,
        ),
      );
      expect(await stale([one, two], token, before)).toBe(0);
      await cluster.settled([one, two]);
      expect(await revokeAndLook(one, two, 'after')).toBe(0);
      await cluster.close();
      await redis?.remove();
    },
  );
});
