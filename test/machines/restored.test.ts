import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { answerOf } from '../support/load.js';
import { POSTGRES_PROGRAMS, PostgresServer } from '../support/servers/postgres-server.js';
import { describeWith } from '../support/servers/programs.js';
import { TestCluster, type TestNode } from '../support/store.js';

// The clock of the database, which is this machine's: it goes on while a backup is restored.
const options = { clock: () => Date.now(), timeouts: { renewal: '1s' } } as const;

describeWith(POSTGRES_PROGRAMS, 'after a backup was restored', () => {
  const servers: PostgresServer[] = [];
  const clusters: TestCluster[] = [];
  let before: TestNode;
  let after: TestNode;

  async function nodeOn(server: PostgresServer): Promise<TestNode> {
    servers.push(server);
    const cluster = await TestCluster.in(server.options);
    clusters.push(cluster);
    return cluster.node(options);
  }
  beforeAll(async () => {
    before = await nodeOn(await PostgresServer.start());
  });
  afterAll(async () => {
    for (const cluster of clusters) await cluster.close();
    for (const server of servers) await server.drop();
  });

  const reasonOn = ({ service }: TestNode, { token }: { token: string }) => answerOf(service.validate(token));

  it('what came back is ended by one call, and what was begun since goes on', async () => {
    const create = (userId: string) => before.service.create({ userId, roles: ['admin'] });
    const [ana, bob, eve] = [await create('ana'), await create('bob'), await create('eve')];
    expect(await reasonOn(before, eve)).toBe('live');
    const copy = await servers[0]?.copy({ follow: false });
    if (copy === undefined) throw new Error('There is no server.');

    await before.service.revoke(ana.session.id);
    await before.service.setRoles('bob', ['customer']);
    const renewed = await before.service.rotate(eve.session.id);
    const underWay = await before.service.beginSignIn();
    const numbers = [await before.store.latestChange()];

    after = await nodeOn(copy);
    const restored = new Date();
    expect(await reasonOn(after, ana)).toBe('live');
    expect((await after.service.list('bob'))[0]?.roles).toEqual(['admin']);
    expect(await reasonOn(after, renewed)).not.toBe('live');
    const { service } = after;
    const since = await service.create({ userId: 'ana', roles: ['customer'] });

    expect(await service.revokeEveryone({ createdBefore: restored })).toBeGreaterThanOrEqual(2);
    for (const issued of [ana, bob, eve, renewed]) expect(await reasonOn(after, issued)).toBe('unknown');
    expect(await reasonOn(after, since)).toBe('live');

    // No number that was handed out after the backup is handed out again: who began a sign-in then is overtaken.
    numbers.push(await after.store.latestChange());
    expect(numbers).toEqual(numbers.toSorted((one, other) => one - other));
    expect(new Set(numbers).size).toBe(2);
    const late = service.create({ userId: 'bob', roles: ['admin'] }, {}, { begun: underWay });
    await expect(late).rejects.toMatchObject({ status: 401 });
  });
});
