import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { SessionEvent } from '../../src/core/model/session-event.js';
import { SessionEntity } from '../../src/store/session.entity.js';
import { describeOnEachDatabase } from '../support/databases.js';
import { EFFORT } from '../support/exploration.js';
import { addOlder } from '../support/many-sessions.js';
import { TestCluster, type TestNode } from '../support/store.js';

const BATCH = 1_000;
const MANY = EFFORT > 4 ? 20_000 : 2_500;

jest.setTimeout(120_000);

await describeOnEachDatabase((leg) => {
  let cluster: TestCluster;
  let node: TestNode;
  let newest: string;
  let older: readonly string[];

  beforeEach(async () => {
    cluster = await TestCluster.on(leg);
    node = await cluster.node();
    newest = (await node.service.create({ userId: 'many', roles: ['customer'] })).session.id;
    older = await addOlder(node, newest, MANY - 1);
    await node.service.create({ userId: 'other' });
    node.events.length = 0;
  });
  afterEach(() => cluster.close());

  const theirs = (events: readonly SessionEvent[]) =>
    events.flatMap((event) => (event.type === 'revoked' ? [event.sessionIds] : []));
  const countOf = (userId: string) => node.dataSource.getRepository(SessionEntity).countBy({ userId });

  it('lists them by pages, the newest first, and each of them once', async () => {
    expect(await node.service.list('many')).toHaveLength(BATCH);
    const listed: string[] = [];
    for (let before: string | undefined; ; before = listed.at(-1)) {
      const page = await node.service.list('many', { limit: 700, ...(before !== undefined && { before }) });
      listed.push(...page.map(({ id }) => id));
      if (page.length < 700) break;
    }
    expect(listed).toEqual([newest, ...older]);
  });

  it('fills a page where stricter timeouts have ended sessions in between', async () => {
    const stricter = cluster.nodeSharing(node, { timeouts: { idle: '10m' } });
    const oldest = older.slice(-3);
    cluster.clock.advance('11m');
    const seen = { lastSeenAt: cluster.clock.now() };
    for (const id of oldest) await node.dataSource.getRepository(SessionEntity).update(id, seen);
    expect((await stricter.service.list('many', { limit: 2 })).map(({ id }) => id)).toEqual(
      oldest.slice(0, 2),
    );
  });

  it('finds a page, and a batch of a change, by the index', async () => {
    const { session } = await node.service.create({ userId: 'another' });
    await addOlder(node, session.id, MANY);
    const plans = await plansOf(node, async () => {
      await node.service.list('many', { limit: 10, before: older[20]! });
      await node.service.setRoles('many', ['admin']);
      await node.service.revokeAll('many', { except: newest });
    });
    expect(plans.length).toBeGreaterThanOrEqual(3);
    for (const plan of plans) {
      // MySQL may go by the primary key where most rows are of this user.
      expect(plan).toMatch(/IDX_|range scan on s using PRIMARY/);
      expect(plan).not.toMatch(/Seq Scan|Table scan|"type":"ALL"/);
    }
    expect(plans[0]).not.toMatch(/\bSort\b|filesort|TEMP B-TREE/);
  });

  it('revokes all of them in one call, and tells of at most 1,000 at once', async () => {
    expect(await node.service.revokeAll('many', { except: older[1]! })).toBe(MANY - 1);
    const told = theirs(node.events);
    expect(told.map((ids) => ids.length <= BATCH)).not.toContain(false);
    expect(told.length).toBeLessThanOrEqual(MANY / BATCH + 1);
    expect(told.flat().toSorted()).toEqual([newest, ...older].filter((id) => id !== older[1]).toSorted());
    expect(await node.service.list('many')).toMatchObject([{ id: older[1] }]);
    expect(await countOf('other')).toBe(1);
    expect(node.outages).toEqual([]);
  });

  it('revokes everyone', async () => {
    expect(await node.service.revokeEveryone()).toBe(MANY + 1);
    expect(node.events).toMatchObject([
      { type: 'revoked', sessionIds: [], sessionId: null, userId: null, count: MANY + 1 },
    ]);
    expect(await countOf('many')).toBe(0);
  });

  it('gives all of them other roles, and tells it once', async () => {
    expect(await node.service.setRoles('many', ['admin'])).toBe(MANY);
    expect(node.events).toMatchObject([{ type: 'roles-changed', count: MANY, userId: 'many' }]);
    const roles = JSON.stringify(['admin']);
    expect(await node.dataSource.getRepository(SessionEntity).countBy({ roles })).toBe(MANY);
  });

  it.each([false, true])(
    'lets the user sign in once a limit is set (on an anonymous session: %s)',
    async (isAnonymous) => {
      const limited = cluster.nodeSharing(node, { maxSessionsPerUser: 3 });
      await (isAnonymous
        ? limited.service.authenticate((await node.service.createAnonymous()).session.id, {
            userId: 'many',
          })
        : limited.service.create({ userId: 'many' }));
      expect(theirs(limited.events)).toMatchObject([{ length: BATCH }]);
      expect(await countOf('many')).toBe(MANY + 1 - BATCH);
      // The next sign-ins end the others.
      for (let more = 0; more <= MANY / BATCH; more++) await limited.service.create({ userId: 'many' });
      expect(await limited.service.list('many')).toHaveLength(3);
      expect(node.outages).toEqual([]);
    },
  );

  it('spares those who begin to sign in during a revocation, and none who began before', async () => {
    const second = leg.isShared ? await cluster.node() : node;
    const before = await second.service.beginSignIn();
    const over = new AbortController();
    const lane = async () => {
      const made: { id: string | null; begun: number }[] = [];
      const signIn = async (begun = second.service.beginSignIn()) => {
        const at = await begun;
        const created = await second.service.create({ userId: 'many' }, {}, { begun: at }).catch(refused);
        made.push({ id: created?.session.id ?? null, begun: at.latestChange });
      };
      while (!over.signal.aborted) {
        await signIn();
        await signIn(Promise.resolve(before));
        await nextTurn(); // better-sqlite3 answers in the same one, for ever
      }
      await signIn();
      return made;
    };
    const lanes = Array.from({ length: 4 }, lane);
    await wait(50);
    await node.service.revokeAll('many');
    over.abort();
    const made = (await Promise.all(lanes)).flat();
    const number = await node.store.latestChange();
    const left = new Set((await node.service.list('many')).map(({ id }) => id));
    for (const { id, begun } of made) {
      const isLive = id !== null && left.delete(id);
      expect({ begun, number, isLive }).toEqual({ begun, number, isLive: begun >= number });
    }
    expect([...left]).toEqual([]);
    expect(made.some(({ begun }) => begun >= number)).toBe(true);
  });

  it.each([0, 2])('goes on where a revocation was cut off after the mark and %i batches', async (done) => {
    const before = await node.service.beginSignIn();
    const act = node.store.deleteByUser.bind(node.store);
    let count = 0;
    node.store.deleteByUser = (...args) =>
      count++ < done ? act(...args) : Promise.reject(new Error('The process is killed.'));
    await expect(node.service.revokeAll('many')).rejects.toMatchObject({ status: 503 });
    expect(theirs(node.events).flat()).toHaveLength(done * BATCH);
    // The mark holds, though sessions are left.
    expect(await countOf('many')).toBe(MANY - done * BATCH);
    const overtaken = node.service.create({ userId: 'many' }, {}, { begun: before });
    await expect(overtaken).rejects.toMatchObject({ status: 401 });

    const other = cluster.nodeSharing(node, {});
    expect(await other.service.revokeAll('many')).toBe(MANY - done * BATCH);
    expect(await countOf('many')).toBe(0);
  });

  if (!leg.isShared || leg.name.startsWith('SQLite')) return;

  describe('where somebody has locked one of them', () => {
    it.each(['revokeAll', 'setRoles'] as const)('%s waits for it, and passes over none', async (verb) => {
      const runner = node.dataSource.createQueryRunner();
      await runner.startTransaction();
      const locked = older[BATCH + 5]!;
      await runner.manager.update(SessionEntity, locked, { lastSeenAt: cluster.clock.now() + 1 });
      const work =
        verb === 'revokeAll' ? node.service.revokeAll('many') : node.service.setRoles('many', ['admin']);
      await wait(500);
      await runner.commitTransaction();
      await runner.release();
      expect(await work).toBe(MANY);
      const record = await node.store.findById(locked);
      expect(record?.roles ?? null).toBe(verb === 'revokeAll' ? null : '["admin"]');
    });
  });
});

/** Of a sign-in that a change has overtaken; anything else is an error. */
function refused(error: { status?: number }): null {
  if (error.status === 401) return null;
  throw error;
}

/** How the database goes about the statements on many sessions that this runs. */
async function plansOf({ dataSource }: TestNode, work: () => Promise<unknown>): Promise<string[]> {
  const { type } = dataSource.options;
  if (type === 'postgres') await dataSource.query('ANALYZE sessions');
  else if (type.startsWith('m')) await dataSource.query('ANALYZE TABLE sessions');
  const statements = new Map<string, readonly unknown[]>();
  const log = jest.spyOn(dataSource.logger, 'logQuery').mockImplementation((sql, values = []) => {
    if (/ORDER BY .*LIMIT/s.test(sql)) statements.set(sql, values as unknown[]);
  });
  await work();
  log.mockRestore();
  const explain = type.includes('sqlite') ? 'EXPLAIN QUERY PLAN' : 'EXPLAIN';
  const plans: string[] = [];
  for (const [sql, values] of statements) {
    plans.push(JSON.stringify(await dataSource.query(`${explain} ${sql}`, [...values])));
  }
  return plans;
}
