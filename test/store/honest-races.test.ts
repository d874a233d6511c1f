import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { describeOnEachDatabase } from '../support/databases.js';
import { TestCluster, type TestNode } from '../support/store.js';

await describeOnEachDatabase((leg) => {
  let cluster: TestCluster;
  let node: TestNode;

  beforeAll(async () => {
    cluster = await TestCluster.on(leg);
    node = await cluster.node({
      timeouts: { renewal: '1h', idle: '5h', reason: 'a test' },
      roles: { support: ['customer'] },
    });
  });
  afterAll(() => cluster.close());
  beforeEach(() => {
    node.events.length = 0;
  });

  const create = async () => {
    const issued = await node.service.create({ userId: 'ana', roles: ['customer'] });
    await present(issued.token);
    return issued;
  };

  /** What the guard does with the token of a request that arrived then. */
  async function present(token: string, arrivedAt = cluster.clock.now()): Promise<string> {
    const verdict = await node.core.validation.validate(token, { arrivedAt });
    if (verdict.reason !== undefined) return verdict.reason;
    return (await node.core.rotation.renew(verdict)) ?? 'accepted';
  }

  /** What `@StartSession` does with a request that showed this token. */
  async function stepUp(token: string): Promise<string> {
    const shown = node.core.tokens.parse(token);
    if (shown === null) throw new Error('No token.');
    const attempt = { principal: { userId: 'ana' }, begun: await node.core.signIn.begin() };
    return (await node.core.signIn.authenticateShown(shown, attempt)).token;
  }

  const renewal = async (token: string) => {
    cluster.clock.advance('61m');
    const next = await present(token);
    expect(next).toMatch(/^sid_/);
    return next;
  };

  describe('is no theft, and ends nothing:', () => {
    afterEach(() => {
      const told = node.events.map(({ type }) => type);
      expect(told).not.toContain('reuse-detected');
      expect(told).not.toContain('revoked');
    });

    it('a request in flight during a step-up', async () => {
      const { token } = await create();
      const next = await stepUp(token);
      expect(await present(token)).toBe('rotated');
      expect(await present(next)).toBe('accepted');
      expect(await present(token)).toBe('rotated');
    });

    it('a request with a slow body, whose head came before the step-up', async () => {
      const { token } = await create();
      const arrivedAt = cluster.clock.now();
      const next = await stepUp(token);
      await present(next);
      cluster.clock.advance('10m');
      expect(await present(token, arrivedAt)).toBe('rotated');
      expect(await present(next)).toBe('accepted');
    });

    it('a double-clicked step-up', async () => {
      for (let round = 0; round < 20; round++) {
        const { token } = await create();
        const results = await Promise.allSettled([stepUp(token), stepUp(token), stepUp(token)]);
        const tokens = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
        expect(tokens).toHaveLength(1);
        expect(await present(tokens[0] as string)).toBe('accepted');
      }
    });

    it('a step-up whose answer was lost', async () => {
      const { token, session } = await create();
      await stepUp(token);
      cluster.clock.advance('1h');
      expect(await present(token)).toBe('rotated');
      expect(await node.service.get(session.id)).not.toBeNull();
    });

    it('a step-up with the outgoing token of a renewal', async () => {
      const { token } = await create();
      const renewed = await renewal(token);
      const next = await stepUp(token);
      expect(await present(renewed)).toBe('rotated');
      expect(await present(next)).toBe('accepted');
    });

    it('a step-up that races a renewal', async () => {
      for (let round = 0; round < 20; round++) {
        const { token } = await create();
        cluster.clock.advance('61m');
        const [next, shown] = await Promise.all([stepUp(token), present(token)]);
        expect(await present(next)).toBe('accepted');
        if (shown.startsWith('sid_')) expect(await present(shown)).toBe('rotated');
      }
    });

    it('a role gained during a renewal', async () => {
      const { token } = await create();
      const renewed = await renewal(token);
      await node.service.setRoles('ana', ['support']);
      expect(await present(token)).toBe(renewed);
      expect(await present(renewed)).toBe('accepted');
      cluster.clock.advance('31s');
      expect(await present(renewed)).toMatch(/^sid_/);
    });

    it('answers to renewals that arrive late and in the wrong order', async () => {
      const { token } = await create();
      const renewed = await renewal(token);
      expect(await present(renewed)).toBe('accepted');
      // An answer to an earlier request puts the earlier token back for a moment.
      expect(await present(token)).toBe('accepted');
      cluster.clock.advance('29s');
      expect(await present(token)).toBe('accepted');
      expect(await present(renewed)).toBe('accepted');
    });

    it('a client that never looks at the new token', async () => {
      const { token, session } = await create();
      const renewed = await renewal(token);
      for (let count = 0; count < 4; count++) {
        cluster.clock.advance('4h');
        expect(await present(token)).toBe(renewed);
      }
      expect(await node.service.get(session.id)).not.toBeNull();
    });
  });

  it('is theft: any token of the session, however old, after the grace', async () => {
    for (const age of [0, 1, 2]) {
      const { token, session } = await create();
      const tokens = [token];
      for (let count = 0; count < 3; count++) {
        tokens.push(await renewal(tokens.at(-1) as string));
        expect(await present(tokens.at(-1) as string)).toBe('accepted');
      }
      cluster.clock.advance('31s');
      expect(await present(tokens[age] as string)).toBe('reused');
      expect(await node.service.get(session.id)).toBeNull();
    }
  });

  it('ends nothing: a made-up token with the public id, and one planted before sign-in', async () => {
    const planted = await node.service.createAnonymous();
    const { token, session } = await node.service.authenticate(planted.session.id, { userId: 'ana' });
    await present(token);
    cluster.clock.advance('1h');
    const madeUp = Buffer.from(session.id.replaceAll('-', ''), 'hex').toString('base64url');
    for (const shown of [planted.token, session.id, `sid_${madeUp}`]) {
      expect(await present(shown)).toMatch(/unknown|malformed/);
    }
    expect(await node.service.get(session.id)).not.toBeNull();
  });
});
