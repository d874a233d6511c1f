import { Logger } from '@nestjs/common';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type DataSource, QueryFailedError, type QueryRunner } from 'typeorm';
import { mysql } from '../../src/store/dialects/mysql.js';
import { postgres } from '../../src/store/dialects/postgres.js';
import { PreparationTrust } from '../../src/store/preparation-trust.js';
import { preparedQuery } from '../../src/store/prepared-query.js';

const silent = { logQuery: () => {}, logQueryError: () => {} };
const dataSourceWith = (logger: object = silent) => ({ logger, options: {} }) as unknown as DataSource;
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
  const logger = { logQuery: jest.fn(), logQueryError: jest.fn() };
  const query = preparedQuery(dataSourceWith(logger), postgres);
  return { ask: async (sql = SQL) => (await query(runner, sql, ['x'])).rows, prepared, plain, logger };
}

const MOST_IN_A_ROW = 20;
const codes = (code: string, count = MOST_IN_A_ROW) => Array<string>(count).fill(code);

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

  it.each(['26000', '42P05', '08P01'])(
    'is prepared again, under another name, where a statement got lost (%s)',
    async (code) => {
      const { ask, prepared, plain } = connectionFailingWith(code);
      expect([await ask(), await ask(), await ask()]).toEqual([['plain'], ['prepared'], ['prepared']]);
      const [lost, ...again] = prepared.map(({ name }) => name);
      expect(new Set(again).size).toBe(1);
      expect(again).not.toContain(lost);
      expect(plain).toHaveLength(1);
      expect(warn).not.toHaveBeenCalled();
    },
  );

  it.each(['26000', '42P05', '08P01'])(
    'does without preparation, says so once and loses no request, where the pooler keeps none (%s)',
    async (code) => {
      const { ask, plain, prepared } = connectionFailingWith(...codes(code));
      for (let asked = 0; asked < 2 * MOST_IN_A_ROW; asked++) expect(await ask()).toEqual(['plain']);
      expect([prepared.length, plain.length]).toEqual([MOST_IN_A_ROW, 2 * MOST_IN_A_ROW]);
      expect(warn).toHaveBeenCalledTimes(1);
    },
  );

  it('says so once also where many queries are under way', async () => {
    const { ask, plain } = connectionFailingWith(...codes('26000', 30));
    const answers = await Promise.all(Array.from({ length: 30 }, () => ask()));
    expect(answers.flat()).toEqual(codes('plain', 30));
    expect(plain).toHaveLength(30);
    expect(warn).toHaveBeenCalledTimes(1);
  });

  it.each(['ER_UNSUPPORTED_PS', 'ER_UNKNOWN_STMT_HANDLER', 'ER_MAX_PREPARED_STMT_COUNT_REACHED'])(
    'does without preparation on MySQL too (%s)',
    async (code) => {
      const failing = codes(code);
      const execute = jest.fn((_: unknown, done: (error: Error | null, rows: unknown[]) => void) => {
        const next = failing.shift();
        done(next === undefined ? null : Object.assign(new Error(next), { code: next }), ['prepared']);
      });
      const unprepare = jest.fn();
      const runner = {
        connect: async () => ({ config: {}, execute, unprepare }),
        query: async () => ({ records: ['plain'] }),
      };
      const query = preparedQuery(dataSourceWith(), mysql);
      const ask = async () => (await query(runner as unknown as QueryRunner, SQL, ['x'])).rows;
      for (let asked = 0; asked < MOST_IN_A_ROW + 5; asked++) expect(await ask()).toEqual(['plain']);
      expect(execute).toHaveBeenCalledTimes(MOST_IN_A_ROW);
      expect(unprepare.mock.calls.flat()).toEqual(codes(SQL));
      expect(warn).toHaveBeenCalledTimes(1);
    },
  );

  it('passes on any other error, as TypeORM would', async () => {
    const { ask, plain, logger } = connectionFailingWith('57P01');
    const error = await ask().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(QueryFailedError);
    expect(error).toMatchObject({ code: '57P01', message: '57P01', query: SQL });
    expect(logger.logQueryError).toHaveBeenCalledTimes(1);
    expect(await ask()).toEqual(['prepared']);
    expect(plain).toEqual([]);
  });
});

describe('the trust in preparation', () => {
  /** Whether it is lost after so many reads, of which every so many-th fails. */
  function lostAfter(reads: number, failingEvery: number): boolean {
    const trust = new PreparationTrust();
    for (let read = 1; read <= reads; read++) {
      if (read % failingEvery === 0) trust.failed();
      else trust.succeeded();
    }
    return trust.isLost;
  }

  it('outlives failures that are rare, for ever', () => {
    expect(lostAfter(100_000, 20)).toBe(false);
  });

  it.each([1, 2, 5, 8])('ends where one read in %i fails', (failingEvery) => {
    expect(lostAfter(1_000, failingEvery)).toBe(true);
  });

  it('ends once, and for good', () => {
    const trust = new PreparationTrust();
    const ends = Array.from({ length: 2 * MOST_IN_A_ROW }, () => trust.failed());
    expect(ends.filter(Boolean)).toHaveLength(1);
    for (let read = 0; read < 1_000; read++) trust.succeeded();
    expect(trust.isLost).toBe(true);
  });
});
