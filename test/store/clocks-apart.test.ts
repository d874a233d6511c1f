import { hash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { sessionEntities } from '../../src/store/session.entity.js';
import { describeOnEachDatabase, type TestDatabase } from '../support/databases.js';
import { EFFORT } from '../support/exploration.js';
import { NodeProcess } from '../support/processes.js';

const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];
/** `TEST_ROUNDS=1000` races longer. */
const ROUNDS = Number(process.env['TEST_ROUNDS'] ?? 10 * EFFORT);
const LANES = 5;

interface Issued {
  readonly token: string;
  readonly session: { readonly id: string; readonly expiresAt: string };
  /** The number of the latest change when it began. */
  readonly begun: number;
}
type Verb = 'revokeAll' | 'setRoles' | 'revokeEveryone';

await describeOnEachDatabase((leg) => {
  if (!leg.isShared || leg.name.startsWith('SQLite')) return; // a file is one machine's
  let database: TestDatabase;
  let dataSource: DataSource;
  let nodes: NodeProcess[] = [];
  let users = 0;

  beforeAll(async () => {
    database = await leg.create();
    const entities = [...sessionEntities];
    dataSource = await new DataSource({ ...database.options, entities, synchronize: true }).initialize();
  });
  afterEach(() => Promise.all(nodes.map((node) => node.kill())));
  afterAll(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  const numberOf = async (whose: string) => {
    const [row] = (await dataSource.query(
      `SELECT number FROM session_users WHERE user_hash = '${whose}'`,
    )) as {
      number: unknown;
    }[];
    return Number(row?.number ?? 0);
  };

  /** What is wrong after a sign-in on one node beside a change on the other. */
  async function round(signsIn: NodeProcess, changes: NodeProcess, verb: Verb): Promise<string[]> {
    const userId = `user-${++users}`;
    const [before] = (await dataSource.query(
      "SELECT number FROM session_users WHERE user_hash = 'number'",
    )) as {
      number: unknown;
    }[];
    const signingIn = signsIn.ask<Issued>('signIn', userId, 10).catch((error: { code: unknown }) => error);
    await wait(5);
    if (verb === 'revokeAll') await changes.ask('revokeAll', userId);
    else if (verb === 'setRoles') await changes.ask('setRoles', userId, ['new']);
    else await changes.ask('revokeEveryone');
    const changed = await numberOf(verb === 'revokeEveryone' ? 'everyone' : hash('sha256', userId));
    const answer = await signingIn;
    const problems: string[] = [];
    if (changed <= Number(before?.number ?? 0)) problems.push('the change has no number of its own');
    if ('session' in answer) {
      const session = (await changes.ask('get', answer.session.id)) as { roles: string[] } | null;
      // It began 5 ms before the change did; where the machine is busy it may have begun after it, and may live.
      const beganBefore = answer.begun < changed;
      if (beganBefore && session !== null && session.roles[0] !== 'new') problems.push(`it outlives ${verb}`);
    }
    const next = await signsIn.ask<Issued>('signIn', userId, 0).catch((error: { code: unknown }) => error);
    const isBeside = verb === 'revokeEveryone'; // of other lanes
    if (!('session' in next) && !isBeside) problems.push(`refused after ${verb}`);
    return problems;
  }

  it.each([20, -20, 2 * SECOND, -2 * SECOND, 5 * MINUTE, -5 * MINUTE, HOUR, -HOUR])(
    'nothing depends on the clocks of two nodes that are %d ms apart',
    async (skew) => {
      const options = { grace: '30s', timeouts: { idle: '10m' } } as const;
      nodes = [
        await NodeProcess.start(database.options, options, 0),
        await NodeProcess.start(database.options, options, skew),
      ];
      const [right, wrong] = nodes as [NodeProcess, NodeProcess];
      await right.ask('signIn', 'nobody', 0);
      const problems: string[] = [];
      for (const verb of ['revokeAll', 'setRoles', 'revokeEveryone'] as const) {
        for (const [one, other] of [
          [right, wrong],
          [wrong, right],
        ] as const) {
          const lanes = verb === 'revokeEveryone' ? 1 : LANES;
          for (let made = 0; made < ROUNDS; made += lanes) {
            const rounds = Array.from({ length: lanes }, () => round(one, other, verb));
            problems.push(...(await Promise.all(rounds)).flat());
          }
        }
      }
      expect(problems).toEqual([]);

      for (const [one, other] of [
        [right, wrong],
        [wrong, right],
      ] as const) {
        const { token, session } = await one.ask<Issued>('signIn', 'ana', 0);
        expect(await other.ask('present', token)).toMatchObject({ reason: null });
        const { token: next } = await one.ask<Issued>('rotate', session.id);
        expect(await one.ask('present', next)).toMatchObject({ reason: null });
        // A request that was in flight: its client is no thief, whatever the time is there.
        expect(await other.ask('present', token)).toMatchObject({ reason: 'rotated' });
        expect(await other.ask('present', next)).toMatchObject({ reason: null });
        const left = Date.parse(session.expiresAt) - Date.now();
        expect(Math.abs(left - 10 * MINUTE)).toBeLessThan(30 * SECOND);
      }
    },
    120_000,
  );
});
