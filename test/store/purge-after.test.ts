import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { TestClock } from 'nestjs-sessions/testing';
import { DataSource } from 'typeorm';
import { SessionService } from '../../src/session.service.js';
import { CreateSessions1767225600000 } from '../../src/store/migrations/index.js';
import { SessionEntity, sessionEntities } from '../../src/store/session.entity.js';
import { TypeOrmSessionStore } from '../../src/store/typeorm-session.store.js';
import { describeOnEachDatabase, type TestDatabase } from '../support/databases.js';
import { coreOf } from '../support/store.js';

const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];
const SESSIONS = 400;
/** Neighbours in the table are not active in the same second, as in life. */
const APART = 10;
const ROUNDS = 200;

await describeOnEachDatabase((leg) => {
  const clock = new TestClock();
  let database: TestDatabase;
  let dataSource: DataSource;
  let store: TypeOrmSessionStore;
  let service: SessionService;

  beforeAll(async () => {
    database = await leg.create();
    dataSource = await new DataSource({
      ...database.options,
      entities: [...sessionEntities],
      migrations: [CreateSessions1767225600000],
    }).initialize();
    await dataSource.runMigrations();
    store = new TypeOrmSessionStore(dataSource, { entity: SessionEntity, purgeBatchSize: null });
    service = new SessionService(coreOf(store, { clock: clock.now, touchEvery: '1m' }));
  });
  afterAll(async () => {
    await dataSource.destroy();
    await database.drop();
  });
  beforeEach(async () => {
    await store.flush();
    await query('DELETE FROM sessions');
    clock.advance(2 * HOUR - (clock.now() % HOUR)); // the hour has just begun
  });

  const query = (sql: string) => dataSource.query(sql) as Promise<Record<string, unknown>[]>;
  async function row() {
    const [{ expires_at: expiresAt, purge_after: purgeAfter }] = (await query('SELECT * FROM sessions')) as [
      Record<string, unknown>,
    ];
    return { expiresAt: Number(expiresAt), purgeAfter: Number(purgeAfter) };
  }

  it('every change of a deadline is one of when the row may be purged: the end of that hour', async () => {
    const hour = clock.now();
    const { session, token } = await service.create({ userId: 'ana' });
    expect(await row()).toEqual({ expiresAt: hour + 30 * MINUTE, purgeAfter: hour + HOUR });
    clock.advance('20m');
    await service.validate(token);
    await store.flush();
    expect(await row()).toEqual({ expiresAt: hour + 50 * MINUTE, purgeAfter: hour + HOUR });
    clock.advance('20m');
    await service.validate(token);
    await store.flush();
    expect(await row()).toEqual({ expiresAt: hour + 70 * MINUTE, purgeAfter: hour + 2 * HOUR });
    await service.authenticate(session.id, { userId: 'ana' });
    expect((await row()).purgeAfter).toBe(hour + 2 * HOUR);
    clock.advance('29m');
    await service.setRoles('ana', ['customer']);
    expect((await row()).purgeAfter).toBe(hour + 2 * HOUR);
  });

  it('what has expired is purged at the end of its hour', async () => {
    await service.create({ userId: 'ana' });
    clock.advance('59m');
    expect(await service.purgeExpired()).toBe(0);
    clock.advance('1m');
    expect(await service.purgeExpired()).toBe(1);
  });

  it('roles that reach a sign-in under way put its purge off as they do its end, and never bring it forward', async () => {
    const hour = clock.now();
    const timeouts = { idle: '10h', absolute: '30d', renewal: '4h', reason: 'a test' } as const;
    const longer = new SessionService(coreOf(store, { clock: clock.now, timeouts }));
    await service.create({ userId: 'ana' });
    await query('UPDATE sessions SET expires_at = 0');
    await longer.setRoles('ana', ['customer']);
    expect(await row()).toEqual({ expiresAt: 0, purgeAfter: hour + 10 * HOUR });
    await service.setRoles('ana', ['customer']);
    expect(await row()).toEqual({ expiresAt: 0, purgeAfter: hour + 10 * HOUR });
  });

  if (!leg.name.startsWith('SQLite')) {
    it('a sign-in under way is in no list, no limit but a young one, and not purged', async () => {
      const { session } = await service.create({ userId: 'ana' });
      await query('UPDATE sessions SET expires_at = 0');
      expect(await service.list('ana')).toEqual([]);
      expect(await service.get(session.id)).toBeNull();
      expect(await service.purgeExpired()).toBe(0);
      const rejecting = new SessionService(
        coreOf(store, { clock: clock.now, maxSessionsPerUser: 1, onSessionLimit: 'reject' }),
      );
      // As if it had crashed long ago: its turn is older than a minute.
      await rejecting.create({ userId: 'ana' });
      const turn = Number(
        (await query('SELECT MAX(turn) AS turn FROM sessions WHERE expires_at > 0'))[0]?.['turn'],
      );
      await query(`UPDATE sessions SET expires_at = 0, turn = ${turn - 30 * SECOND}`);
      await expect(rejecting.create({ userId: 'ana' })).rejects.toMatchObject({ code: 'session_limit' });
      expect(await service.revokeAll('ana')).toBe(0);
      expect(await query('SELECT id FROM sessions')).toEqual([]);
    });
  }

  if (leg.name === 'PostgreSQL') {
    it('activity writes no index: of the touches at least 95 % are heap-only', async () => {
      const tokens: string[] = [];
      for (let made = 0; made < SESSIONS; made++) {
        tokens.push((await service.create({ userId: `user-${made}` })).token);
      }
      for (const token of tokens) await service.validate(token);
      await query('VACUUM sessions');
      const statistics = async () => {
        await query('SELECT pg_stat_force_next_flush()');
        await query('SELECT pg_stat_clear_snapshot()');
        const [{ updated, hot, wal, indexes }] = (await query(
          `SELECT n_tup_upd AS updated, n_tup_hot_upd AS hot, pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') AS wal,
             pg_indexes_size('sessions') AS indexes
           FROM pg_stat_user_tables WHERE relname = 'sessions'`,
        )) as [Record<string, unknown>];
        return { updated: Number(updated), hot: Number(hot), wal: Number(wal), indexes: Number(indexes) };
      };
      const before = await statistics();
      for (let round = 0; round < ROUNDS; round++) {
        clock.advance(MINUTE / APART);
        for (let nth = round % APART; nth < SESSIONS; nth += APART)
          await service.validate(tokens[nth] as string);
        await store.flush();
      }
      const enough = (0.9 * SESSIONS * ROUNDS) / APART;
      let after = await statistics();
      // A connection that idles tells what it has counted some seconds later.
      for (let tries = 0; tries < 60 && after.updated - before.updated <= enough; tries++) {
        await wait(500);
        after = await statistics();
      }
      const updated = after.updated - before.updated;
      expect(updated).toBeGreaterThan(enough);
      expect((after.hot - before.hot) / updated).toBeGreaterThanOrEqual(0.95);
      expect(after.indexes).toBeLessThanOrEqual(before.indexes * 1.5);
      if (process.env['TEST_FIGURES']) {
        const bytes = Math.round((after.wal - before.wal) / updated);
        process.stderr.write(`${(after.hot - before.hot) / updated} hot, ${bytes} bytes of WAL each\n`);
      }
    }, 120_000);
  }
});
