import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { ClusterNodes } from '../../support/cluster-nodes.js';
import { checkVerbs, OPTIONS_OF_VERBS } from '../../support/cluster-verbs.js';
import { describeOnEachDatabase } from '../../support/databases.js';
import { EFFORT } from '../../support/exploration.js';

const REDIS = process.env['TEST_REDIS_URL'] ?? 'redis://127.0.0.1:6379';
/** After return, with each bus. */
const CHECKS = 100 * EFFORT;
/** Few, so that no verb is given up on a machine that is busy. */
const LANES = 6;

jest.setTimeout(180_000);

/** The part of these suites that every change is checked by. */
await describeOnEachDatabase((leg) => {
  if (!leg.isShared || leg.name.startsWith('SQLite')) {
    it.skip('has one process', () => {});
    return;
  }
  let cluster: ClusterNodes;

  beforeAll(async () => {
    cluster = await ClusterNodes.on(await leg.create());
  });
  afterAll(() => cluster.close());

  it.each(leg.name === 'PostgreSQL' ? ['postgres', 'ioredis'] : ['redis', 'table'])(
    'two processes: none answers from a state before a verb that has returned, with the bus %s',
    async (bus) => {
      const nodes = await cluster.start({ bus, redisUrl: REDIS, options: OPTIONS_OF_VERBS });
      await cluster.settled(nodes);
      expect((await checkVerbs(nodes, CHECKS, LANES)).stale).toEqual([]);
      await cluster.kill();
    },
  );
});
