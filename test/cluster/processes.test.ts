import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { DataSource } from 'typeorm';
import { sessionEntities } from '../../src/store/session.entity.js';
import { describeOnEachDatabase, type TestDatabase } from '../support/databases.js';
import { EFFORT } from '../support/exploration.js';
import { NodeProcess } from '../support/processes.js';

interface Issued {
  readonly token: string;
  readonly session: { readonly id: string };
}

const REDIS = new URL(process.env['TEST_REDIS_URL'] ?? 'redis://127.0.0.1:6379');
/** How often a token is shown to each other node once a verb has returned. */
const SHOWN = 5;

jest.setTimeout(180_000 * EFFORT);

/** What takes something away, and what another node says of the token after it. */
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
  const isPostgres = leg.name === 'PostgreSQL';
  let database: TestDatabase;
  let dataSource: DataSource;
  let nodes: NodeProcess[] = [];

  beforeAll(async () => {
    database = await leg.create();
    const entities = [...sessionEntities];
    dataSource = await new DataSource({ ...database.options, entities, synchronize: true }).initialize();
  });
  afterEach(async () => {
    for (const node of nodes) node.signal('SIGCONT');
    await Promise.all(nodes.map((node) => node.kill()));
    nodes = [];
  });
  afterAll(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  async function start(given: object, count = 2): Promise<NodeProcess[]> {
    const settings = { database: database.options, redisUrl: REDIS.href, ...given };
    const started = await Promise.all(
      Array.from({ length: count }, () => NodeProcess.run('cluster-process.mjs', settings)),
    );
    nodes.push(...started);
    return started;
  }

  /** Until each of them may answer from memory, and nothing from earlier tests is in the registry. */
  async function settled(of: readonly NodeProcess[]): Promise<void> {
    await until(async () => {
      const may = await Promise.all(of.map((node) => node.ask<boolean>('mayAnswer')));
      const rows = await dataSource.query(
        "SELECT node_id FROM session_nodes WHERE node_id NOT IN ('server', 'namespace')",
      );
      return may.every(Boolean) && rows.length === of.length;
    });
  }

  /** A session that all of these nodes remember. */
  async function remembered(by: readonly NodeProcess[], userId: string): Promise<Issued> {
    const issued = await by[0]!.ask<Issued>('create', { userId, roles: ['older'] });
    await until(async () => {
      await Promise.all(by.map((node) => node.ask('show', [issued.token])));
      const counts = await Promise.all(by.map((node) => node.ask<number>('remembered', [issued.token])));
      return counts.every((count) => count === 1);
    });
    return issued;
  }

  /** What the nodes say of the token, once the verb has returned: never what they said before. */
  async function stale(of: readonly NodeProcess[], token: string, before: string): Promise<number> {
    const answers = await Promise.all(of.map((node) => node.ask<string[]>('show', [token], SHOWN)));
    return answers.flat().filter((answer) => answer === before).length;
  }

  const BUSES = isPostgres
    ? ['postgres', 'ioredis', 'redis', 'table', undefined]
    : ['ioredis', 'redis', 'table', undefined];
  describe.each(BUSES)('with the bus %s', (bus) => {
    it('no node answers from a state before a verb that has returned', async () => {
      const [one, two] = (await start({ bus })) as [NodeProcess, NodeProcess];
      await settled([one, two]);
      const rounds = (bus === 'table' || bus === undefined ? 1 : 4) * EFFORT;
      for (let round = 0; round < rounds; round++) {
        await Promise.all(
          Object.entries(VERBS).map(async ([name, verb]) => {
            const userId = `${name}-${round}`;
            const { token, session } = await remembered([one, two], userId);
            const [before = ''] = await two.ask<string[]>('show', [token]);
            await verb(one, session.id, userId);
            expect([name, await stale([one, two], token, before)]).toEqual([name, 0]);
          }),
        );
      }
    });

    it('a node that has stopped answers from no earlier state once it goes on', async () => {
      const [one, two] = (await start({ bus })) as [NodeProcess, NodeProcess];
      await settled([one, two]);
      const { token, session } = await remembered([one, two], 'stopped');
      const [before = ''] = await two.ask<string[]>('show', [token]);
      two.signal('SIGSTOP');
      const took = await one.ask<number>('timed', 'revoke', session.id);
      // What is asked now is answered first when it goes on, before it hears of anything else.
      const late = stale([two], token, before);
      two.signal('SIGCONT');
      expect(await late).toBe(0);
      expect(took).toBeGreaterThan(500);
      await settled([one, two]);
    });

    it('a node that was killed is waited for once', async () => {
      const [one, two] = (await start({ bus })) as [NodeProcess, NodeProcess];
      await settled([one, two]);
      const first = await one.ask<Issued>('create', { userId: 'killed' });
      const second = await one.ask<Issued>('create', { userId: 'killed' });
      await two.kill();
      expect(await one.ask<number>('timed', 'revoke', first.session.id)).toBeGreaterThan(500);
      const rows = await dataSource.query('SELECT node_id FROM session_nodes WHERE lease > 0');
      expect(rows).toHaveLength(1);
      expect(await one.ask('revoke', second.session.id)).toBe(true);
    });

    it('a node that shuts down is not waited for', async () => {
      const [one, two] = (await start({ bus })) as [NodeProcess, NodeProcess];
      await settled([one, two]);
      await two.ask('close');
      expect(await dataSource.query('SELECT node_id FROM session_nodes WHERE lease > 0')).toHaveLength(1);
      const { session } = await one.ask<Issued>('create', { userId: 'gone' });
      expect(await one.ask('revoke', session.id)).toBe(true);
    });
  });
});

/** @throws where it takes too long */
async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('It has not come about.');
    await wait(20);
  }
}
