import { describe, expect, it, jest } from '@jest/globals';
import { DataSource, QueryFailedError } from 'typeorm';
import type { Admission } from '../../src/core/model/store.js';
import { retryingDeadlocks } from '../../src/store/deadlock.js';
import type { Dialect } from '../../src/store/dialects/dialect.js';
import { mysql } from '../../src/store/dialects/mysql.js';
import { postgres } from '../../src/store/dialects/postgres.js';
import { SessionEntity, sessionEntities } from '../../src/store/session.entity.js';
import { TypeOrmSessionStore } from '../../src/store/typeorm-session.store.js';

const driverFailure = (code: string) => Object.assign(new Error(code), { code });
/** As TypeORM throws it. */
const failure = (code: string) => new QueryFailedError('UPDATE', [], driverFailure(code));
const codesOf = ({ server }: Dialect) => server?.retryable ?? new Set();

/** Fails so many times before it succeeds. */
function failing(times: number, error: Error) {
  const attempt = async () => {
    attempts++;
    if (attempts <= times) throw error;
    return 'done';
  };
  let attempts = 0;
  return { attempt, attempts: () => attempts };
}

describe('a write that is the victim of a deadlock', () => {
  it.each([
    [postgres, failure('40P01')],
    [postgres, failure('40001')],
    [postgres, driverFailure('40P01')],
    [mysql, failure('ER_LOCK_DEADLOCK')],
    [mysql, failure('ER_CHECKREAD')],
    [mysql, driverFailure('ER_LOCK_DEADLOCK')],
  ])('is done again (%#: %s)', async (dialect, error) => {
    const { attempt, attempts } = failing(3, error);
    expect(await retryingDeadlocks(codesOf(dialect), attempt)).toBe('done');
    expect(attempts()).toBe(4);
  });

  it('is given up in the end', async () => {
    const { attempt, attempts } = failing(Infinity, failure('ER_LOCK_DEADLOCK'));
    await expect(retryingDeadlocks(codesOf(mysql), attempt)).rejects.toThrow('ER_LOCK_DEADLOCK');
    expect(attempts()).toBe(20);
  });

  it.each([
    [postgres, failure('23505')],
    [postgres, new Error('40P01')],
    [mysql, failure('ER_DUP_ENTRY')],
    [mysql, new Error('ER_LOCK_DEADLOCK')],
  ])('and no other is done again (%#)', async (dialect, error) => {
    const { attempt, attempts } = failing(1, error);
    await expect(retryingDeadlocks(codesOf(dialect), attempt)).rejects.toBe(error);
    expect(attempts()).toBe(1);
  });

  it.each(['WITH mine AS (INSERT', 'START TRANSACTION', 'SELECT COUNT(*)'])(
    'is done twenty times in all, not twenty times twenty, where it is a sign-in that fails at its %s',
    async (victim) => {
      const { store, statements } = await storeFailingAt(victim);
      const limit = victim.startsWith('WITH') ? null : ({ max: 1, onReached: 'reject' } as const);
      const admission: Admission = { userId: 'ana', begun: 1, now: 1, limit };
      await expect(store.admit('id', { userId: null }, { level2At: 1 }, admission)).rejects.toThrow('40P01');
      expect(statements.filter((sql) => sql.includes(victim))).toHaveLength(20);
    },
  );
});

/** A store without a database, whose statements with this text in them always end in a deadlock. */
async function storeFailingAt(victim: string) {
  const dataSource = new DataSource({ type: 'postgres', entities: [...sessionEntities] });
  await (dataSource as unknown as { buildMetadatas(): Promise<void> }).buildMetadatas();
  const statements: string[] = [];
  const note = (sql: string, error: Error) => {
    statements.push(sql);
    if (sql.includes(victim)) throw error;
  };
  const query = async (sql: string) => {
    note(sql, failure('40P01'));
    return [{ role: 'primary' }]; // what a new connection is asked
  };
  const client = {
    query: async ({ text }: { text: string }) => {
      note(text, driverFailure('40P01'));
      return { rows: [{ turn: '1' }], rowCount: 1 };
    },
  };
  const create = dataSource.createQueryRunner.bind(dataSource);
  jest
    .spyOn(dataSource, 'createQueryRunner')
    .mockImplementation(
      (mode) => Object.assign(create(mode), { connect: async () => client, query }) as never,
    );
  const store = new TypeOrmSessionStore(dataSource, { entity: SessionEntity, purgeBatchSize: null });
  return { store, statements };
}
