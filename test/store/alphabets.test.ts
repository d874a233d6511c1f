import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { StoreRejectedError } from '../../src/core/model/errors.js';
import { InvalidSessionArgumentException } from '../../src/session.exceptions.js';
import { SessionEntity } from '../../src/store/session.entity.js';
import { TypeOrmSessionStore } from '../../src/store/typeorm-session.store.js';
import { type DatabaseLeg, describeOnEachDatabase } from '../support/databases.js';
import { TestCluster, type TestNode } from '../support/store.js';

interface Setting {
  /** Of the database; its tables have it too. */
  readonly charset: string;
  /** Of the connection. */
  readonly connection?: string;
  /** Set on every connection of the pool. */
  readonly set?: string;
}

/** Beside each setting what it leaves of `LABEL`, and user ids that it cannot hold. */
const LABEL = 'Zoë’s ж \u{1f4f1} ħ OR 1=1';
const MYSQL_SETTINGS: readonly [Setting, kept: string, foreign: readonly string[]][] = [
  [{ charset: 'utf8mb4' }, LABEL, []],
  [{ charset: 'utf8mb3' }, 'Zoë’s ж  ħ OR 1=1', ['\u{1f600}']],
  [{ charset: 'utf8mb3', set: "sql_mode = ''" }, 'Zoë’s ж  ħ OR 1=1', ['\u{1f600}']],
  [{ charset: 'latin1' }, 'Zoë’s    OR 1=1', ['аня', '\u{1f600}', 'ħ']],
  [{ charset: 'latin1', set: "sql_mode = ''" }, 'Zoë’s    OR 1=1', ['аня', 'Ж']],
  [{ charset: 'utf8mb4', connection: 'UTF8_GENERAL_CI' }, 'Zoë’s ж  ħ OR 1=1', ['\u{1f600}']],
  [{ charset: 'utf8mb4', connection: 'LATIN1_SWEDISH_CI' }, 'Zos    OR 1=1', ['ana\u0127 OR 1=1 -- ', 'é']],
  [{ charset: 'latin1', connection: 'LATIN1_SWEDISH_CI', set: "sql_mode = ''" }, 'Zos    OR 1=1', ['жž']],
  [{ charset: 'utf8mb4', set: 'sql_safe_updates = 1' }, LABEL, []],
];
const POSTGRES_SETTINGS: typeof MYSQL_SETTINGS = [
  [{ charset: 'UTF8' }, LABEL, []],
  [{ charset: 'LATIN1' }, 'Zoës    OR 1=1', ['аня', '\u{1f600}', '’']],
  [{ charset: 'SQL_ASCII' }, LABEL, []],
];
const HELD = ['ana', 'Ana', '???', '?'];

await describeOnEachDatabase((leg) => {
  const settings = { PostgreSQL: POSTGRES_SETTINGS, 'MySQL or MariaDB': MYSQL_SETTINGS }[leg.name];
  if (settings === undefined) return; // SQLite holds everything

  describe.each(settings)('where the setting is %j', (setting, kept, foreign) => {
    let cluster: TestCluster;
    let node: TestNode;

    beforeAll(async () => {
      jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
      cluster = await TestCluster.on(withSetting(leg, setting));
      node = await cluster.node({ touchEvery: 0, maxSessionsPerUser: 3 });
      if (setting.set !== undefined) await onEveryConnection(node.dataSource, `SET SESSION ${setting.set}`);
    });
    afterAll(() => cluster.close());
    afterEach(() => {
      expect(node.outages).toEqual([]);
    });
    beforeEach(() => node.service.revokeEveryone());

    it('data and roles of any alphabet come back as they were', async () => {
      const { service } = node;
      const data = { [LABEL]: `${LABEL}\u0000\n"'\\` };
      const { session, token } = await service.create({ userId: 'ana', roles: [LABEL], data });
      const shown = { roles: [LABEL], data };
      expect(await service.validate(token)).toMatchObject({ session: shown });
      expect(await service.update(session.id, (old) => ({ ...old, n: 'ħ' }))).toEqual({ ...data, n: 'ħ' });
      expect(await service.setRoles('ana', ['ħ', '\u{1f600}'])).toBe(1);
      expect(await service.list('ana')).toMatchObject([{ roles: ['ħ', '\u{1f600}'] }]);
    });

    it('label and user agent lose what their columns cannot hold, and nobody loses the sign-in', async () => {
      const { service } = node;
      const client = { label: LABEL, userAgent: LABEL, ip: '203.0.113.7' };
      const { token } = await service.create({ userId: 'ana' }, client);
      const anonymous = await service.createAnonymous({}, client);
      const signedIn = await service.authenticate(anonymous.session.id, { userId: 'ana' });
      const expected = { label: kept, userAgent: kept, ip: '203.0.113.7' };
      for (const each of [token, signedIn.token]) {
        expect(await service.validate(each)).toMatchObject({ session: { client: expected } });
      }
    });

    it('a user id that its column cannot hold is refused by every verb, and nothing happens', async () => {
      const { service, core } = node;
      const victims = await Promise.all(HELD.map((userId) => service.create({ userId })));
      const anonymous = await service.createAnonymous();
      for (const userId of foreign) {
        for (const verb of [
          () => service.create({ userId }),
          () => service.authenticate(anonymous.session.id, { userId }),
          () => service.list(userId),
          () => service.setRoles(userId, ['admin']),
          () => service.revoke(victims[0]!.session.id, { userId }),
          () => service.revokeAll(userId),
        ]) {
          const error = await verb().catch((reason: unknown) => reason);
          expect(error).toBeInstanceOf(InvalidSessionArgumentException);
          expect((error as Error).message).toMatch(/cannot hold it exactly.+utf8mb4/);
        }
        // No session has such an id: it does not come to the database.
        expect(await service.revokeAll('nobody', { except: userId })).toBe(0);
      }
      const live = await Promise.all(
        [...victims, anonymous].map(({ token }) => core.validation.validate(token)),
      );
      expect(live.map(({ reason }) => reason)).toEqual([...victims, anonymous].map(() => undefined));
    });

    it('a user id that its column can hold is another than those that look like it', async () => {
      const { service } = node;
      const ids = [...HELD, 'é', 'e', 'аня', 'ана', '\u{1f600}', '\u{1f601}'];
      const stored: string[] = [];
      for (const userId of ids) {
        const issued = await service.create({ userId }).catch(() => null);
        if (issued !== null) stored.push(userId);
      }
      expect(stored).toEqual(expect.arrayContaining(HELD));
      for (const userId of stored) expect(await service.list(userId)).toMatchObject([{ userId }]);
      for (const userId of stored) expect(await service.revokeAll(userId)).toBe(1);
      expect(await service.revokeEveryone()).toBe(0);
    });

    it('everyone is revoked, and what has expired is purged', async () => {
      const { service } = node;
      await service.create({ userId: 'ana' });
      await service.create({ userId: 'bob' });
      expect(await service.revokeEveryone()).toBe(2);
      await service.create({ userId: 'ana' });
      cluster.clock.advance('365d');
      expect(await service.purgeExpired()).toBe(1);
    });
  });

  it('what the database refuses is no outage, and says what it is', async () => {
    const cluster = await TestCluster.on(leg);
    const { core, service, store, dataSource, outages } = await cluster.node();
    const { session } = await service.create({ userId: 'ana' });
    const record = (await store.findById(session.id))!;
    const tooLong = { ...record, id: 'x'.repeat(200), seriesHash: 'y' };
    for (const bad of [record, { ...record, id: 'other' }, tooLong, { ...record, data: null as never }]) {
      await expect(store.insert(bad, null)).rejects.toThrow(StoreRejectedError);
    }
    await dataSource.query('CREATE TABLE carts (session_id varchar(36) NOT NULL REFERENCES sessions (id))');
    if (leg.name === 'PostgreSQL') {
      await dataSource.query('INSERT INTO carts VALUES ($1)', [session.id]);
      const error = await service.revoke(session.id).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(StoreRejectedError);
      expect(String(error)).toMatch(/^StoreRejectedError: The database is there.+foreign key constraint/);
    }
    expect(outages).toEqual([]);
    expect(core.lookup.isLive(record)).toBe(true);
    await cluster.close();
  });

  it('without backslash escapes it does not boot, and says what to do', async () => {
    if (leg.name !== 'MySQL or MariaDB') return;
    const cluster = await TestCluster.on(leg);
    const { dataSource, service, outages } = await cluster.node();
    await onEveryConnection(dataSource, "SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES'");
    const store = new TypeOrmSessionStore(dataSource, { entity: SessionEntity, purgeBatchSize: null });
    await expect(store.onApplicationBootstrap()).rejects.toThrow(
      /^SessionModule option `dataSource` is .+NO_BACKSLASH_ESCAPES.+ take that mode away/,
    );
    await expect(service.create({ userId: "' OR 1=1 -- " })).rejects.toMatchObject({ status: 503 });
    expect(outages).toHaveLength(1);
    await dataSource.destroy();
    await expect(store.onApplicationBootstrap()).resolves.toBeUndefined(); // away, not wrong
    await dataSource.initialize();
    await cluster.close();
  });
});

function withSetting(leg: DatabaseLeg, { charset, connection }: Setting): DatabaseLeg {
  const isPostgres = leg.name === 'PostgreSQL';
  const options = isPostgres
    ? `ENCODING '${charset}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`
    : `CHARACTER SET ${charset}`;
  return {
    ...leg,
    create: async () => {
      const database = await leg.create(options);
      const more = connection === undefined ? {} : { charset: connection };
      return { ...database, options: { ...database.options, ...more } as DataSourceOptions };
    },
  };
}

/** All that the pool may have. */
async function onEveryConnection(dataSource: DataSource, statement: string): Promise<void> {
  const runners = Array.from({ length: 10 }, () => dataSource.createQueryRunner());
  await Promise.all(runners.map((runner) => runner.query(statement)));
  await Promise.all(runners.map((runner) => runner.release()));
}
