import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { QueryFailedError, type QueryRunner } from 'typeorm';
import { vetConnection } from '../../src/store/dialects/mysql-vetting.js';
import { EndingBudget, isOfStandby, StandbyError } from '../../src/store/standby.js';

const failure = (code: string) => Object.assign(new Error(code), { code });

describe('connections to standbys', () => {
  beforeEach(() => void jest.useFakeTimers({ now: 0 }));
  afterEach(() => void jest.useRealTimers());

  it('are ended twenty times a second at most', () => {
    const budget = new EndingBudget();
    const take = (times: number) => Array.from({ length: times }, () => budget.take()).filter(Boolean).length;
    expect(take(100)).toBe(20);
    jest.advanceTimersByTime(100);
    expect(take(100)).toBe(2);
    jest.advanceTimersByTime(60_000);
    expect(take(100)).toBe(20);
  });
});

describe('an error', () => {
  it.each<[string, unknown]>([
    ['25006', failure('25006')],
    ['ER_OPTION_PREVENTS_STATEMENT', failure('ER_OPTION_PREVENTS_STATEMENT')],
    ['ER_READ_ONLY_MODE', failure('ER_READ_ONLY_MODE')],
    ['25006 by TypeORM', new QueryFailedError('UPDATE', [], failure('25006'))],
    ['StandbyError', new StandbyError()],
  ])('says that the server takes no writes: %s', (_, error) => {
    expect(isOfStandby(error)).toBe(true);
  });

  it.each<[string, unknown]>([
    ['40001', failure('40001')],
    ['ER_LOCK_DEADLOCK', failure('ER_LOCK_DEADLOCK')],
    ['with the code in its text', new Error('25006')],
    ['null', null],
    ['undefined', undefined],
  ])('says nothing of it: %s', (_, error) => {
    expect(isOfStandby(error)).toBe(false);
  });
});

describe('a connection to MySQL or MariaDB', () => {
  /** A server that answers as it is set. */
  function serverWith(variables: Readonly<Record<string, string>>, role = 'primary') {
    const statements: string[] = [];
    const query = async (sql: string) => {
      statements.push(sql);
      if (sql.startsWith('SHOW')) {
        return Object.entries(variables).map(([Variable_name, Value]) => ({ Variable_name, Value }));
      }
      return [{ modes: 'STRICT_TRANS_TABLES', role }];
    };
    return { statements, runner: { query } as unknown as QueryRunner };
  }
  const GROUP = { group_replication_group_name: '3d5e1f30-0000-11ee-be56-0242ac120002' };

  it('to a replication group with several primaries is refused', async () => {
    const { runner } = serverWith({ ...GROUP, group_replication_single_primary_mode: 'OFF' });
    await expect(vetConnection(runner, 'role')).rejects.toThrow('group_replication_single_primary_mode');
  });

  it('to one with a single primary, and to no group, is not', async () => {
    const settings: Readonly<Record<string, string>>[] = [
      {},
      { ...GROUP, group_replication_single_primary_mode: 'ON' },
      { group_replication_group_name: '', group_replication_single_primary_mode: 'OFF' },
      { wsrep_on: 'OFF' },
    ];
    for (const variables of settings) {
      const { runner, statements } = serverWith(variables);
      await vetConnection(runner, 'role');
      expect(statements.join()).not.toContain('SET');
    }
  });

  it('to a node of Galera waits for what the others have committed', async () => {
    const { runner, statements } = serverWith({ wsrep_on: 'ON' });
    await vetConnection(runner, 'role');
    expect(statements.at(-1)).toBe('SET SESSION wsrep_sync_wait = @@SESSION.wsrep_sync_wait | 3');
  });

  it('to a standby is not used', async () => {
    await expect(vetConnection(serverWith({}, 'standby').runner, 'role')).rejects.toBeInstanceOf(
      StandbyError,
    );
  });
});
