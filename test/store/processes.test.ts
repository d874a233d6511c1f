import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { DataSource } from 'typeorm';
import { sessionEntities } from '../../src/store/session.entity.js';
import { describeOnEachDatabase, type TestDatabase } from '../support/databases.js';
import { EFFORT } from '../support/exploration.js';
import { NodeProcess } from '../support/processes.js';
import type { SessionModuleOptions } from 'nestjs-sessions';

interface Issued {
  readonly token: string;
  readonly session: { readonly id: string };
}
interface Presented {
  readonly reason: string | null;
  readonly renewed: string | null;
}

const MINUTE = 60_000;

jest.setTimeout(120_000 * EFFORT);

await describeOnEachDatabase((leg) => {
  if (!leg.isShared) return;
  let database: TestDatabase;
  let dataSource: DataSource;
  let nodes: NodeProcess[] = [];

  beforeAll(async () => {
    database = await leg.create();
    const entities = [...sessionEntities];
    dataSource = await new DataSource({ ...database.options, entities, synchronize: true }).initialize();
  });
  afterEach(async () => {
    await Promise.all(nodes.map((node) => node.kill()));
    nodes = [];
    await dataSource.query('DELETE FROM sessions');
    await dataSource.query('DELETE FROM session_users');
  });
  afterAll(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  async function start(options: SessionModuleOptions): Promise<[NodeProcess, NodeProcess]> {
    nodes = await Promise.all([1, 2].map(() => NodeProcess.start(database.options, options)));
    return nodes as [NodeProcess, NodeProcess];
  }
  const either = (index: number) => nodes[index % nodes.length] as NodeProcess;
  const advance = (by: number) => Promise.all(nodes.map((node) => node.ask('advance', by)));
  const liveRows = async () => Number((await dataSource.query('SELECT COUNT(*) AS n FROM sessions'))[0].n);

  it.each(['evict-oldest', 'reject'] as const)(
    'leaves exactly 3 sessions of 50 sign-ins in two processes (%s)',
    async (onSessionLimit) => {
      const [node] = await start({ maxSessionsPerUser: 3, onSessionLimit });
      const signIns = Array.from({ length: 50 }, (_, index) =>
        either(index).ask('create', { userId: 'ana' }),
      );
      const results = await Promise.allSettled(signIns);
      const failures = results.flatMap((result) =>
        result.status === 'rejected' ? [result.reason.code] : [],
      );
      expect(await node.ask('list', 'ana')).toHaveLength(3);
      if (onSessionLimit === 'reject') expect(failures).toEqual(Array(47).fill('session_limit'));
      // Newer ones may have evicted a session before its sign-in was told of it.
      else expect(failures.filter((code) => code !== 'session_invalid')).toEqual([]);
    },
    30_000,
  );

  it('hands the same successor to all of 100 requests with a due token', async () => {
    const [node] = await start({ timeouts: { renewal: '1m' }, touchEvery: '1m' });
    const { token, session } = await node.ask<Issued>('create', { userId: 'ana' });
    expect(await node.ask<Presented>('present', token)).toEqual({ reason: null, renewed: null });
    await advance(2 * MINUTE);
    const show = (shown: string) =>
      Promise.all(Array.from({ length: 100 }, (_, index) => either(index).ask<Presented>('present', shown)));

    const answers = await show(token);
    expect(answers.map(({ reason }) => reason)).toEqual(Array(100).fill(null));
    const [successor, ...others] = [...new Set(answers.map(({ renewed }) => renewed))];
    expect(others).toEqual([]);
    // The answers were lost: the old token asks again.
    await advance(10 * MINUTE);
    expect(await node.ask<Presented>('present', token)).toEqual({ reason: null, renewed: successor });

    expect(await node.ask<Presented>('present', successor)).toEqual({ reason: null, renewed: null });
    expect(await node.ask<Presented>('present', token)).toEqual({ reason: null, renewed: null });
    await advance(MINUTE);
    expect(await either(1).ask<Presented>('present', token)).toMatchObject({ reason: 'reused' });
    expect(await node.ask<Presented>('present', successor)).toMatchObject({ reason: 'unknown' });
    expect(await either(1).ask('events')).toContainEqual({ type: 'reuse-detected', sessionId: session.id });
  });

  it('leaves nothing live where a revocation races renewals and activity', async () => {
    const rounds = 250 * EFFORT;
    const [one, two] = await start({ timeouts: { renewal: 1, idle: '10m' }, grace: 0, touchEvery: 0 });
    for (let round = 0; round < rounds; round += 20) {
      await Promise.all(
        Array.from({ length: 20 }, async (_, lane) => {
          const { token, session } = await one.ask<Issued>('create', { userId: `user-${lane}` });
          await one.ask('present', token);
          const shown = [one, two, one, two].map((node) => node.ask<Presented>('present', token));
          await two.ask('revoke', session.id);
          const tokens = [token, ...(await Promise.all(shown)).flatMap(({ renewed }) => renewed ?? [])];
          await Promise.all([one.ask('flush'), two.ask('flush')]);
          for (const each of tokens) {
            expect((await one.ask<Presented>('present', each)).reason).toBe('unknown');
          }
        }),
      );
    }
    expect(await liveRows()).toBe(0);
  });

  it('sees a demotion in the next request to another process', async () => {
    const [one, two] = await start({});
    for (let round = 0; round < 20; round++) {
      const { token } = await one.ask<Issued>('create', { userId: 'ana', roles: ['admin'] });
      await one.ask('setRoles', 'ana', ['customer']);
      expect(await two.ask('validate', token)).toMatchObject({ session: { roles: ['customer'] } });
    }
  });
});
