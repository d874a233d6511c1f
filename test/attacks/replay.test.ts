import { describe, expect, it } from '@jest/globals';
import { TestClock } from 'nestjs-sessions/testing';
import { AttackClient, WAYS } from '../support/attack-client.js';
import { expectNoFaults } from '../support/attack-faults.js';
import { VaultController } from '../support/attack-controllers.js';
import { forgeToken, bytesOf } from '../support/attack-token.js';
import { AccountController } from '../support/sign-in.js';
import { countRows, sharedAppOn, type TestApp } from '../support/test-app.js';

const INVALID = '401 session_invalid';
const EXPIRED = '401 session_expired';

expectNoFaults();

describe.each(WAYS)('on $platform by $carrier', ({ platform, carrier }) => {
  const clock = new TestClock();
  const options = { clock: clock.now, timeouts: { absolute: '10h', renewal: '20m' } } as const;
  const start = sharedAppOn(platform, { controllers: [AccountController, VaultController], options });
  const client = new AttackClient(start, carrier);
  const onlySession = async ({ sessions }: TestApp, userId: string) => {
    const [session, ...others] = await sessions.list(userId);
    expect(others).toEqual([]);
    return session!;
  };

  describe('replay of a token', () => {
    it.each<[string, (app: TestApp, token: string) => Promise<unknown>, string]>([
      ['after sign-out', async (_, token) => client.signOut(token), INVALID],
      ['after rotation', async (app) => app.sessions.rotate((await onlySession(app, 'ana')).id), INVALID],
      ['after the idle timeout', async () => clock.advance('2h'), EXPIRED],
      [
        'after revocation by its owner',
        async (app) => app.sessions.revoke((await onlySession(app, 'ana')).id),
        INVALID,
      ],
      ['after the account was disabled', (app) => app.sessions.revokeAll('ana'), INVALID],
      ['after everybody was signed out', (app) => app.sessions.revokeEveryone(), INVALID],
    ])('%s is refused, again and again', async (_, end, verdict) => {
      const app = start();
      const token = await client.signIn();
      expect(await client.try(token)).toBe('200');
      await end(app, token);
      for (let times = 0; times < 3; times++) {
        expect(await client.try(token)).toBe(verdict);
        await client.post('/act', token).expect(401);
      }
    });

    it('after the absolute timeout is refused, however busy it was', async () => {
      const token = await client.signIn();
      for (let quarters = 0; quarters < 39; quarters++) {
        clock.advance('15m');
        expect(await client.try(token)).toBe('200');
      }
      clock.advance('15m');
      expect(await client.try(token)).toBe(EXPIRED);
    });

    it('after a loss of roles brings none of them back', async () => {
      const app = start();
      const token = await client.signIn({ userId: 'ana', roles: ['admin'] });
      expect(await client.try(token, '/admin')).toBe('200');
      await app.sessions.setRoles('ana', []);
      expect(await client.try(token, '/admin')).toBe('403 role_required');
    });

    it('after a change of password is refused on every device but the one that changed it', async () => {
      const app = start();
      const [thief, phone] = [await client.signIn(), await client.signIn()];
      const session = (await app.sessions.validate(phone)).session!;
      await app.sessions.revokeAll('ana', { except: session.id });
      expect(await client.try(thief)).toBe(INVALID);
      expect(await client.try(phone)).toBe('200');
    });

    it('while the change of password is under way does not sign the thief in after all', async () => {
      const app = start();
      const begun = await app.sessions.beginSignIn();
      await app.sessions.revokeAll('ana');
      await app.sessions.create({ userId: 'ana' }, undefined, { begun }).catch(() => {});
      expect(await app.sessions.list('ana')).toEqual([]);
    });
  });

  describe('theft of a token that is due for renewal', () => {
    async function stolen() {
      const token = await client.signIn();
      expect(await client.try(token)).toBe('200');
      clock.advance('21m');
      return token;
    }

    it('by a thief who renews it first: the victim’s old token tells, and both are out', async () => {
      const app = start();
      const old = await stolen();
      const renewed = client.renewedIn(await client.get('/me', old).expect(200))!;
      expect(await client.try(renewed)).toBe('200');
      clock.advance('31s');
      expect(await client.try(old)).toBe(INVALID);
      expect(await client.try(renewed)).toBe(INVALID);
      expect(app.events.map(({ type }) => type)).toEqual(
        expect.arrayContaining(['reuse-detected', 'revoked']),
      );
      expect(await countRows(app)).toBe(0);
    });

    it('by a thief who comes later: his copy is refused, tells, and the session ends', async () => {
      const app = start();
      const old = await stolen();
      const renewed = client.renewedIn(await client.get('/me', old).expect(200))!;
      expect(await client.try(renewed)).toBe('200');
      clock.advance('5m');
      const attempt = await client.get('/me', old);
      expect([attempt.status, client.renewedIn(attempt)]).toEqual([401, null]);
      expect(app.events.filter(({ type }) => type === 'reuse-detected')).toHaveLength(1);
      expect(await client.try(renewed)).toBe(INVALID);
    });

    it('gives no second successor: once the new token was shown the old one opens nothing in the row', async () => {
      const app = start();
      const old = await stolen();
      const renewed = client.renewedIn(await client.get('/me', old).expect(200))!;
      expect(await client.try(renewed)).toBe('200');
      const [row] = (await app.dataSource.query('SELECT successor FROM sessions')) as [{ successor: null }];
      expect(row.successor).toBeNull();
      const within = await client.get('/me', old).expect(200);
      expect(client.renewedIn(within)).toBeNull();
    });

    it('and of many generations: each of them, however old, is a sign of theft', async () => {
      const app = start();
      const generations = [await client.signIn()];
      for (let round = 0; round < 3; round++) {
        expect(await client.try(generations.at(-1)!)).toBe('200');
        clock.advance('21m');
        generations.push(client.renewedIn(await client.get('/me', generations.at(-1)!).expect(200))!);
      }
      expect(await client.try(generations.at(-1)!)).toBe('200');
      clock.advance('31s');
      expect(await client.try(generations[0]!)).toBe(INVALID);
      expect(await countRows(app)).toBe(0);
    });
  });

  describe('polling with a stolen token, and never showing the one that came after it', () => {
    it('is told of, once', async () => {
      const app = start();
      const stolen = await client.signIn();
      expect(await client.try(stolen)).toBe('200');
      clock.advance('21m');
      for (let minutes = 0; minutes < 60; minutes++) {
        expect(await client.try(stolen)).toBe('200');
        clock.advance('1m');
      }
      expect(app.events.filter(({ type }) => type === 'renewal-ignored')).toHaveLength(1);
    });
  });

  describe('a second factor of long ago', () => {
    /** Signed in with two factors, and busy for six hours. */
    async function sixHoursLater() {
      const token = await client.signIn({ userId: 'ana', level: 2 });
      expect(await client.try(token, '/vault')).toBe('200');
      let newest = token;
      for (let quarters = 0; quarters < 24; quarters++) {
        clock.advance('15m');
        newest = client.renewedIn(await client.get('/me', newest).expect(200)) ?? newest;
      }
      return newest;
    }
    const withPassword = (token: string) => client.signIn({ userId: 'ana', level: 1 }, token);

    it('does not open what asks for a recent one, to who knows the password', async () => {
      const token = await withPassword(await sixHoursLater());
      expect(await client.try(token, '/recent')).toBe('200');
      expect(await client.try(token, '/vault')).toBe('401 reauthentication_required');
    });

    it('is not kept for ever by passwords', async () => {
      let token = await withPassword(await sixHoursLater());
      expect(await client.try(token, '/level2')).toBe('200');
      for (let quarters = 0; quarters < 16; quarters++) {
        clock.advance('15m');
        token = await withPassword(token);
      }
      expect(await client.try(token)).toBe('200');
      expect(await client.try(token, '/level2')).toBe('401 reauthentication_required');
    });
  });

  describe('session swapping', () => {
    it('two users’ tokens do not mix: a sign-in on somebody else’s session takes nothing over', async () => {
      const app = start();
      const theirs = await client.signIn({
        userId: 'ana',
        roles: ['admin'],
        level: 3,
        data: { card: '4111' },
      });
      const mine = await client.signIn({ userId: 'mallory' }, theirs);
      const { session } = await app.sessions.validate(mine);
      expect([session?.userId, session?.roles, session?.level, session?.data]).toEqual([
        'mallory',
        [],
        1,
        {},
      ]);
      expect(await client.try(mine, '/admin')).toBe('403 role_required');
    });

    it('the series of one token with the secret of another is neither', async () => {
      const app = start();
      const [ana, mallory] = [await client.signIn(), await client.signIn({ userId: 'mallory' })];
      for (const [one, other] of [
        [ana, mallory],
        [mallory, ana],
      ] as const) {
        const mixed = forgeToken(Buffer.concat([bytesOf(one).series, bytesOf(other).secret]));
        expect(await client.try(mixed)).toBe(INVALID);
      }
      expect(await countRows(app)).toBe(2);
    });

    it('a request that shows both is the bearer’s, and the cookie’s session is not touched', async () => {
      const app = start();
      const [ana, mallory] = [await client.signIn(), await client.signIn({ userId: 'mallory' })];
      const both = { Authorization: `Bearer ${mallory}`, Cookie: `sid=${ana}` };
      expect((await app.http.get('/me').set(both).expect(200)).body.userId).toBe('mallory');
      await app.http.post('/logout').set(both).expect(200);
      expect(await client.try(ana)).toBe('200');
      expect(await client.try(mallory)).toBe(INVALID);
    });
  });

  describe('denial of service by who once held a token', () => {
    it('can end the session that it was of, and nothing else', async () => {
      const app = start();
      const old = await client.signIn();
      const next = await client.signIn({ userId: 'ana' }, old);
      const other = await client.signIn();
      expect(await client.try(next)).toBe('200');
      clock.advance('31s');
      expect(await client.try(old)).toBe(INVALID);
      expect(await client.try(next)).toBe(INVALID);
      expect(await client.try(other)).toBe('200');
      expect(await countRows(app)).toBe(1);
    });

    it.each<[string, (app: TestApp) => Promise<{ old: string; live: string }>]>([
      [
        'before the victim signed in on it',
        async (app) => {
          const old = (await app.sessions.createAnonymous()).token;
          return { old, live: await client.signIn({ userId: 'ana' }, old) };
        },
      ],
      [
        'before the victim signed out and in again',
        async () => {
          const old = await client.signIn();
          await client.signOut(old).expect(200);
          return { old, live: await client.signIn() };
        },
      ],
      [
        'of a session that has expired since',
        async () => {
          const old = await client.signIn();
          clock.advance('3h');
          return { old, live: await client.signIn({ userId: 'ana' }, old) };
        },
      ],
    ])('cannot do anything to the session of now, when it was held %s', async (_, prepare) => {
      const { old, live } = await prepare(start());
      expect(await client.try(live)).toBe('200');
      clock.advance('1m');
      for (let times = 0; times < 3; times++) {
        expect(await client.try(old)).not.toBe('200');
        await client.signOut(old).expect(200);
      }
      expect(await client.try(live)).toBe('200');
    });

    it('cannot end, read or sign in on anything with what is public of a session', async () => {
      const app = start();
      const live = await client.signIn();
      const { id } = await onlySession(app, 'ana');
      expect(await client.try(id)).toBe(INVALID);
      await client.signOut(id).expect(200);
      await client.post('/login', id).send({ userId: 'mallory' }).expect(201);
      expect(await client.try(live)).toBe('200');
    });
  });
});
