import { afterAll } from '@jest/globals';
import { describeOnEachDatabase } from '../support/databases.js';
import { signInRaces } from '../support/sign-in-races.js';
import { TestCluster } from '../support/store.js';

await describeOnEachDatabase((leg) => {
  let cluster: TestCluster;
  afterAll(() => cluster.close());
  const start = async () => {
    cluster = await TestCluster.on(leg);
    const first = await cluster.node();
    return { cluster, nodes: leg.isShared ? ([first, await cluster.node()] as const) : ([first] as const) };
  };
  signInRaces(start, { rounds: 20, hasDelays: !leg.name.startsWith('SQLite') });
});
