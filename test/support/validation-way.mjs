// Counts which of our functions one request runs through, and the timers it sets: a warm validation by bearer token, on
// Express. With `--list` it names the functions. `npm run way` builds before it.
import { once } from 'node:events';
import { request } from 'node:http';
import { Session } from 'node:inspector/promises';
import { fileURLToPath } from 'node:url';
import { Controller, Get } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Client } from 'pg';
import { CurrentSession, SessionModule, SessionService } from '../../dist/index.js';

const WARM_REQUESTS = 200;
const DIST = new URL('../../dist/', import.meta.url).href;
const POSTGRES = process.env['TEST_POSTGRES_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres';

class MeController {
  me(userId) {
    return { userId };
  }
}
CurrentSession('userId')(MeController.prototype, 'me', 0);
Get()(MeController.prototype, 'me', Object.getOwnPropertyDescriptor(MeController.prototype, 'me'));
Controller('me')(MeController);

const setTimer = globalThis.setTimeout;
let timers = 0;
globalThis.setTimeout = Object.assign((...args) => {
  const [, , caller = ''] = new Error().stack.split('\n');
  if (caller.includes(DIST)) timers++;
  return setTimer(...args);
}, setTimer);

const { database, drop } = await makeDatabase();
class AppModule {}
const app = await NestFactory.create(
  {
    module: AppModule,
    imports: [
      TypeOrmModule.forRoot({ ...database, autoLoadEntities: true, synchronize: true }),
      SessionModule.forRoot(),
    ],
    controllers: [MeController],
  },
  { logger: false },
);
await app.listen(0, '127.0.0.1');
const { token } = await app.get(SessionService).create({ userId: 'ana' });
for (let made = 0; made < WARM_REQUESTS; made++) await ask(token);

const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
await ask(token); // what is loaded or made on first use is not of the way
await session.post('Profiler.takePreciseCoverage');
timers = 0;
await ask(token);
const timersOfRequest = timers;
const { result } = await session.post('Profiler.takePreciseCoverage');
await app.close();
await drop();

const files = result
  .filter(({ url }) => url.startsWith(DIST))
  .map(({ url, functions }) => ({
    name: fileURLToPath(url).slice(fileURLToPath(DIST).length),
    called: functions
      .map(({ functionName, ranges: [{ count }] }) => ({ name: functionName || '(anonymous)', count }))
      .filter(({ count }) => count > 0),
  }))
  .filter(({ called }) => called.length > 0);
const functions = files.flatMap(({ called }) => called);
const calls = functions.reduce((sum, { count }) => sum + count, 0);
if (process.argv.includes('--list')) {
  for (const { name, called } of files) {
    console.log(`${name}: ${called.map((each) => `${each.name} ${each.count}`).join(', ')}`);
  }
}
console.log(
  `${database.type}: ${files.length} files, ${functions.length} functions, ${calls} calls, timers set: ${timersOfRequest}`,
);

/** On a PostgreSQL server, or else in memory. */
async function makeDatabase() {
  const name = `way_${process.pid}`;
  const client = new Client({ connectionString: POSTGRES });
  try {
    await client.connect();
  } catch {
    return { database: { type: 'sqlite', database: ':memory:' }, drop: async () => {} };
  }
  await client.query(`CREATE DATABASE ${name}`);
  const url = new URL(POSTGRES);
  url.pathname = name;
  return {
    database: { type: 'postgres', url: url.href },
    drop: async () => {
      await client.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await client.end();
    },
  };
}

async function ask(bearer) {
  const { port } = app.getHttpServer().address();
  const headers = { Authorization: `Bearer ${bearer}` };
  const sent = request({ host: '127.0.0.1', port, path: '/me', headers }).end();
  const [answer] = await once(sent, 'response');
  await answer.resume().toArray();
  if (answer.statusCode !== 200) throw new Error(`The request was answered ${answer.statusCode}.`);
}
