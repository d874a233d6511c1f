import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { DataSource, DataSourceOptions, QueryRunner } from 'typeorm';
import { type DatabaseLeg, describeOnEachDatabase } from '../support/databases.js';
import { TestCluster, type TestNode } from '../support/store.js';

await describeOnEachDatabase((leg) => {
  if (leg.name.startsWith('SQLite')) return; // no pool, and no connection to lose
  const isPostgres = leg.name === 'PostgreSQL';

  const clusters: TestCluster[] = [];
  const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
  afterEach(async () => {
    warn.mockClear();
    for (const cluster of clusters.splice(0)) await cluster.close();
  });

  async function nodeWith(options: object): Promise<TestNode> {
    const cluster = await TestCluster.on(withOptions(leg, options));
    clusters.push(cluster);
    return cluster.node();
  }

  /** How many prepared statements this connection has been asked to run, as far as the server tells. */
  async function preparedOn({ dataSource }: TestNode): Promise<number> {
    const rows: Record<string, unknown>[] = await dataSource.query(
      isPostgres
        ? `SELECT SUM(generic_plans + custom_plans) AS n FROM pg_prepared_statements WHERE name LIKE 'nestjs-%'`
        : `SHOW SESSION STATUS LIKE 'Com_stmt_execute'`,
    );
    return Number(rows[0]?.['n'] ?? rows[0]?.['Value']);
  }

  const CASTS: [string, TypeCast | boolean][] = [
    ['has bigints read as strings', (field, next) => (field.type === 'LONGLONG' ? field.string() : next())],
    ['has a typeCast that does nothing', (_, next) => next()],
    ['has none', true],
  ];
  it.each(CASTS)('the hot read is right where the application %s', async (_, typeCast) => {
    const { service, store } = await nodeWith({ typeCast });
    const { session, token } = await service.create({ userId: 'ana', roles: ['customer'], data: { n: 1 } });
    expect(await service.validate(token)).toMatchObject({ session: { id: session.id, data: { n: 1 } } });
    const byId = await store.findById(session.id);
    expect(await store.findBySeries(byId!.seriesHash)).toEqual(byId);
  });

  it('the logger of the data source hears of a hot read that is slow, or fails', async () => {
    const told: string[] = [];
    const tell = (what: string) => (_: unknown, sql: string) => void told.push(`${what} ${sql.slice(0, 6)}`);
    const silent = () => {};
    const logger = {
      logQuery: silent,
      logQueryError: tell('error'),
      logQuerySlow: tell('slow'),
      logSchemaBuild: silent,
      logMigration: silent,
      log: silent,
    };
    const { service, dataSource } = await nodeWith({ logger, maxQueryExecutionTime: 40 });
    const { token } = await service.create({ userId: 'ana' });
    await service.validate(token);
    told.length = 0;
    const unlock = await lockSessions(dataSource);
    const read = service.validate(token);
    await wait(200);
    await unlock();
    expect(await read).toMatchObject({ session: { userId: 'ana' } });
    expect(told).toContain('slow SELECT');
    await dataSource.query('DROP TABLE sessions');
    await service.validate(token).catch(() => {});
    expect(told).toContain('error SELECT');
    await dataSource.synchronize();
  });

  it('a statement that got lost on a healthy pool is prepared again', async () => {
    const node = await nodeWith({ poolSize: 1 });
    const { token } = await node.service.create({ userId: 'ana' });
    for (let losses = 0; losses < 3; losses++) {
      expect(await node.service.validate(token)).toMatchObject({ session: { userId: 'ana' } });
      await loseStatements(node.dataSource);
      expect(await node.service.validate(token)).toMatchObject({ session: { userId: 'ana' } });
      const before = await preparedOn(node);
      expect(await node.service.validate(token)).toMatchObject({ session: { userId: 'ana' } });
      expect(await preparedOn(node)).toBe((before || 0) + 1);
    }
    expect(warn).not.toHaveBeenCalled();
    expect(node.outages).toEqual([]);
  });

  it('a read whose connection is killed is made again on another, and a write is not', async () => {
    const { service, dataSource, outages, events } = await nodeWith({});
    const { token, session } = await service.create({ userId: 'ana' });
    await service.validate(token);

    let unlock = await lockSessions(dataSource);
    const reads = [service.validate(token), service.get(session.id), service.list('ana')];
    await killWaiting(dataSource);
    await unlock();
    expect(await Promise.all(reads)).toMatchObject([{ session: {} }, { id: session.id }, [{}]]);
    expect(outages).toEqual([]);

    unlock = await lockSessions(dataSource);
    const write = service.createAnonymous();
    const outcome = write.catch((error: unknown) => error);
    await killWaiting(dataSource);
    await unlock();
    expect(await outcome).toMatchObject({ status: 503 });
    expect(await dataSource.query('SELECT COUNT(*) AS n FROM sessions')).toMatchObject([{}]);
    expect(events.map(({ type }) => type)).toEqual(['created', 'outcome-unknown']);
  });

  it('killed connections that lie idle cost nobody a request', async () => {
    const { service, dataSource, outages } = await nodeWith({});
    const { token } = await service.create({ userId: 'ana' });
    await service.validate(token); // confirms it, which is a write
    for (let round = 0; round < 10; round++) {
      await Promise.all(Array.from({ length: 5 }, () => dataSource.query('SELECT 1')));
      const runner = dataSource.createQueryRunner();
      const killed = killOthers(runner);
      const reads = Promise.all(Array.from({ length: 20 }, () => service.validate(token)));
      await killed;
      for (const read of [...(await reads), await service.validate(token)]) {
        expect(read).toMatchObject({ session: { userId: 'ana' } });
      }
      await runner.release();
    }
    expect(outages).toEqual([]);
  });

  if (!isPostgres) return;

  it('a read that a serializable database refuses is made again', async () => {
    const { service, dataSource, outages } = await nodeWith({});
    const { token, session } = await service.create({ userId: 'ana' });
    await service.validate(token); // confirms it, which is a write
    for (const statement of [
      'CREATE SEQUENCE reads',
      `CREATE FUNCTION fails_every_other_time() RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$ BEGIN
         IF nextval('reads') % 2 = 1 THEN RAISE serialization_failure; END IF; RETURN true;
       END $$`,
      'ALTER TABLE sessions RENAME TO sessions_themselves',
      'CREATE VIEW sessions AS SELECT * FROM sessions_themselves WHERE fails_every_other_time()',
    ]) {
      await dataSource.query(statement);
    }
    expect(await service.validate(token)).toMatchObject({ session: { userId: 'ana' } });
    expect(await service.get(session.id)).toMatchObject({ userId: 'ana' });
    expect(await service.list('ana')).toHaveLength(1);
    expect(await dataSource.query('SELECT last_value AS n FROM reads')).toEqual([{ n: '6' }]);
    expect(outages).toEqual([]);
  });

  /** Nobody reads or writes the table until it is called back. */
  async function lockSessions(dataSource: DataSource): Promise<() => Promise<void>> {
    const runner = dataSource.createQueryRunner();
    if (isPostgres) await runner.startTransaction();
    await runner.query(
      isPostgres ? 'LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE' : 'LOCK TABLES sessions WRITE',
    );
    return async () => {
      await (isPostgres ? runner.commitTransaction() : runner.query('UNLOCK TABLES'));
      await runner.release();
    };
  }

  /** Ends the connections whose statements wait for that lock, once there are some. */
  async function killWaiting(dataSource: DataSource): Promise<void> {
    await wait(200);
    const waiting: { id: number }[] = await dataSource.query(
      isPostgres
        ? `SELECT pid AS id FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
        : `SELECT id AS id FROM information_schema.processlist WHERE db = DATABASE() AND state LIKE '%lock%'`,
    );
    expect(waiting.length).toBeGreaterThan(0);
    for (const { id } of waiting) await dataSource.query(killing(Number(id)));
  }

  async function killOthers(runner: QueryRunner): Promise<void> {
    const others: { id: number }[] = await runner.query(
      isPostgres
        ? `SELECT pid AS id FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`
        : `SELECT id AS id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()`,
    );
    for (const { id } of others) await runner.query(killing(Number(id))).catch(() => {});
  }

  function killing(id: number): string {
    return isPostgres ? `SELECT pg_terminate_backend(${id})` : `KILL ${id}`;
  }

  /** The driver goes on believing in them. */
  async function loseStatements(dataSource: DataSource): Promise<void> {
    if (isPostgres) return void (await dataSource.query('DEALLOCATE ALL'));
    const runner = dataSource.createQueryRunner();
    const { _statements } = (await runner.connect()) as {
      _statements: { values(): Iterable<{ close(): void }> };
    };
    for (const statement of _statements.values()) statement.close();
    await runner.release();
  }
});

type TypeCast = (field: Field, next: () => unknown) => unknown;

interface Field {
  readonly type: string;
  string(): string | null;
}

function withOptions(leg: DatabaseLeg, options: object): DatabaseLeg {
  return {
    ...leg,
    create: async () => {
      const database = await leg.create();
      return { ...database, options: { ...database.options, ...options } as DataSourceOptions };
    },
  };
}
