import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { DataSourceOptions } from 'typeorm';
import { ClusterNodes, remembered, said, stale, until } from '../../support/cluster-nodes.js';
import { LEGS, type TestDatabase } from '../../support/databases.js';
import {
  hasRedis,
  ownPostgres,
  ownRedis,
  type OwnServer,
  postgresPrograms,
} from '../../support/own-servers.js';
import type { NodeProcess } from '../../support/processes.js';
import { TcpProxy } from '../../support/tcp-proxy.js';

jest.setTimeout(180_000);

const may = (node: NodeProcess) => node.ask<boolean>('mayAnswer');
const postgres = LEGS.find(({ name }) => name === 'PostgreSQL')!;
const describeWhere = (isThere: boolean) => (isThere || process.env['CI'] ? describe : describe.skip);

/** Ends a session on one node, and looks for what the others say of it. */
async function revokeAndLook(one: NodeProcess, two: NodeProcess, userId: string): Promise<number> {
  const { token, session } = await remembered([one, two], userId);
  const before = await said(two, token);
  await one.ask('revoke', session.id);
  return stale([one, two], token, before);
}

describe('on PostgreSQL', () => {
  let database: TestDatabase;
  let cluster: ClusterNodes;

  beforeAll(async () => {
    database = await postgres.create();
    cluster = await ClusterNodes.on(database.options);
  });
  afterEach(() => cluster.kill());
  afterAll(async () => {
    await cluster.close();
    await database.drop();
  });

  it('a pool that is exhausted costs no node its lease', async () => {
    const [one, two] = (await cluster.start({ bus: 'postgres' })) as [NodeProcess, NodeProcess];
    await cluster.settled([one, two]);
    await two.ask('exhaust', 4_000);
    const deadline = Date.now() + 3_500;
    await until(async () => {
      expect(await may(two)).toBe(true);
      return Date.now() > deadline;
    });
  });

  it('what a process without the option takes away, the others forget when the call is repeated with it', async () => {
    const [one, two] = (await cluster.start({ bus: 'postgres' })) as [NodeProcess, NodeProcess];
    const [old] = (await cluster.start({ bus: null }, 1)) as [NodeProcess];
    await cluster.settled([one, two]);
    const { token, session } = await remembered([one, two], 'rolling');
    const before = await said(two, token);
    expect(await old.ask('revoke', session.id)).toBe(true);
    // This is what the documentation warns of.
    expect(await stale([two], token, before)).toBeGreaterThan(0);
    expect(await one.ask('revoke', session.id)).toBe(false);
    expect(await stale([one, two], token, before)).toBe(0);
  });

  it('while a deploy is rolled out without the cache, processes without the option take away at once', async () => {
    const nodes = await cluster.start({ bus: 'postgres', cache: false });
    const [old] = (await cluster.start({ bus: null }, 1)) as [NodeProcess];
    const { token, session } = await old.ask<{ token: string; session: { id: string } }>('create', {
      userId: 'ana',
    });
    const before = await said(nodes[0]!, token);
    await old.ask('revoke', session.id);
    expect(await stale(nodes, token, before)).toBe(0);
  });

  describeWhere(hasRedis())('with Redis as the bus', () => {
    let redis: OwnServer;
    beforeAll(async () => {
      redis = await ownRedis();
    });
    afterAll(() => redis.remove());

    it.each(['ioredis', 'redis'])(
      'a node whose bus is cut asks the database, and comes back (%s)',
      async (bus) => {
        const { hostname, port } = new URL(redis.url);
        const proxy = await TcpProxy.to(hostname, Number(port));
        const [one] = (await cluster.start({ bus, redisUrl: redis.url }, 1)) as [NodeProcess];
        const through = { bus, redisUrl: `redis://127.0.0.1:${proxy.port}` };
        const [two] = (await cluster.start(through, 1)) as [NodeProcess];
        await cluster.settled([one, two]);
        const { token, session } = await remembered([one, two], `cut-${bus}`);
        const before = await said(two, token);
        proxy.silence();
        await one.ask('revoke', session.id);
        expect(await stale([one, two], token, before)).toBe(0);
        await until(async () => !(await may(two)));
        proxy.heal();
        await cluster.settled([one, two]);
        expect(await revokeAndLook(one, two, `healed-${bus}`)).toBe(0);
        await cluster.kill();
        await proxy.refuse();
      },
    );

    it.each(['ioredis', 'redis'])('nodes come back after a restart of Redis (%s)', async (bus) => {
      const [one, two] = (await cluster.start({ bus, redisUrl: redis.url })) as [NodeProcess, NodeProcess];
      await cluster.settled([one, two]);
      const { token, session } = await remembered([one, two], `redis-${bus}`);
      const before = await said(two, token);
      await redis.stop();
      await one.ask('revoke', session.id);
      expect(await stale([one, two], token, before)).toBe(0);
      await redis.start();
      await cluster.settled([one, two]);
      expect(await revokeAndLook(one, two, `again-${bus}`)).toBe(0);
    });
  });
});

describeWhere(postgresPrograms() !== null)('a restart of PostgreSQL', () => {
  let server: OwnServer;
  beforeAll(async () => {
    server = await ownPostgres();
  });
  afterAll(() => server.remove());

  it('leaves nothing stale, and nodes come back by themselves', async () => {
    const options: DataSourceOptions = { type: 'postgres', url: server.url };
    const cluster = await ClusterNodes.on(options);
    const [one, two] = (await cluster.start({ bus: 'postgres' })) as [NodeProcess, NodeProcess];
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
  });
});
