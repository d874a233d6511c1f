import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ClusterNodes, type Issued, remembered, said, stale } from '../../support/cluster-nodes.js';
import { describeOnEachDatabase, type TestDatabase } from '../../support/databases.js';
import { EFFORT } from '../../support/exploration.js';
import type { NodeProcess } from '../../support/processes.js';

const REDIS = process.env['TEST_REDIS_URL'] ?? 'redis://127.0.0.1:6379';

jest.setTimeout(180_000 * EFFORT);

/** What takes something away. */
const VERBS: Readonly<Record<string, (node: NodeProcess, id: string, userId: string) => Promise<unknown>>> = {
  revoke: (node, id) => node.ask('revoke', id),
  revokeAll: (node, _, userId) => node.ask('revokeAll', userId),
  rotate: (node, id) => node.ask('rotate', id),
  update: (node, id) => node.ask('verb', 'update', id, { changed: 1 }),
  setRoles: (node, _, userId) => node.ask('setRoles', userId, ['newer']),
  authenticate: (node, id, userId) => node.ask('authenticate', id, { userId, level: 2 }),
  'sign-out': (node, id) => node.ask('signOut', id),
};

await describeOnEachDatabase((leg) => {
  if (!leg.isShared || leg.name.startsWith('SQLite')) return;
  const BUSES =
    leg.name === 'PostgreSQL'
      ? ['postgres', 'ioredis', 'redis', 'table', 'none']
      : ['ioredis', 'redis', 'table', 'none'];
  let database: TestDatabase;
  let cluster: ClusterNodes;

  beforeAll(async () => {
    database = await leg.create();
    cluster = await ClusterNodes.on(database.options);
  });
  afterEach(() => cluster.kill());
  afterAll(async () => {
    await cluster.close();
    await database.drop();
  });

  describe.each(BUSES)('with the bus %s', (name) => {
    const bus = name === 'none' ? undefined : name;

    async function startTwo(): Promise<[NodeProcess, NodeProcess]> {
      const nodes = (await cluster.start({ bus, redisUrl: REDIS })) as [NodeProcess, NodeProcess];
      await cluster.settled(nodes);
      return nodes;
    }

    it('no node answers from a state before a verb that has returned', async () => {
      const [one, two] = await startTwo();
      const rounds = (bus === 'table' || bus === undefined ? 1 : 4) * EFFORT;
      for (let round = 0; round < rounds; round++) {
        await Promise.all(
          Object.entries(VERBS).map(async ([verb, call]) => {
            const userId = `${verb}-${round}`;
            const { token, session } = await remembered([one, two], userId);
            const before = await said(two, token);
            await call(one, session.id, userId);
            expect([verb, await stale([one, two], token, before)]).toEqual([verb, 0]);
          }),
        );
      }
    });

    it('a node that has stopped answers from no earlier state once it goes on', async () => {
      const [one, two] = await startTwo();
      const { token, session } = await remembered([one, two], 'stopped');
      const before = await said(two, token);
      two.signal('SIGSTOP');
      const took = await one.ask<number>('timed', 'revoke', session.id);
      // What is asked now is answered first when it goes on, before it hears of anything else.
      const late = stale([two], token, before);
      two.signal('SIGCONT');
      expect(await late).toBe(0);
      expect(took).toBeGreaterThan(500);
      await cluster.settled([one, two]);
    });

    it('a node that was killed is waited for once', async () => {
      const [one, two] = await startTwo();
      const first = await one.ask<Issued>('create', { userId: 'killed' });
      const second = await one.ask<Issued>('create', { userId: 'killed' });
      await two.kill();
      expect(await one.ask<number>('timed', 'revoke', first.session.id)).toBeGreaterThan(500);
      expect(await cluster.members()).toBe(1);
      expect(await one.ask('revoke', second.session.id)).toBe(true);
    });

    it('a node that shuts down leaves at once', async () => {
      const [, two] = await startTwo();
      await two.ask('close');
      expect(await cluster.members()).toBe(1);
    });
  });
});
