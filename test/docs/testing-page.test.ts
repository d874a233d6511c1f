import { readFileSync } from 'node:fs';
import type { DynamicModule, Type } from '@nestjs/common';
import { afterAll, expect, it } from '@jest/globals';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Test } from '@nestjs/testing';
import { SessionStore } from 'nestjs-sessions';
import { InMemorySessionStore, signInAs } from 'nestjs-sessions/testing';
import { SQLITE_DRIVER } from '../support/sqlite-driver.js';
import { pageAt } from './pages.js';
import { RunnablePage } from './running.js';

const testing = pageAt('docs/testing.md');
const page = await RunnablePage.of(testing);
afterAll(() => page.dispose());

// Their tests become tests of this file.
await page.run('accounts.spec.ts');
await page.run('app.spec.ts');

it('the store of an application that is there can be replaced without a name', async () => {
  const { AppModule, database } = await page.run<{ AppModule: Type; database: DynamicModule }>(
    'app.module.ts',
  );
  const inMemory = TypeOrmModule.forRoot({
    type: SQLITE_DRIVER,
    database: ':memory:',
    autoLoadEntities: true,
  });
  const testing = await Test.createTestingModule({ imports: [AppModule] })
    .overrideModule(database)
    .useModule(inMemory)
    .overrideProvider(SessionStore)
    .useClass(InMemorySessionStore)
    .compile();
  const app = await testing.createNestApplication({ logger: false }).init();
  const { session } = await signInAs(app, { userId: 'ana' });
  const store = app.get(SessionStore, { strict: false });
  expect(store).toBeInstanceOf(InMemorySessionStore);
  expect((await store.findById(session.id))?.userId).toBe('ana');
  await app.close();
});

it('what the page says of CommonJS Jest is what the consumer with CommonJS Jest has', () => {
  const shown = testing.blocks.find(({ language }) => language === 'json');
  const { transformIgnorePatterns, transform } = JSON.parse(shown?.code ?? '{}') as {
    transformIgnorePatterns: string[];
    transform: Record<string, string>;
  };
  const used = readFileSync('test/consumers/jest-commonjs/jest.config.js', 'utf8').replaceAll('\\\\', '\\');
  for (const text of [...transformIgnorePatterns, ...Object.entries(transform).flat()]) {
    expect(used).toContain(`'${text}'`);
  }
});

it('what the page says of SQLite under Jest is what these suites have', () => {
  const driver = testing.blocks.find(({ language }) => language === 'js')?.code ?? '';
  const code = driver.replace(/^.*\n/, '');
  expect(readFileSync('test/support/sqlite3.cjs', 'utf8').endsWith(`\n${code}`)).toBe(true);
  const shown = testing.blocks.findLast(({ language }) => language === 'json');
  const { moduleNameMapper } = JSON.parse(shown?.code ?? '{}') as { moduleNameMapper: object };
  const used = readFileSync('jest.config.js', 'utf8');
  for (const [name, path] of Object.entries(moduleNameMapper)) expect(used).toContain(`'${name}': '${path}'`);
});
