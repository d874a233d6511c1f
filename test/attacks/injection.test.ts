import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { expectNoFaults } from '../support/attack-faults.js';
import { describeOnEachDatabase } from '../support/databases.js';
import { TestCluster, type TestNode } from '../support/store.js';

/** What has ended, read or changed other rows where strings were put into statements. */
const HOSTILE = [
  `' OR '1'='1`,
  `' OR 1=1 -- `,
  `" OR ""="`,
  `'; DROP TABLE sessions; --`,
  `'); DELETE FROM sessions; --`,
  `' UNION SELECT * FROM session_users --`,
  `\\' OR 1=1 #`,
  `\\`,
  `%`,
  `_`,
  `ana%`,
  `*`,
  `$1`,
  `?`,
  `:userId`,
  `:...padded`,
  `\${1+1}`,
  '`sessions`',
  `/* */`,
  `0x616e61`,
  `ana' COLLATE NOCASE --`,
  `[ana]`,
  `{"$ne":null}`,
  `null`,
  `0`,
  `true`,
  `\u{1f47b}\u202e\u0301`,
  `ana\t`,
  `\r\nSet-Cookie: sid=a`,
];
const IDS = [
  ...HOSTILE,
  'ana',
  '00000000-0000-0000-0000-000000000000',
  `${'a'.repeat(8)}-0000-7000-8000-000000000000' --`,
];

expectNoFaults();

await describeOnEachDatabase((leg) => {
  let cluster: TestCluster;
  let node: TestNode;
  beforeAll(async () => {
    cluster = await TestCluster.on(leg);
    node = await cluster.node({ maxSessionsPerUser: 5 });
  });
  afterAll(() => cluster.close());
  beforeEach(() => node.service.revokeEveryone());

  const hostile = (text: string) => ({ ip: text, userAgent: text, label: text });

  it('SQL in a user id is a user id: it names its own sessions and nobody else’s', async () => {
    const { service } = node;
    const { session: innocent } = await service.create({ userId: 'ana' });
    for (const userId of HOSTILE) {
      const { session, token } = await service.create({ userId, roles: ['customer'] });
      expect((await service.validate(token)).session?.userId).toBe(userId);
      expect((await service.list(userId)).map(({ id }) => id)).toEqual([session.id]);
      expect(await service.setRoles(userId, ['guest'])).toBe(1);
      expect(await service.revoke(innocent.id, { userId })).toBe(false);
      const next = await service.authenticate(session.id, { userId });
      expect(await service.revoke(next.session.id, { userId })).toBe(true);
      expect(await service.revokeAll(userId)).toBe(0);
    }
    expect((await service.list('ana')).map(({ id, roles }) => ({ id, roles }))).toEqual([
      { id: innocent.id, roles: [] },
    ]);
  });

  it('SQL in roles, label, user agent, address and data is kept as it is, and does nothing', async () => {
    const { service } = node;
    const { session: innocent } = await service.create({ userId: 'ana', roles: ['customer'] });
    for (const text of HOSTILE) {
      const data = { [text]: text, list: [text, { [text]: text }] };
      const { session, token } = await service.create({ userId: 'bo', roles: [text], data }, hostile(text));
      const kept = (await service.validate(token)).session;
      expect([kept?.roles, kept?.data]).toEqual([[text], data]);
      expect(kept?.client.label).toBe(text.replaceAll(/[\t\r\n\u202e]/g, ' ').slice(0, 100));
      expect(await service.update(session.id, (now) => ({ ...now, more: text }))).toEqual({
        ...data,
        more: text,
      });
      expect(await service.setRoles('bo', [text, 'guest'])).toBeGreaterThan(0);
      expect((await service.get(session.id))?.roles).toEqual([text, 'guest']);
    }
    expect((await service.get(innocent.id))?.roles).toEqual(['customer']);
  });

  it('SQL in an id finds nothing, and ends nothing', async () => {
    const { service } = node;
    const { session } = await service.create({ userId: 'ana' });
    for (const id of [...IDS, `${session.id}' OR '1'='1`, `${session.id} `, session.id.toUpperCase()]) {
      expect(await service.get(id)).toBeNull();
      expect(await service.revoke(id)).toBe(false);
      expect(await service.update(id, () => ({ stolen: 'yes' }))).toBeNull();
      await expect(service.rotate(id)).rejects.toMatchObject({ status: 401 });
      await expect(service.authenticate(id, { userId: 'mallory' })).rejects.toMatchObject({ status: 401 });
      expect(await service.revokeAll('mallory', { except: id })).toBe(0);
    }
    expect((await service.list('ana')).map(({ id, data }) => ({ id, data }))).toEqual([
      { id: session.id, data: {} },
    ]);
  });

  it('JSON that hurts in other places does not in session data', async () => {
    const { service } = node;
    const { session, token } = await service.create({ userId: 'ana' });
    const kept = {
      'lone surrogate': '\ud800 \udfff',
      NUL: 'a\0b',
      '\0': 'a name',
      separators: '\u2028\u2029\u0085',
      constructor: { prototype: { isAdmin: true } },
      toString: 'text',
      number: [1e308, -0.1, 5e-324, 2 ** 53],
      emoji: '\u{1f469}\u200d\u{1f680}',
    };
    await service.update(session.id, () => kept);
    expect((await service.validate(token)).session?.data).toEqual(kept);
    expect(({} as Record<string, unknown>)['isAdmin']).toBeUndefined();

    const cycle: Record<string, unknown> = {};
    cycle['a'] = { b: [cycle] };
    const deep = JSON.parse(`${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`) as object;
    for (const refused of [
      JSON.parse('{"__proto__":{"isAdmin":true}}'),
      JSON.parse('{"a":[{"__proto__":[]}]}'),
      { megabyte: 'x'.repeat(1_000_000) },
      { many: Array.from({ length: 100_000 }, (_, at) => at) },
      cycle,
      deep,
      { big: 10n },
      { toJSON: () => ({ isAdmin: true }) },
      { a: { toJSON: () => 'b' } },
      { date: new Date(0) },
      { map: new Map() },
      { nan: Number.NaN },
      [],
      'text',
      null,
    ]) {
      await expect(service.update(session.id, () => refused as never)).rejects.toMatchObject({ status: 400 });
    }
    expect((await service.get(session.id))?.data).toEqual(kept);

    const hidden = Object.defineProperty({ seen: true }, 'toJSON', { value: () => 'something else' });
    await service.update(session.id, () => hidden);
    expect((await service.get(session.id))?.data).toEqual({ seen: true });
  });
});
