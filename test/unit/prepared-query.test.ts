import { Logger } from '@nestjs/common';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { DataSource, QueryRunner } from 'typeorm';
import { mysql } from '../../src/store/dialects/mysql.js';
import { postgres } from '../../src/store/dialects/postgres.js';
import { preparedQuery } from '../../src/store/prepared-query.js';

const SQL = 'SELECT 1 WHERE 2 = $1';

/** A PostgreSQL client that fails with these codes, one per query. */
function connectionFailingWith(...codes: string[]) {
  const prepared: { name: string; text: string }[] = [];
  const plain: string[] = [];
  const client = {
    query: async (config: { name: string; text: string }) => {
      prepared.push(config);
      const code = codes.shift();
      if (code !== undefined) throw Object.assign(new Error(code), { code });
      return { rows: ['prepared'], rowCount: 1 };
    },
  };
  const runner = {
    connect: async () => client,
    query: async (sql: string) => {
      plain.push(sql);
      return { records: ['plain'] };
    },
  } as unknown as QueryRunner;
  const logger = { logQuery: jest.fn() };
  const query = preparedQuery({ logger } as unknown as DataSource, postgres);
  return { ask: async (sql = SQL) => (await query(runner, sql, ['x'])).rows, prepared, plain, logger };
}

describe('the query of every request', () => {
  const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
  beforeEach(() => {
    warn.mockClear();
  });

  it('is prepared under one name per statement, and told to the logger of the data source', async () => {
    const { ask, prepared, plain, logger } = connectionFailingWith();
    expect([await ask(), await ask(), await ask(`${SQL} `)]).toEqual([
      ['prepared'],
      ['prepared'],
      ['prepared'],
    ]);
    const [first, second, other] = prepared.map(({ name }) => name);
    expect(first).toBe(second);
    expect(other).not.toBe(first);
    expect(first?.length).toBeLessThan(64); // PostgreSQL cuts longer names
    expect(plain).toEqual([]);
    expect(logger.logQuery).toHaveBeenCalledTimes(3);
  });

  it('says once that it does without, also where many queries are under way', async () => {
    const { ask, plain } = connectionFailingWith('26000', '26000');
    expect(await Promise.all([ask(), ask()])).toEqual([['plain'], ['plain']]);
    expect(plain).toHaveLength(2);
    expect(warn).toHaveBeenCalledTimes(1);
  });

  it.each(['ER_UNSUPPORTED_PS', 'ER_UNKNOWN_STMT_HANDLER', 'ER_MAX_PREPARED_STMT_COUNT_REACHED'])(
    'does without preparation on MySQL too (%s)',
    async (code) => {
      const execute = jest.fn((_sql: string, _values: unknown, done: (error: Error) => void) =>
        done(Object.assign(new Error(code), { code })),
      );
      const runner = { connect: async () => ({ execute }), query: async () => ({ records: ['plain'] }) };
      const dataSource = { logger: { logQuery: () => {} } };
      const query = preparedQuery(dataSource as unknown as DataSource, mysql);
      const ask = async () => (await query(runner as unknown as QueryRunner, SQL, ['x'])).rows;
      expect([await ask(), await ask()]).toEqual([['plain'], ['plain']]);
      expect(execute).toHaveBeenCalledTimes(1);
      expect(warn).toHaveBeenCalledTimes(1);
    },
  );

  it.each(['26000', '42P05', '08P01'])(
    'does without preparation, says so once and loses no request, where the pooler keeps none (%s)',
    async (code) => {
      const { ask, plain, prepared } = connectionFailingWith(code);
      expect([await ask(), await ask()]).toEqual([['plain'], ['plain']]);
      expect([prepared.length, plain.length]).toEqual([1, 2]);
      expect(warn).toHaveBeenCalledTimes(1);
    },
  );

  it('passes on any other error', async () => {
    const { ask, plain } = connectionFailingWith('57P01');
    await expect(ask()).rejects.toThrow('57P01');
    expect(await ask()).toEqual(['prepared']);
    expect(plain).toEqual([]);
  });
});
