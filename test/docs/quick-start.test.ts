import { Test } from '@nestjs/testing';
import type { Type } from '@nestjs/common';
import { afterEach, expect, it } from '@jest/globals';
import request from 'supertest';
import { describeOnEachDatabase, LEGS } from '../support/databases.js';
import { bearer } from '../support/sign-in.js';
import { fileNameOf, pageAt } from './pages.js';
import { RunnablePage } from './running.js';

const readme = pageAt('README.md');
/** Which block of the README makes `database.ts` for which database. */
const VARIANTS: Readonly<Record<string, string>> = {
  'SQLite in a file': '// database.ts\n',
  PostgreSQL: '// database.ts on PostgreSQL',
  'MySQL or MariaDB': '// database.ts on MySQL and MariaDB',
};

it('the README has a variant for every database', () => {
  expect(LEGS.map(({ name }) => name)).toEqual(expect.arrayContaining(Object.keys(VARIANTS)));
});

await describeOnEachDatabase((leg) => {
  const start = VARIANTS[leg.name];
  if (start === undefined) return;
  let cleanUp: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const step of cleanUp.toReversed()) await step();
    cleanUp = [];
  });

  it('what the README shows signs somebody in and out', async () => {
    const block = readme.blocks.find(({ code }) => code.startsWith(start));
    if (!block) throw new Error(`The README has no block that starts with ${start}`);
    const { options, drop } = await leg.create();
    cleanUp.push(drop);
    if ('url' in options) process.env['DATABASE_URL'] = options.url;
    const page = await RunnablePage.of(readme, { instead: { 'database.ts': block } });
    cleanUp.push(() => page.dispose());
    const { AppModule } = await page.run<{ AppModule: Type }>('app.module.ts');
    const testing = await Test.createTestingModule({ imports: [AppModule] }).compile();
    const app = testing.createNestApplication({ logger: false });
    cleanUp.push(() => app.close());
    await app.listen(0, '127.0.0.1');

    const http = request(app.getHttpServer());
    await http.post('/auth/sign-in').send({ username: 'ana', password: 'wrong' }).expect(401);
    const { body } = await http
      .post('/auth/sign-in')
      .send({ username: 'ana', password: 'try-me' })
      .expect(201);
    expect(Object.keys(body)).toEqual(['token', 'expiresAt', 'session']);
    await http.get('/accounts').expect(401);
    await http.get('/accounts').set(bearer(body.token)).expect(200, 'The accounts of ana');
    await http.post('/auth/sign-out').set(bearer(body.token)).expect(204);
    await http.get('/accounts').set(bearer(body.token)).expect(401);
  });
});

it('names the files that it needs', () => {
  const names = readme.blocks.map(fileNameOf).filter((name) => name !== null);
  expect(names).toEqual(['database.ts', 'auth.controller.ts', 'users.service.ts', 'app.module.ts']);
});
