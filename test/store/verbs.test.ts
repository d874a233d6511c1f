import { afterAll, afterEach, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import type { BegunSignIn } from '../../src/core/life/begun-sign-in.js';
import { describeOnEachDatabase } from '../support/databases.js';
import { TestCluster, type TestNode } from '../support/store.js';

await describeOnEachDatabase((leg) => {
  let cluster: TestCluster;
  let node: TestNode;

  beforeAll(async () => {
    cluster = await TestCluster.on(leg);
    node = await cluster.node({ securityLevel: 'high' });
  });
  afterAll(() => cluster.close());
  beforeEach(async () => {
    await node.service.revokeEveryone();
    node.events.length = 0;
  });
  afterEach(() => expect(node.outages).toEqual([]));

  const create = (userId = 'ana', roles: string[] = []) => node.service.create({ userId, roles });
  const reasonFor = async (token: string) => (await node.service.validate(token)).reason ?? 'live';
  const rows = () => node.dataSource.query('SELECT * FROM sessions') as Promise<Record<string, unknown>[]>;

  it('creates a session that its token leads to', async () => {
    const { session, token } = await node.service.create(
      { userId: 'ana', roles: ['customer', 'customer'], level: 2, data: { theme: 'dark' } },
      { ip: '192.0.2.1', userAgent: 'Agent/1', label: 'Phone' },
    );
    const { session: found } = await node.service.validate(token);
    expect(found?.toJSON()).toEqual(session.toJSON());
    expect(found).toMatchObject({
      userId: 'ana',
      roles: ['customer'],
      level: 2,
      client: { ip: '192.0.2.1', userAgent: 'Agent/1', label: 'Phone' },
      data: { theme: 'dark' },
      createdAt: new Date(cluster.clock.now()),
      expiresAt: new Date(cluster.clock.now() + 15 * 60_000),
    });
    expect(await node.service.get(session.id)).toMatchObject({ id: session.id });
  });

  it('knows nothing of other tokens', async () => {
    const { token } = await create();
    const other = (await create()).token;
    expect(await reasonFor(other.slice(0, -1))).toBe('malformed');
    expect(await reasonFor(token)).toBe('live');
    await node.service.revokeEveryone();
    expect(await reasonFor(token)).toBe('unknown');
  });

  it('revokes a session, and its row is gone', async () => {
    const { session, token } = await create();
    expect(await node.service.revoke(session.id)).toBe(true);
    expect(await reasonFor(token)).toBe('unknown');
    expect(await rows()).toEqual([]);
    expect(await node.service.revoke(session.id)).toBe(false);
  });

  it('revokes for an owner only what is theirs', async () => {
    const { session, token } = await create('aB3');
    expect(await node.service.revoke(session.id, { userId: 'Ab3' })).toBe(false);
    expect(await reasonFor(token)).toBe('live');
    expect(await node.service.revoke(session.id, { userId: 'aB3' })).toBe(true);
  });

  it('takes user ids that differ by case, accent or a trailing space for different users', async () => {
    const ids = ['aB3', 'Ab3', 'ab3 ', 'áb3', 'ab3'];
    for (const id of ids) await create(id);
    for (const id of ids) expect((await node.service.list(id)).map(({ userId }) => userId)).toEqual([id]);
    expect(await node.service.setRoles('ab3', ['x'])).toBe(1);
    expect(await node.service.revokeAll('Ab3')).toBe(1);
    expect((await rows()).map((row) => row['user_id'])).toEqual(
      expect.arrayContaining(['aB3', 'ab3 ', 'áb3', 'ab3']),
    );
  });

  it('revokes all sessions of a user but one', async () => {
    const [one, two, three] = [await create(), await create(), await create()];
    const other = await create('bob');
    expect(await node.service.revokeAll('ana', { except: two.session.id })).toBe(2);
    expect(await Promise.all([one, two, three, other].map(({ token }) => reasonFor(token)))).toEqual([
      'unknown',
      'live',
      'unknown',
      'live',
    ]);
    const ended = node.events.flatMap((event) => (event.type === 'revoked' ? [event.sessionIds] : []));
    expect(ended).toEqual([expect.arrayContaining([one.session.id, three.session.id])]);
  });

  it('revokes many sessions of a user with as few statements as a handful', async () => {
    const { session } = await create();
    for (let others = 0; others < 59; others++) await create();
    const queries = jest.spyOn(node.dataSource.logger, 'logQuery');
    expect(await node.service.revokeAll('ana', { except: session.id })).toBe(59);
    expect(queries.mock.calls.length).toBeLessThan(20);
    queries.mockRestore();
    expect(await rows()).toHaveLength(1);
  });

  it('revokes everyone', async () => {
    await create();
    await create('bob');
    await node.service.createAnonymous();
    expect(await node.service.revokeEveryone()).toBe(3);
    expect(await rows()).toEqual([]);
  });

  it('lists live sessions, newest first', async () => {
    const first = await create();
    cluster.clock.advance('1m');
    const second = await create();
    cluster.clock.advance('14m');
    const third = await create();
    expect((await node.service.list('ana')).map(({ id }) => id)).toEqual([
      third.session.id,
      second.session.id,
    ]);
    expect(await node.service.get(first.session.id)).toBeNull();
  });

  it('rotates: the earlier token is dead, is excused for a while, and then is a sign of theft', async () => {
    const { session, token } = await create();
    expect(await reasonFor(token)).toBe('live');
    const second = await node.service.rotate(session.id);
    expect(second.session.id).toBe(session.id);
    expect(await reasonFor(token)).toBe('rotated');
    expect(await reasonFor(second.token)).toBe('live');
    const third = await node.service.rotate(session.id);
    expect(await reasonFor(second.token)).toBe('rotated');
    expect(await reasonFor(third.token)).toBe('live');
    cluster.clock.advance('30s');
    expect(await reasonFor(token)).toBe('reused');
    expect(await reasonFor(third.token)).toBe('unknown');
    expect(node.events.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['reuse-detected', 'revoked']),
    );
  });

  it('knows that a token was shown, also when that was while it was being replaced', async () => {
    const { session, token } = await create();
    const find = node.store.findById.bind(node.store);
    jest.spyOn(node.store, 'findById').mockImplementationOnce(async (id) => {
      const record = await find(id);
      expect(await reasonFor(token)).toBe('live');
      return record;
    });
    const next = await node.service.rotate(session.id);
    expect(await reasonFor(next.token)).toBe('live');
    cluster.clock.advance('30s');
    expect(await reasonFor(token)).toBe('reused');
  });

  it('authenticates an anonymous session: same record and data, and the planted token is unknown', async () => {
    const planted = await node.service.createAnonymous({ cart: [1] });
    cluster.clock.advance('5m');
    const signedIn = await node.service.authenticate(planted.session.id, {
      userId: 'ana',
      roles: ['customer'],
    });
    expect(signedIn.session).toMatchObject({
      id: planted.session.id,
      userId: 'ana',
      data: { cart: [1] },
      createdAt: planted.session.createdAt,
    });
    expect(await reasonFor(planted.token)).toBe('unknown');
    expect(await reasonFor(signedIn.token)).toBe('live');
  });

  it('steps up: clocks renewed, the higher level, roles and data kept', async () => {
    const before = await node.service.create({
      userId: 'ana',
      roles: ['customer'],
      level: 1,
      data: { a: 1 },
    });
    cluster.clock.advance('10m');
    const after = await node.service.authenticate(before.session.id, { userId: 'ana', level: 2 });
    expect(after.session).toMatchObject({
      id: before.session.id,
      level: 2,
      roles: ['customer'],
      data: { a: 1 },
    });
    expect(after.session.authenticatedAt.getTime()).toBe(cluster.clock.now());
    const again = await node.service.authenticate(before.session.id, { userId: 'ana' });
    expect(again.session.level).toBe(2);
    expect(await reasonFor(before.token)).toBe('rotated');
  });

  it('takes no slow sign-in for a theft when another one has used its token meanwhile', async () => {
    const { session, token } = await create();
    const shown = node.core.tokens.parse(token)!;
    const arrivedAt = cluster.clock.now();
    const slow = { principal: { userId: 'ana' }, begun: await node.core.signIn.begin() };
    const fast = { principal: { userId: 'ana' }, begun: await node.core.signIn.begin() };
    const winner = await node.core.signIn.authenticateShown(shown, fast, arrivedAt);
    expect(await reasonFor(winner.token)).toBe('live');
    cluster.clock.advance('5m'); // longer than the grace
    await expect(node.core.signIn.authenticateShown(shown, slow, arrivedAt)).rejects.toThrow(
      'has used this token',
    );
    expect(await reasonFor(winner.token)).toBe('live');
    expect(await node.service.get(session.id)).not.toBeNull();
    expect(node.events.map(({ type }) => type)).not.toContain('reuse-detected');
  });

  it('replaces the session of another user by a fresh one without its data', async () => {
    const before = await node.service.create({ userId: 'ana', data: { secret: 1 } });
    const after = await node.service.authenticate(before.session.id, { userId: 'bob' });
    expect(after.session.id).not.toBe(before.session.id);
    expect(after.session).toMatchObject({ userId: 'bob', data: {} });
    expect(await reasonFor(before.token)).toBe('unknown');
    expect(node.events).toContainEqual(
      expect.objectContaining({ type: 'revoked', reason: 'replaced', userId: 'ana' }),
    );
  });

  it('refuses to rotate or authenticate what is gone, and makes nothing of it', async () => {
    const { session } = await create();
    await node.service.revoke(session.id);
    await expect(node.service.rotate(session.id)).rejects.toMatchObject({
      status: 401,
      code: 'session_invalid',
    });
    await expect(node.service.authenticate(session.id, { userId: 'ana' })).rejects.toMatchObject({
      status: 401,
    });
    const expired = await create();
    cluster.clock.advance('15m');
    await expect(node.service.rotate(expired.session.id)).rejects.toMatchObject({ status: 401 });
    expect(await rows()).toHaveLength(1);
  });

  it('updates data, also many at once, and loses nothing', async () => {
    const { session } = await create();
    const increment = (data: { n?: unknown }) => ({ n: Number(data.n ?? 0) + 1 });
    await Promise.all(Array.from({ length: 100 }, () => node.service.update(session.id, increment)));
    expect((await node.service.get(session.id))?.data).toEqual({ n: 100 });
    await node.service.revoke(session.id);
    expect(await node.service.update(session.id, increment)).toBeNull();
  });

  it('refuses data that is no JSON or too large, and keeps what there was', async () => {
    const { session } = await node.service.create({ userId: 'ana', data: { kept: true } });
    const cyclic: Record<string, unknown> = {};
    cyclic['self'] = cyclic;
    const bad = [
      undefined,
      null,
      [],
      'text',
      { at: new Date() },
      { n: NaN },
      { big: 1n },
      { m: new Map() },
      cyclic,
    ];
    for (const data of [...bad, { blob: 'x'.repeat(17_000) }, JSON.parse('{"__proto__": {"x": 1}}')]) {
      await expect(node.service.update(session.id, () => data as never)).rejects.toMatchObject({
        status: 400,
      });
    }
    expect((await node.service.get(session.id))?.data).toEqual({ kept: true });
  });

  it('sets roles of live sessions, shortens their lives at once, and marks the tokens for renewal', async () => {
    const { session, token } = await create('ana', ['customer']);
    await create('bob', ['customer']);
    cluster.clock.advance('5m');
    expect(await node.service.setRoles('ana', ['customer', 'support'])).toBe(1);
    const verdict = await node.service.validate(token);
    expect(verdict.session).toMatchObject({ id: session.id, roles: ['customer', 'support'] });
    const row = (await rows()).find((each) => each['user_id'] === 'ana');
    expect(Number(row?.['renew_at'])).toBe(cluster.clock.now());
    expect(await node.service.setRoles('ana', ['customer', 'support'])).toBe(1);
  });

  it('notes activity, and ends what is idle or too old', async () => {
    const { session, token } = await create();
    for (let minutes = 0; minutes < 12 * 60 - 14; minutes += 14) {
      expect(await reasonFor(token)).toBe('live');
      await node.store.flush();
      cluster.clock.advance('14m');
    }
    expect(await reasonFor(token)).toBe('live');
    expect((await node.service.get(session.id))?.expiresAt).toEqual(
      new Date(session.createdAt.getTime() + 12 * 3_600_000),
    );
    cluster.clock.advance('14m');
    expect(await reasonFor(token)).toBe('expired');
    expect(node.events.map(({ type }) => type)).toContain('expired');
  });

  it('purges what has expired, and nothing else', async () => {
    for (let made = 0; made < 450; made++) await create(`user-${made % 7}`);
    cluster.clock.advance('15m');
    const live = await create('zoe');
    expect(await node.service.purgeExpired()).toBe(450);
    expect((await rows()).map((row) => row['id'])).toEqual([live.session.id]);
    expect(node.events).toContainEqual(expect.objectContaining({ type: 'purged', count: 450 }));
  });

  it.each(['evict-oldest', 'reject'] as const)(
    'keeps the limit under parallel sign-ins (%s)',
    async (onSessionLimit) => {
      const limited = await cluster.nodeSharing(node, { maxSessionsPerUser: 3, onSessionLimit });
      const expired = await limited.service.create({ userId: 'ana' });
      cluster.clock.advance('1h');
      const results = await Promise.allSettled(
        Array.from({ length: 50 }, () => limited.service.create({ userId: 'ana' })),
      );
      const refusals = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
      expect(await limited.service.list('ana')).toHaveLength(3);
      if (onSessionLimit === 'reject') expect(refusals).toHaveLength(47);
      for (const refusal of refusals) {
        // Newer ones may have evicted a session before its sign-in was told of it.
        const code = onSessionLimit === 'reject' ? 'session_limit' : 'session_invalid';
        expect(refusal).toMatchObject({ code });
      }
      const ended = limited.events.flatMap((event) =>
        event.type === 'revoked' && event.reason === 'limit' ? event.sessionIds : [],
      );
      if (onSessionLimit === 'evict-oldest') expect(ended).toHaveLength(50 - refusals.length - 3);
      expect(await limited.service.get(expired.session.id)).toBeNull();
      expect(limited.outages).toEqual([]);
    },
  );

  it('takes no beginning that is older than 12 hours: the marks after it may be forgotten', async () => {
    const { service } = node;
    const begun = await service.beginSignIn();
    cluster.clock.advance('12h');
    await service.create({ userId: 'ana' }, {}, { begun });
    cluster.clock.advance('1ms');
    const { session } = await service.createAnonymous();
    for (const late of [
      service.create({ userId: 'ana' }, {}, { begun }),
      service.authenticate(session.id, { userId: 'ana' }, { begun }),
    ]) {
      await expect(late).rejects.toMatchObject({ status: 401, code: 'session_invalid' });
    }
    await service.create({ userId: 'ana' }, {}, { begun: await service.beginSignIn() });
  });

  it('does not let a sign-in outlive a revocation or a change of roles that came after it had begun', async () => {
    const { service } = node;
    const attempt = (begun: BegunSignIn) =>
      service.create({ userId: 'ana', roles: ['admin'] }, {}, { begun });
    for (const change of [
      () => service.revokeAll('ana'),
      () => service.setRoles('ana', ['customer']),
      () => service.revokeEveryone(),
    ]) {
      const begun = await service.beginSignIn();
      await change();
      await expect(attempt(begun)).rejects.toMatchObject({ status: 401, code: 'session_invalid' });
      expect(await rows()).toEqual([]);
      await attempt(await service.beginSignIn());
      await service.revokeEveryone();
    }
  });

  it('asks the database once for one request, at most 3 times for 64 at once, and never for garbage', async () => {
    const issued = await Promise.all(Array.from({ length: 64 }, (_, at) => create(`user-${at}`)));
    for (const { token } of issued) await reasonFor(token);
    const queries = jest.spyOn(node.dataSource.logger, 'logQuery');
    const asked = async (tokens: readonly string[]) => {
      queries.mockClear();
      const reasons = await Promise.all(tokens.map(reasonFor));
      return [new Set(reasons), queries.mock.calls.length] as const;
    };
    const tokens = issued.map(({ token }) => token);
    expect(await asked(tokens.slice(0, 1))).toEqual([new Set(['live']), 1]);
    const [reasons, count] = await asked(tokens);
    expect([reasons, count <= 3]).toEqual([new Set(['live']), true]);
    expect(await asked(tokens.map((token) => token.slice(1)))).toEqual([new Set(['malformed']), 0]);
    queries.mockRestore();
  });

  it('keeps hostile strings as they are', async () => {
    const userId = `'; DROP TABLE sessions; -- \\" \u{1F600}`;
    const { session, token } = await node.service.create(
      { userId, roles: [`a"b'c\\`], data: { text: `\u0000'"\\\ud800` } },
      { ip: '\u0000evil\n', userAgent: '\u{1F600}'.repeat(400), label: 'x\r\nInjected: log line\u202e' },
    );
    const found = (await node.service.validate(token)).session;
    expect(found).toMatchObject({
      userId,
      roles: [`a"b'c\\`],
      client: session.client,
      data: { text: `\u0000'"\\\ud800` },
    });
    expect(JSON.stringify(found?.client)).not.toMatch(/\\[nru]/);
    expect([...(found?.client.userAgent ?? '')]).toHaveLength(255);
  });
});
