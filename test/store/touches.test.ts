import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import type { IssuedSession } from '../../src/core/model/session.js';
import { describeOnEachDatabase } from '../support/databases.js';
import { TestCluster, type TestNode } from '../support/store.js';

const OTHERS = 10_000;

interface Plan {
  readonly 'Index Name'?: string;
  readonly Plans?: readonly Plan[];
}

const indexesOf = ({ 'Index Name': name, Plans = [] }: Plan): string[] => [
  ...(name === undefined ? [] : [name]),
  ...Plans.flatMap(indexesOf),
];

await describeOnEachDatabase((leg) => {
  let cluster: TestCluster;
  let node: TestNode;

  beforeAll(async () => {
    cluster = await TestCluster.on(leg);
    node = await cluster.node();
  });
  afterAll(() => cluster.close());

  /** One after the other, as sign-ins of one user come to pass anyhow. */
  async function signIn(times: number): Promise<IssuedSession[]> {
    const issued: IssuedSession[] = [];
    while (issued.length < times) issued.push(await node.service.create({ userId: 'ana' }));
    return issued;
  }

  it('writes the activity of many sessions, of each its own', async () => {
    const made = await signIn(120);
    cluster.clock.advance('1m');
    const seenAt = new Map<string, number>();
    for (const { session, token } of made) {
      cluster.clock.advance(1);
      await node.service.validate(token);
      seenAt.set(session.id, cluster.clock.now());
    }
    await node.store.flush();
    const rows: { id: string; at: unknown }[] = await node.dataSource.query(
      'SELECT id, last_seen_at AS at FROM sessions',
    );
    expect(new Map(rows.map(({ id, at }) => [id, Number(at)]))).toEqual(seenAt);
  });

  it('writes the activity of a session at most once per `touchEvery`', async () => {
    const { token } = await node.service.create({ userId: 'ana' });
    await node.service.validate(token);
    const queries = jest.spyOn(node.dataSource.logger, 'logQuery');
    const writesAfter = async (wait: number) => {
      cluster.clock.advance(wait);
      queries.mockClear();
      for (let request = 0; request < 5; request++) await node.service.validate(token);
      await node.store.flush();
      return queries.mock.calls.filter(([query]) => query.startsWith('UPDATE')).length;
    };
    expect([await writesAfter(29_000), await writesAfter(1_000)]).toEqual([0, 1]);
    expect([await writesAfter(29_000), await writesAfter(2_000)]).toEqual([0, 1]);
    queries.mockRestore();
  });

  if (leg.name !== 'PostgreSQL') return;

  it('finds the rows by their ids, whatever PostgreSQL believes of expiries', async () => {
    const { dataSource, service, store } = node;
    await service.revokeEveryone();
    const tokens = (await signIn(100)).map(({ token }) => token);
    for (const token of tokens) await service.validate(token);
    await dataSource.query('ALTER TABLE sessions SET (autovacuum_enabled = false)');
    await dataSource.query(
      `INSERT INTO sessions
       SELECT (jsonb_populate_record(one, jsonb_build_object('id', 'other' || i, 'series_hash', md5(i::text)))).*
       FROM (SELECT sessions AS one FROM sessions LIMIT 1) AS any_of_them, generate_series(1, ${OTHERS}) AS i`,
    );
    await dataSource.query('ANALYZE sessions');
    // It has not heard yet of so late an expiry, and expects hardly any row to have one.
    cluster.clock.advance('46m');
    const shifted = ['last_seen_at', 'idle_expires_at', 'expires_at'].map(
      (column) => `${column} = ${column} + ${45 * 60_000}`,
    );
    await dataSource.query(`UPDATE sessions SET ${shifted.join(', ')}`);
    const queries = jest.spyOn(dataSource.logger, 'logQuery');
    for (const token of tokens) await service.validate(token);
    await store.flush();
    const [sql, parameters] = queries.mock.calls.find(([query]) => query.startsWith('UPDATE'))!;
    queries.mockRestore();
    const [{ 'QUERY PLAN': plans }] = (await dataSource.query(
      `EXPLAIN (FORMAT JSON) ${sql}`,
      parameters as unknown[],
    )) as [{ 'QUERY PLAN': { Plan: Plan }[] }];
    const [primaryKey] = (await dataSource.query(
      `SELECT conname AS name FROM pg_constraint WHERE contype = 'p' AND conrelid = 'sessions'::regclass`,
    )) as [{ name: string }];
    expect(new Set(plans.flatMap(({ Plan: plan }) => indexesOf(plan)))).toEqual(new Set([primaryKey.name]));
  });
});
