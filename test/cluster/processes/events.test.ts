import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ClusterNodes, type Issued, until } from '../../support/cluster-nodes.js';
import { checkVerbs, OPTIONS_OF_VERBS } from '../../support/cluster-verbs.js';
import { describeOnEachDatabase } from '../../support/databases.js';
import type { NodeProcess } from '../../support/processes.js';
import { TcpProxy } from '../../support/tcp-proxy.js';

const REDIS = process.env['TEST_REDIS_URL'] ?? 'redis://127.0.0.1:6379';
/** More than the ids of which fit into a message of PostgreSQL. */
const VERY_MANY = 300;

jest.setTimeout(180_000);

interface Heard {
  readonly type: string;
  readonly origin: 'own' | 'other';
  readonly userId: string | null;
  readonly hasClient: boolean;
}

/** What nodes tell each other. */
const TOLD = ['authenticated', 'reuse-detected', 'revoked', 'roles-changed', 'rotated', 'updated'];

async function heardBy(node: NodeProcess, origin: Heard['origin']): Promise<readonly Heard[]> {
  return (await node.ask<Heard[]>('heard')).filter((event) => event.origin === origin);
}

/** Ends a session of such a user on the first node. */
async function end(one: NodeProcess, userId: string): Promise<void> {
  const { session } = await one.ask<Issued>('create', { userId });
  await one.ask('revoke', session.id);
}

/** Until the second node has heard that the first one has ended a session of such a user. */
async function untilHeard(one: NodeProcess, two: NodeProcess, userId: string): Promise<void> {
  await end(one, userId);
  await until(async () => (await heardBy(two, 'other')).some((event) => event.userId === userId));
}

await describeOnEachDatabase((leg) => {
  if (!leg.isShared || leg.name.startsWith('SQLite')) return;
  let cluster: ClusterNodes;

  beforeAll(async () => {
    cluster = await ClusterNodes.on(await leg.create());
  });
  afterEach(() => cluster.kill());
  afterAll(() => cluster.close());

  describe.each(leg.name === 'PostgreSQL' ? ['postgres', 'ioredis'] : ['redis', 'table'])(
    'with the bus %s',
    (bus) => {
      it('a node hears what others have taken away or changed, once, and without addresses', async () => {
        const given = { bus, redisUrl: REDIS, options: OPTIONS_OF_VERBS };
        const [one, two] = (await cluster.start(given)) as [NodeProcess, NodeProcess];
        await cluster.settled([one, two]);
        await checkVerbs([one], 0);
        await untilHeard(one, two, 'the last');
        const [own, others] = [await heardBy(one, 'own'), await heardBy(two, 'other')];
        const told = own.filter(({ type }) => TOLD.includes(type));
        expect([...new Set(told.map(({ type }) => type))].toSorted()).toEqual(TOLD);
        const described = (events: readonly Heard[]) =>
          events.map(({ type, userId }) => `${type} ${userId}`).toSorted();
        expect(described(others)).toEqual(described(told));
        expect(others.filter(({ hasClient }) => hasClient)).toEqual([]);
        // Neither its own again, nor what the other one has passed on.
        expect(await heardBy(one, 'other')).toEqual([]);
        expect(own.map(({ type }) => type)).toContain('created');
      });

      if (bus !== 'ioredis' && bus !== 'redis') return;
      it('what happens while its bus is cut, it never hears of', async () => {
        const { hostname, port } = new URL(REDIS);
        const proxy = await TcpProxy.to(hostname, Number(port));
        const [one] = (await cluster.start({ bus, redisUrl: REDIS }, 1)) as [NodeProcess];
        const through = { bus, redisUrl: `redis://127.0.0.1:${proxy.port}` };
        const [two] = (await cluster.start(through, 1)) as [NodeProcess];
        await cluster.settled([one, two]);
        await untilHeard(one, two, 'before');
        await proxy.refuse();
        await end(one, 'missed');
        await proxy.open();
        await cluster.settled([one, two]);
        await untilHeard(one, two, 'after');
        const users = (await heardBy(two, 'other')).map(({ userId }) => userId);
        expect(users).not.toContain('missed');
        await cluster.kill();
        await proxy.refuse();
      });
    },
  );

  if (leg.name !== 'PostgreSQL') return;
  it('what does not fit into a message is not told, and yet forgotten', async () => {
    const [one, two] = (await cluster.start({ bus: 'postgres' })) as [NodeProcess, NodeProcess];
    await cluster.settled([one, two]);
    const issued: Issued[] = [];
    for (let session = 0; session < VERY_MANY; session++)
      issued.push(await one.ask<Issued>('create', { userId: 'busy' }));
    const tokens = issued.slice(0, 5).map(({ token }) => token);
    await until(async () => {
      await two.ask('show', tokens);
      return (await two.ask<number>('remembered', tokens)) === tokens.length;
    });
    expect(await one.ask('revokeAll', 'busy')).toBe(VERY_MANY);
    expect(await two.ask('show', tokens)).toEqual(tokens.map(() => 'unknown'));
    await untilHeard(one, two, 'after');
    const users = (await heardBy(two, 'other')).map(({ userId }) => userId);
    expect(users).not.toContain('busy');
  });
});
