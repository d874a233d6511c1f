import { expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { describeOnEachDatabase } from '../support/databases.js';
import { pageAt } from './pages.js';
import { RunnablePage } from './running.js';

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
