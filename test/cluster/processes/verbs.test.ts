import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ClusterNodes, type Issued, remembered, said, stale } from '../../support/cluster-nodes.js';
import { type Checked, checkVerbs, OPTIONS_OF_VERBS } from '../../support/cluster-verbs.js';
import { describeOnEachDatabase } from '../../support/databases.js';
import { EFFORT } from '../../support/exploration.js';
import type { NodeProcess } from '../../support/processes.js';

const REDIS = process.env['TEST_REDIS_URL'] ?? 'redis://127.0.0.1:6379';

/** On each bus, and each number of nodes. `TEST_CHECKS=100000` looks longer, and tells how it went. */
const CHECKS = Number(process.env['TEST_CHECKS'] ?? 500 * EFFORT);

/** How long a node is stopped, in milliseconds. */
const STOPPED = 5_000;

jest.setTimeout(180_000 + 20 * CHECKS);

await describeOnEachDatabase((leg) => {
  if (!leg.isShared || leg.name.startsWith('SQLite')) return;
  const BUSES =
    leg.name === 'PostgreSQL'
      ? ['postgres', 'ioredis', 'redis', 'table', 'none']
      : ['ioredis', 'redis', 'table', 'none'];
  let cluster: ClusterNodes;

  beforeAll(async () => {
    cluster = await ClusterNodes.on(await leg.create());
  });
  afterEach(() => cluster.kill());
  afterAll(() => cluster.close());

  describe.each(BUSES)('with the bus %s', (name) => {
    const bus = name === 'none' ? undefined : name;

    async function startTwo(): Promise<[NodeProcess, NodeProcess]> {
      const nodes = (await cluster.start({ bus, redisUrl: REDIS })) as [NodeProcess, NodeProcess];
      await cluster.settled(nodes);
      return nodes;
    }

    it.each([2, 8])('%i nodes: none answers from a state before a verb that has returned', async (count) => {
      const nodes = await cluster.start({ bus, redisUrl: REDIS, options: OPTIONS_OF_VERBS }, count);
      await cluster.settled(nodes);
      // Without a bus each verb empties the memory of all nodes.
      const outcome = await checkVerbs(
        nodes,
        bus === undefined ? 0 : CHECKS,
        bus === undefined ? 1 : undefined,
      );
      if (process.env['TEST_CHECKS'] !== undefined) tell(`${leg.name}, ${name}, ${count} nodes`, outcome);
      expect(outcome.stale).toEqual([]);
    });

    it('a node that has stopped answers from no earlier state once it goes on', async () => {
      const [one, two] = await startTwo();
      const { token, session } = await remembered([one, two], 'stopped');
      const before = await said(two, token);
      const began = performance.now();
      two.signal('SIGSTOP');
      const took = await one.ask<number>('timed', 'revoke', session.id);
      expect(took).toBeGreaterThan(500);
      // It is waited for once.
      expect(await cluster.members()).toBe(1);
      await wait(STOPPED - (performance.now() - began));
      // What is asked now is answered first when it goes on, before it hears of anything else.
      const late = stale([two], token, before);
      two.signal('SIGCONT');
      expect(await late).toBe(0);
      await cluster.settled([one, two]);
    });

    it('a node that was killed is taken out by the next verb', async () => {
      const [one, two] = await startTwo();
      const first = await one.ask<Issued>('create', { userId: 'killed' });
      const second = await one.ask<Issued>('create', { userId: 'killed' });
      await two.kill();
      expect(await one.ask('revoke', first.session.id)).toBe(true);
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

function tell(where: string, { checks, stale: verbs }: Checked): void {
  process.stderr.write(`${where}: ${checks} checks after return, ${verbs.length} stale\n`);
}
