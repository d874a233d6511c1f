import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { describeOnEachDatabase } from '../support/databases.js';

const run = promisify(execFile);

await describeOnEachDatabase((leg) => {
  if (!leg.isShared) return;

  it('the TypeORM CLI runs the migrations from a data-source file, and takes them back', async () => {
    const { options, drop } = await leg.create();
    const typeorm = (command: string) =>
      run('node', ['node_modules/typeorm/cli.js', command, '-d', 'test/support/migrations-data-source.mjs'], {
        env: {
          ...process.env,
          NODE_OPTIONS: '',
          TEST_DATABASE: JSON.stringify({ ...options, type: cliType(options.type) }),
        },
      });
    const hasTable = async () => {
      const dataSource = await new DataSource(options).initialize();
      const runner = dataSource.createQueryRunner();
      const has = await runner.hasTable('sessions');
      await runner.release();
      await dataSource.destroy();
      return has;
    };
    await typeorm('migration:run');
    expect(await hasTable()).toBe(true);
    await typeorm('migration:revert');
    expect(await hasTable()).toBe(false);
    await drop();
  });
});

/** The CLI is that of TypeORM 0.3, whichever version the suite runs on. */
function cliType(type: string): string {
  return type === 'better-sqlite3' ? 'sqlite' : type;
}
