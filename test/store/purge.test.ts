import { setImmediate as immediate, setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { describeOnEachDatabase } from '../support/databases.js';
import { EFFORT } from '../support/exploration.js';
import { QueryRecorder } from '../support/recorders.js';
import { TestCluster, type TestNode } from '../support/store.js';

const HOUR = 3_600_000;
const LIVE = 100;
const LONGEST_VALIDATION = 2_000;

jest.setTimeout(120_000 * EFFORT);
// Its limits are seconds: where the machine stood still for so long, it is asked again.
jest.retryTimes(2, { logErrorsBeforeRetry: true });

await describeOnEachDatabase((leg) => {
  const isPostgres = leg.name === 'PostgreSQL';
  const isSqlite = leg.name.startsWith('SQLite');
  const expiredRows = isPostgres ? 250_000 * EFFORT : 20_000;
  let cluster: TestCluster;
  let nodes: [TestNode, TestNode, TestNode];
  /** Of those that write a file at once SQLite gives up on one, when the machine is busy. */
  const writers = () => (isSqlite ? [nodes[0]] : nodes);

  beforeAll(async () => {
    cluster = await TestCluster.on(leg);
    const node = await cluster.node();
    const others = await Promise.all([1, 2].map(() => (leg.isShared ? cluster.node() : node)));
    nodes = [node, ...others] as typeof nodes;
  });
  afterAll(() => cluster.close());
  beforeEach(async () => {
    for (const { events } of nodes) events.length = 0;
    await query('DELETE FROM sessions');
    await query('DELETE FROM session_users');
  });
  afterEach(() => {
    expect(nodes.flatMap(({ outages }) => outages.splice(0))).toEqual([]);
    jest.restoreAllMocks();
  });

  async function query(sql: string): Promise<Record<string, unknown>[]> {
    return (await nodes[0].dataSource.query(sql)) as Record<string, unknown>[];
  }
  const count = async (table: string, where = '1 = 1') =>
    Number((await query(`SELECT COUNT(*) AS n FROM ${table} WHERE ${where}`))[0]?.['n']);

  /** One statement: expired rows, in the order of their ids from long ago to just now. */
  async function insertExpired(rows: number): Promise<void> {
    const now = cluster.clock.now();
    const start = now - HOUR;
    const [series, numbers] = isPostgres
      ? ["lpad(n::text, 64, '0')", `SELECT generate_series(1, ${rows}) AS n`]
      : ["'series-' || n", `SELECT n FROM numbers`];
    const counting = `WITH RECURSIVE numbers AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < ${rows})`;
    const columns =
      'id, series_hash, token_hash, rotated_at, user_id, roles, created_at, authenticated_at, last_seen_at, ' +
      'idle_expires_at, absolute_expires_at, renew_at, expires_at, purge_after, data, data_version, begun, roles_set, turn';
    // Every thousand of them expired together, as after a night.
    const expiry = isPostgres || isSqlite ? `${start} + n / 1000` : `${start} + n DIV 1000`;
    const values =
      `CONCAT('expired-', n), ${series}, 'token', ${start}, CONCAT('user-', n % 997), '[]', ${start}, ${start}, ` +
      `${start}, ${expiry}, ${expiry}, ${now}, ${expiry}, ${expiry}, '{}', 0, 0, 0, 0`;
    const portable = isSqlite ? values.replaceAll(/CONCAT\(([^,]+), ([^)]+)\)/g, '($1 || $2)') : values;
    const select = `SELECT ${portable} FROM (${numbers}) AS numbered`;
    const insert = `INSERT INTO sessions (${columns})`;
    if (isPostgres) await query(`${insert} ${select}`);
    else if (isSqlite) await query(`${counting} ${insert} ${select}`);
    else {
      const mysqlSelect = select.replace(series, "CONCAT('series-', n)");
      await query(
        `SET STATEMENT max_recursive_iterations = ${rows} FOR ${insert} ${counting} ${mysqlSelect}`,
      );
    }
  }

  /** Makes all marks so old, by the database's clock, that no sign-in needs them. */
  const age = () => query(`UPDATE session_users SET turns = turns - ${25 * HOUR} WHERE turns > 0`);

  async function createLive(): Promise<string[]> {
    const tokens: string[] = [];
    for (let made = 0; made < LIVE; made++) {
      tokens.push((await nodes[0].service.create({ userId: `live-${made}` })).token);
    }
    return tokens;
  }

  it(`removes ${expiredRows} rows on three nodes at once, each of them once, and holds nobody up`, async () => {
    await insertExpired(expiredRows);
    expect(await count('sessions')).toBe(expiredRows);
    const live = await createLive();
    const latencies: number[] = [];
    const validating = whileWorking([nodes[2]], async ({ service }) => {
      const asked = performance.now();
      expect((await service.validate(live[0] as string)).reason).toBeUndefined();
      latencies.push(performance.now() - asked);
      await wait(2);
    });
    const purging = Promise.all(nodes.map(({ service }) => service.purgeExpired()));
    const counts = await purging.finally(() => validating.stop());

    expect(counts.reduce((sum, each) => sum + each, 0)).toBe(expiredRows);
    if (isPostgres) for (const each of counts) expect(each).toBeGreaterThan(expiredRows / 20); // they share the work
    expect(await count('sessions')).toBe(LIVE);
    expect(await count('sessions', "id LIKE 'expired-%'")).toBe(0);
    for (const token of live) expect((await nodes[1].service.validate(token)).reason).toBeUndefined();
    expect(latencies.length).toBeGreaterThan(10);
    expect(Math.max(...latencies)).toBeLessThan(LONGEST_VALIDATION);
    const purged = [...new Set(nodes)].flatMap(({ events }) =>
      events.filter(({ type }) => type === 'purged'),
    );
    expect(purged).toHaveLength(counts.filter((each) => each > 0).length);
  });

  it('finds expired rows by the index on when they may be purged', async () => {
    await insertExpired(isPostgres ? 60_000 : 6_000);
    await createLive();
    await query(isSqlite || isPostgres ? 'ANALYZE' : 'ANALYZE TABLE sessions');
    const { dataSource, service } = nodes[0];
    const recorder = new ParameterRecorder();
    const { logger } = dataSource;
    Object.assign(dataSource, { logger: recorder });
    await service.purgeExpired();
    Object.assign(dataSource, { logger });
    const purge = recorder.statements.find(({ sql }) => /ORDER BY.*purge_after.*LIMIT/.test(sql));
    if (!purge) throw new Error(`No such statement: ${recorder.queries.join('\n')}`);

    await insertExpired(isPostgres ? 60_000 : 6_000);
    await query(isSqlite || isPostgres ? 'ANALYZE' : 'ANALYZE TABLE sessions');
    const explain = isSqlite ? 'EXPLAIN QUERY PLAN' : isPostgres ? 'EXPLAIN (FORMAT JSON)' : 'EXPLAIN';
    const plan = JSON.stringify(await dataSource.query(`${explain} ${purge.sql}`, purge.parameters));
    const index = dataSource
      .getMetadata('SessionEntity')
      .indices.find(({ columns }) => columns.length === 1 && columns[0]?.propertyName === 'purgeAfter');
    expect(plan).toContain(index?.name);
    expect(plan).not.toMatch(/Seq Scan|"type":"ALL"|SCAN sessions"/);
    expect(plan).not.toMatch(/"Node Type":"Sort"|filesort|USE TEMP B-TREE/);
  });

  it('comes to its end where it is told to stop, with what it did until then', async () => {
    await insertExpired(10_000);
    const stop = new AbortController();
    const [{ service, store }] = nodes;
    const purging = service.purgeExpired(stop.signal);
    while ((await count('sessions')) === 10_000) await wait(1);
    stop.abort();
    const done = await purging;
    expect(done).toBeGreaterThan(0);
    expect(await count('sessions')).toBe(10_000 - done);
    expect(await service.purgeExpired()).toBe(10_000 - done);
    await store.flush();
  });

  if (!isSqlite) {
    it.each([-6_000, 6_000, -HOUR, HOUR])(
      'purges nothing, and says so, where the clock is off by %d ms',
      async (skew) => {
        await insertExpired(10);
        const error = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
        const { now } = Date;
        const clock = jest.spyOn(Date, 'now').mockImplementation(() => now() + skew);
        expect(await nodes[0].service.purgeExpired()).toBe(0);
        clock.mockRestore();
        expect(await count('sessions')).toBe(10);
        expect(error.mock.calls).toEqual([
          [expect.stringMatching(skew < 0 ? /clock .* behind that of the database/ : /ahead of that/)],
        ]);
        expect(await nodes[0].service.purgeExpired()).toBe(10);
        expect(error).toHaveBeenCalledTimes(1);
      },
    );

    it.each([-3_000, 3_000])('bears clocks that are %d ms apart', async (skew) => {
      await insertExpired(10);
      const error = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
      const { now } = Date;
      jest.spyOn(Date, 'now').mockImplementation(() => now() + skew);
      expect(await nodes[0].service.purgeExpired()).toBe(10);
      expect(error).not.toHaveBeenCalled();
    });
  }

  it('forgets the marks of users that no sign-in needs any more, and never that of everyone', async () => {
    const [{ service }] = nodes;
    await service.revokeEveryone();
    for (const userId of ['old', 'older']) await service.revokeAll(userId);
    await age();
    await service.revokeAll('recent');
    const [everyone] = await query("SELECT * FROM session_users WHERE user_hash = 'everyone'");
    expect(await count('session_users')).toBe(5);
    expect(await service.purgeExpired()).toBe(0);
    expect(await count('session_users', "user_hash NOT IN ('number', 'everyone')")).toBe(1);
    expect(await query("SELECT * FROM session_users WHERE user_hash = 'everyone'")).toEqual([everyone]);
  });

  it('forgets marks while their users sign in, on three nodes, and disturbs no sign-in', async () => {
    const [first] = nodes;
    const users = Array.from({ length: 40 }, (_, index) => `user-${index}`);
    await first.service.revokeEveryone();
    const limited = writers().map((node) => cluster.nodeSharing(node, { maxSessionsPerUser: 2 }));
    for (let round = 0; round < (isSqlite ? 2 : 5); round++) {
      await age();
      const purging = whileWorking(writers(), async ({ service }) => {
        await service.purgeExpired();
        await wait(20);
      });
      await Promise.all(
        users.map(async (userId, index) => {
          const { service } = limited[index % limited.length] as TestNode;
          for (let made = 0; made < 3; made++) {
            const { token, session } = await service.create({ userId });
            expect((await service.validate(token)).reason).toBeUndefined();
            if (made === 1) await service.setRoles(userId, [`role-${round}`]);
            if (made === 2) await service.revokeAll(userId, { except: session.id });
          }
        }),
      ).finally(() => purging.stop());
    }
    expect(limited.flatMap(({ outages }) => outages)).toEqual([]);
    for (const userId of users) expect(await first.service.list(userId)).toHaveLength(1);

    await age();
    await Promise.all(nodes.map(({ service }) => service.purgeExpired()));
    expect(await count('session_users')).toBe(2);
    expect(await count('session_users', "user_hash IN ('number', 'everyone')")).toBe(2);
    await first.service.create({ userId: 'user-0' });
  });

  it('comes to an end though new users sign in all the time', async () => {
    let made = 0;
    const signIns = whileWorking([...writers(), ...writers(), ...writers()], async ({ service }) => {
      await service.create({ userId: `new-${made++}` });
    });
    await wait(100);
    const end = await Promise.race([nodes[0].service.purgeExpired(), wait(5_000, 'not yet', { ref: false })]);
    await signIns.stop();
    expect(end).toBe(0);
  });
});

/** Does the same again and again, for each of some nodes, until it is stopped. */
function whileWorking(nodes: readonly TestNode[], work: (node: TestNode) => Promise<unknown>) {
  const state = { isOver: false };
  const loops = Promise.all(
    nodes.map(async (node) => {
      while (!state.isOver) {
        await work(node);
        await immediate(); // better-sqlite3 lets nobody else in
      }
    }),
  );
  return {
    stop: () => {
      state.isOver = true;
      return loops;
    },
  };
}

class ParameterRecorder extends QueryRecorder {
  readonly statements: { readonly sql: string; readonly parameters: unknown[] }[] = [];

  override logQuery(sql: string, parameters: unknown[] = []): void {
    super.logQuery(sql);
    this.statements.push({ sql, parameters });
  }
}
