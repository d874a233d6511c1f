import { afterAll, beforeAll, it } from '@jest/globals';
import { sessionStoreContract } from 'nestjs-sessions/testing';
import { describeOnEachDatabase } from '../support/databases.js';
import { TestCluster, type TestNode } from '../support/store.js';

await describeOnEachDatabase((leg) => {
  let cluster: TestCluster;
  let node: TestNode;
  let second: TestNode;

  beforeAll(async () => {
    cluster = await TestCluster.on(leg);
    node = await cluster.node();
    second = leg.isShared ? await cluster.node() : node;
  });
  afterAll(() => cluster.close());

  async function create() {
    await node.store.flush();
    await second.store.flush();
    for (const table of ['sessions', 'session_users']) await node.dataSource.query(`DELETE FROM ${table}`);
    return { store: node.store, second: second.store };
  }

  for (const { name, run } of sessionStoreContract(create)) it(name, run, 60_000);
});
