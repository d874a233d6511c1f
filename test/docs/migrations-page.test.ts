import { expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { TypeOrmModule, type TypeOrmModuleOptions } from '@nestjs/typeorm';
import { SessionModule, SessionSchemaError } from 'nestjs-sessions';
import type { DataSource } from 'typeorm';
import { describeOnEachDatabase } from '../support/databases.js';
import { SQLITE_DRIVER } from '../support/sqlite-driver.js';
import { pageAt } from './pages.js';
import { RunnablePage } from './running.js';

it('shows the error that a boot without the tables ends with', async () => {
  const source = { type: SQLITE_DRIVER, database: ':memory:', autoLoadEntities: true, retryAttempts: 0 };
  const imports = [TypeOrmModule.forRoot(source as TypeOrmModuleOptions), SessionModule.forRoot()];
  const app = (await Test.createTestingModule({ imports }).compile()).createNestApplication({
    logger: false,
  });
  const error: unknown = await app.init().catch((reason: unknown) => reason);
  await app.close();
  expect(error).toBeInstanceOf(SessionSchemaError);
  expect(pageAt('docs/migrations.md').text).toContain(String(error));
});

await describeOnEachDatabase((leg) => {
  if (leg.name !== 'PostgreSQL') return; // which the page shows

  it('the data source of the page makes the tables, and takes them back', async () => {
    const { options, drop } = await leg.create();
    process.env['DATABASE_URL'] = 'url' in options ? options.url : '';
    const page = await RunnablePage.of(pageAt('docs/migrations.md'));
    const { dataSource } = await page.run<{ dataSource: DataSource }>('data-source.ts');
    await dataSource.initialize();
    const runner = dataSource.createQueryRunner();
    await dataSource.runMigrations();
    expect(await Promise.all(['sessions', 'session_users'].map((name) => runner.hasTable(name)))).toEqual([
      true,
      true,
    ]);
    await dataSource.undoLastMigration();
    expect(await runner.hasTable('sessions')).toBe(false);
    await runner.release();
    await dataSource.destroy();
    await page.dispose();
    await drop();
  });
});
