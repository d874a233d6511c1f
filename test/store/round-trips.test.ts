import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { SessionModuleOptions } from '../../src/core/options/options.js';
import { describeOnEachDatabase } from '../support/databases.js';
import { countingRoundTrips } from '../support/round-trips.js';
import { TestCluster, type TestNode } from '../support/store.js';

/** How many there may be on PostgreSQL, and on MySQL: one after the other, the reading of the number included. */
const AT_MOST: Readonly<Record<string, readonly [postgres: number, mysql: number]>> = {
  fresh: [3, 3],
  'fresh, at a limit that evicts': [3, 8],
  'fresh, at a limit that rejects': [3, 6],
  'on an anonymous session': [3, 5],
  'on an anonymous session, at a limit that evicts': [4, 8],
  'on an anonymous session, at a limit that rejects': [8, 7],
  'step-up': [3, 3],
};

await describeOnEachDatabase((leg) => {
  if (leg.name.startsWith('SQLite')) return; // no network is in between
  let cluster: TestCluster;
  let node: TestNode;

  beforeAll(async () => {
    cluster = await TestCluster.on(leg);
    node = await cluster.node();
  });
  afterAll(() => cluster.close());

  it.each(Object.entries(AT_MOST))('a sign-in (%s) makes few round trips', async (kind, atMost) => {
    const limits: SessionModuleOptions = kind.includes('limit')
      ? { maxSessionsPerUser: 2, onSessionLimit: kind.includes('evicts') ? 'evict-oldest' : 'reject' }
      : {};
    const { service } = cluster.nodeSharing(node, limits);
    const userId = kind;
    const first = await service.create({ userId });
    if (kind.includes('evicts')) await service.create({ userId });
    const { session } = kind === 'step-up' ? first : await service.createAnonymous();
    const isFresh = kind.startsWith('fresh');
    const count = countingRoundTrips(node.dataSource);
    await service.list(userId);
    count.start();
    await (isFresh ? service.create({ userId }) : service.authenticate(session.id, { userId }));
    const trips = count.stop();
    expect({ trips, isFew: trips.length <= atMost[leg.name === 'PostgreSQL' ? 0 : 1] }).toMatchObject({
      isFew: true,
    });
    const live = await service.list(userId);
    expect(live).toHaveLength(kind.includes('limit') || !kind.startsWith('step-up') ? 2 : 1);
  });
});
