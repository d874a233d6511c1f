import { expect, it, jest } from '@jest/globals';
import type sqlite3 from 'sqlite3';

type Driver = Pick<typeof sqlite3, 'Database' | 'Statement'>;

/** What each test file does that opens SQLite: its modules are its own, the native classes are those of the process. */
async function openWithModulesOfItsOwn(): Promise<Driver> {
  jest.resetModules();
  const { DataSource } = await import('typeorm');
  const dataSource = await new DataSource({ type: 'sqlite', database: ':memory:' }).initialize();
  await dataSource.destroy();
  return (dataSource.driver as unknown as { sqlite: Driver }).sqlite;
}

function nativeMethodsOf({ Database, Statement }: Driver): unknown[] {
  const { exec, close } = Database.prototype;
  const { bind, run, get, all, each, reset, finalize } = Statement.prototype;
  return [exec, close, bind, run, get, all, each, reset, finalize];
}

it('a statement runs through no wrappers, however many test files have opened SQLite before', async () => {
  const one = await openWithModulesOfItsOwn();
  const before = nativeMethodsOf(one);
  const other = await openWithModulesOfItsOwn();
  expect(other.Statement).toBe(one.Statement);
  nativeMethodsOf(other).forEach((method, at) => expect(method).toBe(before[at]));
  for (const method of before) expect(String(method)).toContain('[native code]');
});
