import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import type { IssuedSession } from '../../src/core/model/session.js';
import { describeOnEachDatabase } from '../support/databases.js';
import { NodeProcess } from '../support/processes.js';
import { TestCluster, type TestNode } from '../support/store.js';

const OTHERS = 10_000;
/** Processes that are killed right after an answer. */
const KILLS = 5;

jest.setTimeout(120_000);
// Its limits are seconds: where the machine stood still for so long, it is asked again.
jest.retryTimes(2, { logErrorsBeforeRetry: true });

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

  const writtenAt = async ({ id }: { id: string }) => {
    const [row] = (await node.dataSource.query(
      `SELECT last_seen_at AS at FROM sessions WHERE id = '${id}'`,
    )) as [{ at: unknown }];
    return Number(row.at);
  };

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

  it('writes the activity of concurrent requests with hardly any statements', async () => {
    const made = await signIn(64);
    for (const { token } of made) await node.service.validate(token);
    cluster.clock.advance('1m');
    const queries = jest.spyOn(node.dataSource.logger, 'logQuery');
    await Promise.all(made.map(({ token }) => node.service.validate(token)));
    await node.store.flush();
    const writes = queries.mock.calls.filter(([query]) => query.startsWith('UPDATE'));
    queries.mockRestore();
    // The first goes at once, all others together; lookups that are slow may come in several groups.
    expect(writes.length).toBeLessThanOrEqual(5);
  });

  it('has sent activity once the request is answered, and with `touchEvery: 0` has written it', async () => {
    const strict = cluster.nodeSharing(node, { touchEvery: 0 });
    for (const { service, isStrict } of [
      { ...node, isStrict: false },
      { ...strict, isStrict: true },
    ]) {
      const { session, token } = await service.create({ userId: 'ana' });
      await service.validate(token);
      cluster.clock.advance('1m');
      const queries = jest.spyOn(node.dataSource.logger, 'logQuery');
      await service.validate(token);
      if (isStrict) expect(await writtenAt(session)).toBe(cluster.clock.now());
      expect(queries.mock.calls.map(([query]) => query)).toContainEqual(expect.stringMatching(/^UPDATE/));
      queries.mockRestore();
    }
  });

  if (!leg.isShared) return;

  it('loses no activity that was answered before the process is killed', async () => {
    const processes = await Promise.all(
      Array.from({ length: KILLS }, () => NodeProcess.start(node.dataSource.options, { touchEvery: 100 })),
    );
    const killings = processes.map(async (each) => {
      const { session, token } = await each.ask<{ session: { id: string }; token: string }>('create', {
        userId: 'killed',
      });
      await each.ask('validate', token);
      // So long that all of this activity would count, were it lost.
      await each.ask('advance', 600_000);
      await each.ask('validate', token);
      await each.kill();
      const least = Date.now() + 500_000;
      for (let asked = 0; asked < 500 && (await writtenAt(session)) < least; asked++) await wait(20);
      return (await writtenAt(session)) >= least;
    });
    expect(await Promise.all(killings)).toEqual(processes.map(() => true));
  });

  if (leg.name.startsWith('SQLite')) return;

  it('lets nobody wait for a row that is locked, and writes its activity once that is free', async () => {
    const limited = cluster.nodeSharing(node, { maxSessionsPerUser: 5 });
    await node.service.revokeEveryone();
    const { session, token } = await node.service.create({ userId: 'locked' });
    const other = await node.service.create({ userId: 'other' });
    for (const each of [token, other.token]) await node.service.validate(each);
    cluster.clock.advance('1m');
    const holder = node.dataSource.createQueryRunner();
    await holder.startTransaction();
    const sql = `UPDATE sessions SET label = 'held' WHERE id = '${session.id}'`;
    await holder.query(sql);
    try {
      const began = performance.now();
      for (const each of [token, other.token]) await node.service.validate(each);
      const [listed] = await node.service.list('other');
      expect(listed?.lastSeenAt.getTime()).toBe(cluster.clock.now());
      expect((await node.service.list('locked'))[0]?.id).toBe(session.id);
      expect(await node.service.setRoles('other', ['customer'])).toBe(1);
      expect((await limited.service.create({ userId: 'other' })).session.userId).toBe('other');
      expect(await node.service.purgeExpired()).toBe(0);
      expect(performance.now() - began).toBeLessThan(2_000);
      expect(await writtenAt(other.session)).toBe(cluster.clock.now());
      expect((await node.service.get(session.id))?.lastSeenAt.getTime()).toBe(cluster.clock.now());
      expect(await writtenAt(session)).toBeLessThan(cluster.clock.now());
    } finally {
      await holder.rollbackTransaction();
      await holder.release();
    }
    for (let asked = 0; asked < 500 && (await writtenAt(session)) < cluster.clock.now(); asked++)
      await wait(20);
    expect(await writtenAt(session)).toBe(cluster.clock.now());
  });

  if (leg.name !== 'PostgreSQL') return;

  it('changes rows inside their pages (HOT) where no index is on what it writes, row locks or not', async () => {
    const { dataSource, service } = node;
    await service.revokeEveryone();
    // Room for the new versions, and none of the index for the purge: here its steps are of a millisecond.
    const indexes = (await dataSource.query(
      `SELECT indexname AS name FROM pg_indexes WHERE tablename = 'sessions' AND indexdef LIKE '%purge_after%'`,
    )) as { name: string }[];
    await dataSource.query('ALTER TABLE sessions SET (fillfactor = 50)');
    await dataSource.query('VACUUM FULL sessions');
    for (const { name } of indexes) await dataSource.query(`DROP INDEX "${name}"`);
    const made = await signIn(100);
    for (const { token } of made) await service.validate(token);
    await dataSource.query('VACUUM FULL sessions');
    cluster.clock.advance('1m');
    const updates = async () => {
      const [counts] = (await dataSource.query(
        `SELECT pg_stat_get_xact_tuples_updated(oid) + pg_stat_get_tuples_updated(oid) AS all,
                pg_stat_get_xact_tuples_hot_updated(oid) + pg_stat_get_tuples_hot_updated(oid) AS hot
         FROM pg_class WHERE relname = 'sessions'`,
      )) as [{ all: string; hot: string }];
      return { all: Number(counts.all), hot: Number(counts.hot) };
    };
    await wait(1_500);
    const before = await updates();
    await Promise.all(made.map(({ token }) => service.validate(token)));
    await node.store.flush();
    await wait(1_500); // until PostgreSQL tells what its processes have counted
    const after = await updates();
    const [all, hot] = [after.all - before.all, after.hot - before.hot];
    expect(all).toBeGreaterThanOrEqual(100);
    expect(hot / all).toBeGreaterThanOrEqual(0.95);
  });

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
