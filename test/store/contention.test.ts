import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { DataSource } from 'typeorm';
import { sessionEntities } from '../../src/store/session.entity.js';
import { describeOnEachDatabase, type TestDatabase } from '../support/databases.js';
import { NodeProcess } from '../support/processes.js';
import { TestCluster, type TestNode } from '../support/store.js';

const AT_ONCE = 500;
/** Of each of two processes. */
const RACED = 100;
const STATEMENTS_EACH = 3;
/** A processor that is shared with other suites is slow, but 500 changes are not quadratic. */
const LONGEST = 4_500;

const countOf = ({ data }: { data: unknown }) => (data as { n?: number }).n ?? 0;
const addOne = (data: object) => ({ ...data, n: countOf({ data }) + 1 });

// Its limits are seconds: where the machine stood still for so long, it is asked again.
jest.retryTimes(2, { logErrorsBeforeRetry: true });

await describeOnEachDatabase((leg) => {
  let cluster: TestCluster;
  let node: TestNode;

  beforeAll(async () => {
    cluster = await TestCluster.on(leg);
    node = await cluster.node();
  });
  afterAll(() => cluster.close());

  /** How many statements all of it takes, and how long. */
  async function measure(
    work: () => Promise<unknown>,
  ): Promise<{ statements: number; milliseconds: number }> {
    const queries = jest.spyOn(node.dataSource.logger, 'logQuery');
    const began = performance.now();
    await work();
    const milliseconds = performance.now() - began;
    const statements = queries.mock.calls.length;
    queries.mockRestore();
    return { statements, milliseconds };
  }

  it(`makes ${AT_ONCE} changes of one session at the same time, each with few statements, and loses none`, async () => {
    const { session } = await node.service.create({ userId: 'ana' });
    const numbers: number[] = [];
    const { statements, milliseconds } = await measure(async () => {
      const updates = Array.from({ length: AT_ONCE }, () => node.service.update(session.id, addOne));
      for (const data of await Promise.all(updates)) numbers.push(countOf({ data }));
    });
    expect(numbers).toEqual(Array.from({ length: AT_ONCE }, (_, at) => at + 1));
    expect(countOf((await node.service.get(session.id))!)).toBe(AT_ONCE);
    expect(statements).toBeLessThanOrEqual(STATEMENTS_EACH * AT_ONCE);
    expect(milliseconds).toBeLessThan(LONGEST);
  });

  it('rotates and signs in on one session many times at once, each with as few statements as alone', async () => {
    const { session } = await node.service.create({ userId: 'ana' });
    const verbs = {
      rotate: () => node.service.rotate(session.id),
      authenticate: () => node.service.authenticate(session.id, { userId: 'ana' }),
    };
    for (const verb of Object.values(verbs)) {
      await verb();
      const alone = await measure(verb);
      const tokens = new Set<string>();
      const together = await measure(async () => {
        const issued = await Promise.all(Array.from({ length: 50 }, verb));
        for (const { token } of issued) tokens.add(token);
      });
      expect(tokens.size).toBe(50);
      expect(together.statements).toBeLessThanOrEqual(50 * alone.statements);
    }
  });

  if (!leg.isShared) return;

  it('loses no change of two processes that race', async () => {
    const database = await leg.create();
    const { id, dataSource } = await sessionIn(database);
    const processes = await Promise.all([1, 2].map(() => NodeProcess.start(database.options)));
    try {
      const counted = processes.map((each) => each.ask<number>('count', id, RACED));
      const statements = await Promise.all(counted);
      const [{ data }] = (await dataSource.query('SELECT data FROM sessions')) as [{ data: string }];
      expect(JSON.parse(data)).toEqual({ n: 2 * RACED });
      for (const each of statements) expect(each).toBeLessThanOrEqual(3 * STATEMENTS_EACH * RACED);
    } finally {
      await Promise.all(processes.map((each) => each.kill()));
      await dataSource.destroy();
      await database.drop();
    }
  });
});

async function sessionIn(database: TestDatabase): Promise<{ id: string; dataSource: DataSource }> {
  const entities = [...sessionEntities];
  const dataSource = await new DataSource({
    ...database.options,
    entities,
    synchronize: true,
  }).initialize();
  const node = await NodeProcess.start(database.options);
  const { session } = await node.ask<{ session: { id: string } }>('create', { userId: 'ana' });
  await node.kill();
  return { id: session.id, dataSource };
}
