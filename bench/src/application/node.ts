import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { performance } from 'node:perf_hooks';
import { createClient } from 'redis';
import { redisBus, SessionModule, type SessionModuleOptions, SessionService } from '../library.js';
import type { NodeAnswer, NodeAssignment, NodeQuestion } from './messages.js';

// One of several nodes on one database, without HTTP. It ends when the parent lets go of it.

const { url, bus, redisUrl } = JSON.parse(process.argv[2] ?? '{}') as NodeAssignment;
const clients: { destroy(): void }[] = [];

class Application {}

const app = await NestFactory.createApplicationContext(
  {
    module: Application,
    imports: [
      TypeOrmModule.forRoot({
        type: 'postgres',
        url,
        autoLoadEntities: true,
        synchronize: true,
        poolSize: 4,
      }),
      SessionModule.forRoot({
        audit: false,
        purge: false,
        ...(bus !== null && { cluster: await clusterOn(bus) }),
      }),
    ],
  },
  { logger: false },
);
const sessions = app.get(SessionService);
const tasks: Record<
  NodeQuestion['task'],
  (texts: readonly string[]) => Promise<readonly (string | number)[]>
> = {
  create: (users) => each(users, async (userId) => (await sessions.create({ userId })).token),
  /** Often enough to be remembered. */
  show: (tokens) =>
    each(tokens, async (token) => {
      for (let shown = 0; shown < 3; shown++) await sessions.validate(token);
      return (await sessions.validate(token)).session?.id ?? '';
    }),
  /** @returns how long each took, in milliseconds */
  revoke: (ids) =>
    each(ids, async (id) => {
      const begin = performance.now();
      if (!(await sessions.revoke(id))) throw new Error('There was nothing to revoke.');
      return performance.now() - begin;
    }),
};
process.on('message', ({ task, texts }: NodeQuestion) => {
  void tasks[task](texts).then((results) => process.send?.({ results } satisfies NodeAnswer));
});
process.once('disconnect', () => {
  void app.close().then(() => {
    for (const client of clients) client.destroy();
    process.exit();
  });
});
process.send?.({ results: [] } satisfies NodeAnswer);

async function clusterOn(name: NonNullable<NodeAssignment['bus']>): Promise<SessionModuleOptions['cluster']> {
  if (name === 'postgres' || name === 'table') return { bus: name, cache: true };
  const publisher = createClient({ url: redisUrl });
  const subscriber = publisher.duplicate();
  await Promise.all([publisher.connect(), subscriber.connect()]);
  clients.push(publisher, subscriber);
  return { bus: redisBus({ publisher, subscriber }), cache: true };
}

async function each<T>(texts: readonly string[], work: (text: string) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (const text of texts) results.push(await work(text));
  return results;
}
