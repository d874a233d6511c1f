// One whole application without HTTP in a process of its own, as one of several: it does what its parent tells it.
import 'reflect-metadata';
import { setTimeout as wait } from 'node:timers/promises';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { redisBus, sessionEntities, SessionModule, SessionService } from '../../dist/index.js';
import { SessionCluster } from '../../dist/cluster/session-cluster.js';
import { SessionCore } from '../../dist/core/session-core.js';

const { database, bus, redisUrl, cache = true, options = {}, directUrl } = JSON.parse(process.argv[2]);

async function busOf() {
  if (bus === 'ioredis') {
    const publisher = new Redis(redisUrl);
    const subscriber = publisher.duplicate();
    for (const client of [publisher, subscriber]) client.on('error', () => {});
    return redisBus({ publisher, subscriber });
  }
  if (bus === 'redis') {
    const publisher = createClient({ url: redisUrl });
    const subscriber = publisher.duplicate();
    for (const client of [publisher, subscriber]) client.on('error', () => {});
    await Promise.all([publisher.connect(), subscriber.connect()]);
    return redisBus({ publisher, subscriber });
  }
  return bus;
}

// `null` is a process of the version before: it has no such option.
const cluster = bus === null ? undefined : { bus: await busOf(), cache, directUrl };

class Application {}
Module({
  imports: [
    TypeOrmModule.forRoot({ ...database, entities: [...sessionEntities], retryAttempts: 0 }),
    SessionModule.forRoot({ audit: false, purge: false, ...options, cluster }),
  ],
})(Application);

const app = await NestFactory.createApplicationContext(Application, { logger: false, abortOnError: false });
const service = app.get(SessionService);
const core = app.get(SessionCore);
const { node } = app.get(SessionCluster);
const heard = [];
service.events.subscribe(({ type, origin, userId, client }) =>
  heard.push({ type, origin, userId, hasClient: client !== null }),
);

const commands = {
  mayAnswer: () => node?.mayAnswer ?? false,
  /** Shows tokens so often; what became of each: the reason of the refusal, or roles, data and level. */
  show: async (tokens, times = 1) => {
    const answers = [];
    for (const token of tokens) {
      for (let shown = 0; shown < times; shown++) {
        const { session, reason } = await service.validate(token);
        answers.push(reason ?? JSON.stringify([session.roles, session.data, session.level]));
      }
    }
    return answers;
  },
  /** How many of the tokens it would answer for from memory now. */
  remembered: (tokens) =>
    tokens.filter((token) => node?.memory?.recall(core.tokens.parse(token).seriesHash)).length,
  /** A verb, and how long it took. */
  timed: async (verb, ...args) => {
    const began = performance.now();
    await commands.verb(verb, ...args);
    return performance.now() - began;
  },
  verb: (verb, ...args) =>
    verb === 'update' ? service.update(args[0], () => args[1]) : service[verb](...args),
  signOut: async (id) => {
    const record = await core.lookup.byId(id);
    if (record !== null) await core.revocation.signOut(record);
  },
  /** All events until now. */
  heard: () => heard,
  close: () => app.close(),
  /** Takes all connections of the pool for so long. */
  exhaust: async (milliseconds) => {
    const { DataSource } = await import('typeorm');
    const source = app.get(DataSource);
    const end = wait(milliseconds);
    for (let taken = 0; taken < 20; taken++) {
      const runner = source.createQueryRunner();
      const taking = runner.connect().then(() => end);
      void taking.then(() => runner.release()).catch(() => {});
    }
  },
};

process.on('message', async ({ id, command, args }) => {
  try {
    const run = commands[command] ?? service[command].bind(service);
    process.send({ id, result: (await run(...args)) ?? null });
  } catch (error) {
    process.send({ id, error: { message: error.message, code: error.code ?? error.name } });
  }
});
process.send({ id: 'ready' });
