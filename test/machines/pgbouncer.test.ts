import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { DataSourceOptions } from 'typeorm';
import { LEGS, type TestDatabase } from '../support/databases.js';
import { answerOf } from '../support/load.js';
import { PGBOUNCER_PROGRAMS, PgBouncer } from '../support/servers/pgbouncer.js';
import { describeWith } from '../support/servers/programs.js';
import { TestCluster, type TestNode } from '../support/store.js';

/** More than there are connections to the database: they change hands all the time. */
const USERS = 20;
const LIMIT = 2;

describeWith(PGBOUNCER_PROGRAMS, 'behind PgBouncer', () => {
  let database: TestDatabase;
  let bouncer: PgBouncer;
  let cluster: TestCluster;
  let node: TestNode;
  let warnings: jest.SpiedFunction<Logger['warn']>;

  const url = () => new URL((database.options as { url: string }).url);
  beforeAll(async () => {
    const leg = LEGS.find(({ name }) => name === 'PostgreSQL');
    if (leg === undefined) throw new Error('There is no PostgreSQL among the databases.');
    database = await leg.create();
    warnings = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
  });
  afterAll(async () => {
    warnings.mockRestore();
    await database.drop();
  });

  async function open(mode: 'session' | 'transaction', connections: number): Promise<void> {
    bouncer = await PgBouncer.before(url(), mode, 'default_pool_size = 3');
    cluster = await TestCluster.in(database.options);
    await cluster.node();
    const through = url();
    through.port = String(bouncer.port);
    node = await cluster.nodeOn(
      { ...database.options, url: through.href, extra: { max: connections } } as DataSourceOptions,
      { touchEvery: 0 },
    );
    await node.service.revokeEveryone();
  }
  afterEach(async () => {
    await cluster.close();
    await bouncer.stop();
  });

  const ofAll = <T>(work: (userId: string, nth: number) => Promise<T>): Promise<T[]> =>
    Promise.all(Array.from({ length: USERS }, (_, nth) => work(`user-${nth}`, nth)));

  describe.each([
    ['session', 3],
    ['transaction', 10],
  ] as const)('in its mode %s', (mode, connections) => {
    it('does all that there is to do, many times at once', async () => {
      await open(mode, connections);
      const { service, store } = node;
      const live = async (tokens: readonly string[]) =>
        new Set(await Promise.all(tokens.map((token) => answerOf(service.validate(token)))));

      const issued = await ofAll((userId) => service.create({ userId, roles: ['old'] }));
      expect(await live(issued.map(({ token }) => token))).toEqual(new Set(['live']));
      const stepped = await ofAll((userId, nth) =>
        service.authenticate(issued[nth]?.session.id ?? '', { userId, level: 2 }),
      );
      const rotated = await ofAll((_, nth) => service.rotate(stepped[nth]?.session.id ?? ''));
      await ofAll((userId) => service.setRoles(userId, ['new']));
      expect(await live(rotated.map(({ token }) => token))).toEqual(new Set(['live']));
      await store.flush();

      for (const onSessionLimit of ['evict-oldest', 'reject'] as const) {
        const limited = cluster.nodeSharing(node, { maxSessionsPerUser: LIMIT, onSessionLimit }).service;
        await ofAll(async (userId) => {
          const anonymous = await limited.createAnonymous();
          const signIns = [
            limited.create({ userId }),
            limited.create({ userId }),
            limited.authenticate(anonymous.session.id, { userId }),
          ];
          await Promise.allSettled(signIns);
        });
        const left = await ofAll(async (userId) => (await service.list(userId)).length);
        expect(new Set(left)).toEqual(new Set([LIMIT]));
      }
      expect(await ofAll((userId) => service.revokeAll(userId))).toEqual(Array(USERS).fill(LIMIT));
      expect(await live(rotated.map(({ token }) => token))).toEqual(new Set(['unknown']));
      await service.purgeExpired();
      expect(node.outages).toEqual([]);
    });
  });
});
