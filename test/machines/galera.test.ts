import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { EFFORT } from '../support/exploration.js';
import { answerOf } from '../support/load.js';
import { GALERA_PROGRAMS, MariadbServer } from '../support/servers/mariadb-server.js';
import { describeWith } from '../support/servers/programs.js';
import { signInRaces } from '../support/sign-in-races.js';
import { TestCluster, type TestNode } from '../support/store.js';

const ROUNDS = 6 * EFFORT;

describeWith(GALERA_PROGRAMS, 'on three nodes of Galera', () => {
  let servers: readonly MariadbServer[];
  let cluster: TestCluster;
  let nodes: [TestNode, TestNode, TestNode];

  beforeAll(async () => {
    servers = await MariadbServer.galera();
    const [one, two, three] = servers as [MariadbServer, MariadbServer, MariadbServer];
    cluster = await TestCluster.in(one.options);
    nodes = [await cluster.node(), await cluster.nodeOn(two.options), await cluster.nodeOn(three.options)];
  }, 120_000);
  afterAll(async () => {
    await cluster.close();
    await Promise.all(servers.map((server) => server.drop()));
  }, 60_000);
  beforeEach(async () => {
    for (const { events, outages } of nodes) [events, outages].forEach((told) => told.splice(0));
  });

  it('a revocation on one node holds on the others once it has returned', async () => {
    const answers = new Map<string, number>();
    const [one, two, three] = nodes;
    for (let round = 0; round < ROUNDS; round++) {
      const { token, session } = await one.service.create({ userId: 'ana' });
      const seen = [
        await answerOf(two.service.validate(token)),
        await answerOf(three.service.validate(token)),
      ];
      await two.service.revoke(session.id);
      seen.push(...(await Promise.all([one, three].map(({ service }) => answerOf(service.validate(token))))));
      const story = seen.join(', ');
      answers.set(story, (answers.get(story) ?? 0) + 1);
    }
    expect([...answers]).toEqual([['live, live, unknown, unknown', ROUNDS]]);
  });

  it('a revocation holds on a node that has not heard of it yet', async () => {
    const [one, two] = nodes;
    const { token, session } = await one.service.create({ userId: 'ana' });
    const holder = await new DataSource(servers[0]?.options as DataSourceOptions).initialize();
    const runner = holder.createQueryRunner();
    // What comes from the other nodes has to wait.
    await runner.query('FLUSH TABLES WITH READ LOCK');
    let isRevoked: boolean;
    let answer: Promise<string>;
    try {
      isRevoked = await two.service.revoke(session.id);
      answer = answerOf(one.service.validate(token));
      const [row] = (await runner.query('SELECT COUNT(*) AS count FROM sessions WHERE id = ?', [
        session.id,
      ])) as [{ count: unknown }];
      expect(Number(row.count)).toBe(1);
      await Promise.race([answer, wait(300)]);
    } finally {
      await runner.query('UNLOCK TABLES');
      await holder.destroy();
    }
    expect(isRevoked).toBe(true);
    expect(await answer).toBe('unknown');
  });

  describe('races', () => {
    signInRaces(async () => ({ cluster, nodes }), { rounds: ROUNDS, hasDelays: true });
  });
});
