import { Body, Controller, Post } from '@nestjs/common';
import { describe, expect, it, jest } from '@jest/globals';
import { RequireSession, type SessionPrincipal, SessionStore, StartSession } from 'nestjs-sessions';
import { InMemorySessionStore, TestClock } from 'nestjs-sessions/testing';
import { PLATFORMS } from '../support/platforms.js';
import {
  AccountController,
  bearer,
  cookieIn,
  cookiesIn,
  signIn,
  signInByCookie,
} from '../support/sign-in.js';
import { appsOn, countRows, type TestApp } from '../support/test-app.js';

@Controller()
class StepUpController {
  @RequireSession() @StartSession() @Post('step-up') stepUp(@Body() body: SessionPrincipal) {
    return body;
  }
}

const controllers = [AccountController, StepUpController];
const TOKEN = /^sid_[A-Za-z0-9_-]{70}$/;
/** Without and with a requirement beside `@StartSession()`. */
const BOTH_OPEN = ['/login', '/step-up'];

async function idOf({ http }: TestApp, token: string): Promise<string> {
  return (await http.get('/me').set(bearer(token)).expect(200)).body.id as string;
}

describe.each(PLATFORMS)('on %s', (platform) => {
  const start = appsOn(platform);

  describe('a step-up', () => {
    it.each(BOTH_OPEN)('keeps the record and renews its clocks, under a new token (%s)', async (path) => {
      const clock = new TestClock();
      const app = await start({ controllers, options: { clock: clock.now } });
      const token = await signIn(app, { userId: 'ana', roles: ['customer'], data: { a: 1 } });
      const before = (await app.http.get('/me').set(bearer(token))).body;
      clock.advance('10m');
      const answer = await app.http
        .post(path)
        .set(bearer(token))
        .send({ userId: 'ana', level: 2 })
        .expect(201);
      expect(answer.body.session).toEqual({
        ...before,
        level: 2,
        authenticatedAt: new Date(clock.now()).toISOString(),
        lastSeenAt: new Date(clock.now()).toISOString(),
        expiresAt: new Date(clock.now() + 30 * 60_000).toISOString(),
      });
      const { session } = await app.sessions.validate(answer.body.token as string);
      expect(session).toMatchObject({ roles: ['customer'], data: { a: 1 }, level: 2 });
      const old = await app.http.get('/me').set(bearer(token));
      expect([old.status, old.body.code]).toEqual([401, 'session_invalid']);
      expect(await countRows(app)).toBe(1);
    });

    it.each([
      [2, 1, 2],
      [1, 3, 3],
      [3, undefined, 3],
      [1, undefined, 1],
    ] as const)('from level %p with level %p gives level %p', async (had, given, has) => {
      const app = await start({ controllers });
      const token = await signIn(app, { userId: 'ana', level: had });
      const answer = await app.http.post('/login').set(bearer(token)).send({ userId: 'ana', level: given });
      expect(answer.body.session.level).toBe(has);
    });

    it('sets the roles that it brings, and merges the data', async () => {
      const app = await start({ controllers });
      const token = await signIn(app, { userId: 'ana', roles: ['customer'], data: { a: 1, b: 1 } });
      const principal = { userId: 'ana', roles: [], data: { b: 2 } };
      const answer = await app.http.post('/login').set(bearer(token)).send(principal).expect(201);
      const { session } = await app.sessions.validate(answer.body.token as string);
      expect(session).toMatchObject({ roles: [], data: { a: 1, b: 2 } });
    });

    it('fulfils @RequireRecentAuth and @RequireLevel', async () => {
      const clock = new TestClock();
      const app = await start({ controllers, options: { clock: clock.now } });
      const token = await signIn(app);
      clock.advance('10m');
      for (const path of ['/recent', '/level2']) await app.http.get(path).set(bearer(token)).expect(401);
      const { body } = await app.http.post('/step-up').set(bearer(token)).send({ userId: 'ana', level: 2 });
      for (const path of ['/recent', '/level2']) {
        await app.http
          .get(path)
          .set(bearer(body.token as string))
          .expect(200);
      }
    });

    it.each(['/login', '/web/login'])('answers by the transport that the request used (%s)', async (path) => {
      const app = await start({ controllers });
      const token = await signIn(app);
      const byBearer = await app.http.post(path).set(bearer(token)).send({ userId: 'ana' }).expect(201);
      expect([byBearer.body.token, cookiesIn(byBearer)]).toEqual([expect.stringMatching(TOKEN), []]);
      const cookie = await signInByCookie(app);
      const byCookie = await app.http.post(path).set('Cookie', cookie).send({ userId: 'ana' }).expect(201);
      expect(byCookie.body.token).toBeUndefined();
      expect(cookieIn(byCookie)).not.toBe(cookie);
      await app.http.get('/me').set('Cookie', cookieIn(byCookie)).expect(200);
    });

    it('is not delivered by cookie to a request whose cookie is dead', async () => {
      const app = await start({ controllers });
      const answer = await app.http.post('/login').set('Cookie', 'sid=garbage').send({ userId: 'ana' });
      expect([answer.status, cookiesIn(answer), typeof answer.body.token]).toEqual([201, [], 'string']);
    });

    it('needs the session that a requirement beside it demands', async () => {
      const app = await start({ controllers });
      const none = await app.http.post('/step-up').send({ userId: 'ana' });
      expect([none.status, none.body.code]).toEqual([401, 'session_required']);
      const { token } = await app.sessions.createAnonymous();
      await app.http.post('/step-up').set(bearer(token)).send({ userId: 'ana' }).expect(401);
      const garbage = await app.http.post('/step-up').set(bearer('garbage')).send({ userId: 'ana' });
      expect([garbage.status, garbage.body.code]).toEqual([401, 'session_invalid']);
    });

    it.each(BOTH_OPEN)('clicked twice, one after the other, never ends the session (%s)', async (path) => {
      const app = await start({ controllers });
      const token = await signIn(app);
      const first = await app.http.post(path).set(bearer(token)).send({ userId: 'ana' }).expect(201);
      const second = await app.http.post(path).set(bearer(token)).send({ userId: 'ana' });
      expect(second.status).toBe(path === '/login' ? 201 : 401);
      await idOf(app, first.body.token as string);
      expect(app.events.map(({ type }) => type)).not.toContain('reuse-detected');
    });

    it.each(BOTH_OPEN)('clicked ten times at once never ends the session (%s)', async (path) => {
      const app = await start({ controllers });
      const token = await signIn(app);
      const id = await idOf(app, token);
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => app.http.post(path).set(bearer(token)).send({ userId: 'ana' })),
      );
      const won = answers.filter(({ status }) => status === 201);
      expect(won).toHaveLength(path === '/login' ? 10 : 1);
      const ids = await Promise.all(won.map(({ body }) => idOf(app, body.token as string)));
      expect(ids.filter((other) => other === id)).toHaveLength(1);
      await app.http.get('/me').set(bearer(token)).expect(401);
      expect(app.events.map(({ type }) => type)).not.toContain('reuse-detected');
    });

    it('wins against a sign-out at the same time, or loses, but never brings the session back', async () => {
      const app = await start({ controllers });
      for (let round = 0; round < 10; round++) {
        const token = await signIn(app);
        const id = await idOf(app, token);
        await Promise.all([
          app.http.post('/step-up').set(bearer(token)).send({ userId: 'ana' }),
          app.http.post('/logout').set(bearer(token)).expect(200),
        ]);
        expect(await app.sessions.get(id)).toBeNull();
      }
    });
  });

  describe('the sign-in of another user on a session', () => {
    it('ends the old one and makes a fresh one, without its data, roles or level', async () => {
      const app = await start({ controllers });
      const token = await signIn(app, { userId: 'ana', roles: ['admin'], level: 3, data: { private: 1 } });
      const old = await idOf(app, token);
      const answer = await app.http.post('/login').set(bearer(token)).send({ userId: 'bo' }).expect(201);
      const { session } = await app.sessions.validate(answer.body.token as string);
      expect(session).toMatchObject({ userId: 'bo', roles: [], level: 1, data: {} });
      expect(session?.id).not.toBe(old);
      expect(await app.sessions.get(old)).toBeNull();
      expect(await app.sessions.validate(token)).toEqual({ session: null, reason: 'unknown' });
      expect(app.events).toContainEqual(
        expect.objectContaining({ type: 'revoked', reason: 'replaced', sessionId: old, userId: 'ana' }),
      );
    });

    it.each(['evict-oldest', 'reject'] as const)('is one more of the other user’s (%s)', async (mode) => {
      const app = await start({ controllers, options: { maxSessionsPerUser: 1, onSessionLimit: mode } });
      await signIn(app, { userId: 'bo' });
      const token = await signIn(app);
      const id = await idOf(app, token);
      const answer = await app.http.post('/login').set(bearer(token)).send({ userId: 'bo' });
      const isRefused = mode === 'reject';
      expect(answer.status).toBe(isRefused ? 409 : 201);
      expect(await app.sessions.list('bo')).toHaveLength(1);
      expect((await app.sessions.get(id)) !== null).toBe(isRefused);
      if (isRefused) expect(await idOf(app, token)).toBe(id);
      const ended = app.events.flatMap((event) => (event.type === 'revoked' ? [event.reason] : []));
      expect(ended).toEqual(isRefused ? [] : ['limit', 'replaced']);
    });

    it.each(['insert', 'deleteExpected'] as const)(
      'leaves the old one as it was, and nothing beside it, where the store fails to %s',
      async (step) => {
        const app = await start({ controllers, options: { store: InMemorySessionStore } });
        const token = await signIn(app);
        const id = await idOf(app, token);
        const failing = jest.spyOn(InMemorySessionStore.prototype, step);
        failing.mockRejectedValueOnce(new Error('connect ECONNREFUSED') as never);
        const answer = await app.http.post('/login').set(bearer(token)).send({ userId: 'bo' });
        failing.mockRestore();
        expect(answer.status).toBe(503);
        expect(await idOf(app, token)).toBe(id);
        expect(await app.sessions.list('bo')).toEqual([]);
        const told = app.events.map(({ type }) => type).filter((type) => type !== 'refused');
        expect(told).toEqual(['created']);
      },
    );

    it('of two others at the same time ends it once, and leaves no session that nobody has', async () => {
      const app = await start({ controllers });
      for (let round = 0; round < 10; round++) {
        const token = await signIn(app);
        const id = await idOf(app, token);
        const answers = await Promise.all(
          ['bo', 'cy'].map((userId) => app.http.post('/step-up').set(bearer(token)).send({ userId })),
        );
        const won = answers.filter(({ status }) => status === 201);
        expect([won.length, await app.sessions.get(id), await countRows(app)]).toEqual([1, null, 1]);
        await app.sessions.revokeEveryone();
      }
      const replaced = app.events.filter((event) => event.type === 'revoked' && event.reason === 'replaced');
      expect(replaced).toHaveLength(10);
      expect(app.events.filter(({ type }) => type === 'created')).toHaveLength(20);
    });

    it('leaves no session that nobody has where another node has ended the old one meanwhile', async () => {
      const app = await start({ controllers });
      const token = await signIn(app);
      const store = app.app.get(SessionStore, { strict: false });
      const { deleteExpected } = store;
      store.deleteExpected = async (...args) => {
        store.deleteExpected = deleteExpected;
        await app.dataSource.query(`DELETE FROM sessions WHERE id = '${args[0]}'`);
        return store.deleteExpected(...args);
      };
      const { status } = await app.http.post('/step-up').set(bearer(token)).send({ userId: 'bo' });
      expect([status, await countRows(app)]).toEqual([401, 0]);
    });

    it('compares user ids exactly', async () => {
      const app = await start({ controllers });
      const token = await signIn(app, { userId: 'ana', data: { private: 1 } });
      const answer = await app.http.post('/login').set(bearer(token)).send({ userId: 'Ana' }).expect(201);
      expect((await app.sessions.validate(answer.body.token as string)).session?.data).toEqual({});
    });
  });

  it('a step-up in the place of another sign-in does not count against the limit', async () => {
    const options = { maxSessionsPerUser: 1, onSessionLimit: 'reject' } as const;
    const app = await start({ controllers, options });
    const token = await signIn(app);
    await app.http.post('/login').set(bearer(token)).send({ userId: 'ana' }).expect(201);
    await app.http.post('/login').send({ userId: 'ana' }).expect(409);
  });
});
