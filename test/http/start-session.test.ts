import { Body, Controller, Get, Header, Post, Redirect, Res } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { type SessionPrincipal, StartSession } from 'nestjs-sessions';
import { TestClock } from 'nestjs-sessions/testing';
import { PLATFORMS } from '../support/platforms.js';
import { AccountController, bearer, cookieIn, cookiesIn, signIn } from '../support/sign-in.js';
import { appsOn, countRows, type TestApp } from '../support/test-app.js';

interface AnyResponse {
  setHeader?: (name: string, value: string) => void;
  header?: (name: string, value: string) => void;
}

@Controller()
class SignInController {
  @Header('Cache-Control', 'public, max-age=3600') @StartSession() @Post('cached') cached(
    @Body() body: SessionPrincipal,
  ) {
    return body;
  }
  @StartSession() @Post('cached-by-hand') cachedByHand(
    @Body() body: SessionPrincipal,
    @Res({ passthrough: true }) response: AnyResponse,
  ) {
    (response.header ?? response.setHeader)?.call(response, 'Cache-Control', 'public');
    return body;
  }
  @StartSession({ transport: 'cookie', crossOrigin: true }) @Redirect('/home') @Get('callback') callback() {
    return { userId: 'ana' };
  }
  @StartSession() @Post('slow') async slow(@Body() body: SessionPrincipal) {
    await slowly();
    return body;
  }
  @StartSession({ label: ({ headers }: { headers: Record<string, string> }) => headers['x-device'] })
  @Post('labelled')
  labelled(@Body() body: SessionPrincipal) {
    return body;
  }
}

/** What happens while `slow` checks the credentials. */
let slowly: () => Promise<unknown> = async () => {};

const controllers = [AccountController, SignInController];
const TOKEN = /^sid_[A-Za-z0-9_-]{70}$/;

async function idOf({ http }: TestApp, token: string): Promise<string> {
  return (await http.get('/me').set(bearer(token)).expect(200)).body.id as string;
}

describe.each(PLATFORMS)('on %s', (platform) => {
  const start = appsOn(platform);

  describe('what sign-in answers', () => {
    it('by bearer: token, expiry and the public part of the session, and no cookie', async () => {
      const clock = new TestClock();
      const app = await start({ controllers, options: { clock: clock.now } });
      const principal = { userId: 'ana', roles: ['customer'], level: 2, data: { secretly: 'kept' } };
      const answer = await app.http.post('/login').set('User-Agent', 'app/1').send(principal).expect(201);
      const now = new Date(clock.now()).toISOString();
      const expiresAt = new Date(clock.now() + 30 * 60_000).toISOString();
      expect(answer.body).toEqual({
        token: expect.stringMatching(TOKEN),
        expiresAt,
        session: {
          id: expect.stringMatching(/^[0-9a-f-]{36}$/),
          userId: 'ana',
          roles: ['customer'],
          level: 2,
          createdAt: now,
          authenticatedAt: now,
          lastSeenAt: now,
          expiresAt,
          client: { ip: '127.0.0.1', userAgent: 'app/1', label: null },
        },
      });
      expect(answer.text).not.toContain('secretly');
      expect(cookiesIn(answer)).toEqual([]);
    });

    it('by cookie: the session without token or data, so that no script can read it', async () => {
      const app = await start({ controllers });
      const answer = await app.http.post('/web/login').send({ userId: 'ana', data: { secretly: 'kept' } });
      expect(Object.keys(answer.body as object)).toEqual(['session']);
      expect(answer.body.session.userId).toBe('ana');
      expect(answer.text).not.toMatch(/sid_|secretly|[0-9a-f]{64}/);
      const me = await app.http.get('/me').set('Cookie', cookieIn(answer)).expect(200);
      expect(me.body.id).toBe(answer.body.session.id);
    });

    it('follows the transport of the module where the decorator names none', async () => {
      const app = await start({ controllers, options: { transport: 'cookie' } });
      const answer = await app.http.post('/login').send({ userId: 'ana' }).expect(201);
      expect(answer.body.token).toBeUndefined();
      expect(cookieIn(answer)).toMatch(/^sid=sid_/);
    });

    it.each(['/login', '/web/login', '/cached', '/cached-by-hand'])(
      'goes into no cache, whatever the handler says: %s',
      async (path) => {
        const app = await start({ controllers });
        const answer = await app.http.post(path).send({ userId: 'ana' }).expect(201);
        expect(answer.headers['cache-control']).toBe('no-store');
      },
    );

    it('may be a redirect, as after the callback of an identity provider', async () => {
      const app = await start({ controllers });
      const answer = await app.http.get('/callback').expect(302);
      expect([answer.headers['location'], answer.headers['cache-control']]).toEqual(['/home', 'no-store']);
      await app.http.get('/me').set('Cookie', cookieIn(answer)).expect(200);
    });

    it('by cookie stays by cookie where a bearer token is shown that is no session', async () => {
      const app = await start({ controllers });
      const answer = await app.http
        .post('/web/login')
        .set(bearer('garbage'))
        .send({ userId: 'ana' })
        .expect(201);
      expect(answer.body.token).toBeUndefined();
      expect(cookieIn(answer)).toMatch(/^sid=sid_/);
    });

    it('names the device, if told how', async () => {
      const app = await start({ controllers });
      const answer = await app.http.post('/labelled').set('X-Device', "Ana's phone").send({ userId: 'ana' });
      expect(answer.body.session.client.label).toBe("Ana's phone");
    });

    it.each([
      ['9.9.9.9:1000', '9.9.9.9'],
      ['[2001:db8::1]:443', '2001:db8::1'],
      ['<script>', null],
    ])('the address without what proxies add: %s', async (forwarded, ip) => {
      const app = await start({ controllers, trustProxy: true });
      const headers = { 'X-Forwarded-For': forwarded, 'X-Forwarded-Proto': 'https' };
      await app.http.post('/login').set(headers).send({ userId: 'ana' }).expect(201);
      expect((await app.sessions.list('ana')).map(({ client }) => client.ip)).toEqual([ip]);
    });

    it('does not record ip and user agent where that is switched off', async () => {
      const app = await start({ controllers, options: { recordClient: false } });
      const answer = await app.http.post('/login').send({ userId: 'ana' });
      expect(answer.body.session.client).toEqual({ ip: null, userAgent: null, label: null });
    });

    it('is a fresh token for each sign-in without one, and all of them work', async () => {
      const app = await start({ controllers });
      const tokens = [await signIn(app), await signIn(app), await signIn(app)];
      expect(new Set(tokens.map((token) => token.slice(4, 24))).size).toBe(3);
      expect(new Set(await Promise.all(tokens.map((token) => idOf(app, token)))).size).toBe(3);
    });

    it('is a session also where the token shown is dead or garbage', async () => {
      const app = await start({ controllers });
      const dead = await signIn(app);
      await app.sessions.revokeAll('ana');
      for (const token of [dead, 'garbage']) {
        const answer = await app.http.post('/login').set(bearer(token)).send({ userId: 'ana' }).expect(201);
        await idOf(app, answer.body.token as string);
      }
    });
  });

  describe('on an anonymous session, sign-in', () => {
    it('keeps id and data under a token of a new series; the old one is unknown', async () => {
      const app = await start({ controllers });
      const visit = await app.sessions.createAnonymous({ cart: ['book'] });
      const principal = { userId: 'ana', data: { locale: 'es' } };
      const answer = await app.http.post('/login').set(bearer(visit.token)).send(principal).expect(201);
      const { session } = await app.sessions.validate(answer.body.token as string);
      expect(session).toMatchObject({
        id: visit.session.id,
        userId: 'ana',
        data: { cart: ['book'], locale: 'es' },
      });
      expect((answer.body.token as string).slice(4, 24)).not.toBe(visit.token.slice(4, 24));
      expect(await app.sessions.validate(visit.token)).toEqual({ session: null, reason: 'unknown' });
      expect(await countRows(app)).toBe(1);
    });

    it('makes a planted token worth nothing, by cookie too', async () => {
      const app = await start({ controllers });
      const planted = await app.sessions.createAnonymous();
      const shown = `sid=${planted.token}`;
      const answer = await app.http.post('/web/login').set('Cookie', shown).send({ userId: 'ana' });
      await app.http.get('/me').set('Cookie', cookieIn(answer)).expect(200);
      await app.http.get('/visit').set('Cookie', shown).expect(401);
    });

    it('of two sign-ins at once, each gets a session of its own user', async () => {
      const app = await start({ controllers });
      const { token } = await app.sessions.createAnonymous({ cart: ['book'] });
      const users = ['ana', 'bo', 'cy', 'di'];
      const answers = await Promise.all(
        users.map((userId) => app.http.post('/login').set(bearer(token)).send({ userId })),
      );
      const seen = await Promise.all(
        answers.map(async ({ body }) => (await app.sessions.validate(body.token as string)).session),
      );
      expect(seen.map((session) => session?.userId)).toEqual(users);
      expect(seen.filter((session) => 'cart' in (session?.data ?? {}))).toHaveLength(1);
    });
  });

  describe('a change while the credentials are being checked', () => {
    it.each<[string, (app: TestApp) => Promise<unknown>]>([
      ['revokeAll', (app) => app.sessions.revokeAll('ana')],
      ['setRoles', (app) => app.sessions.setRoles('ana', [])],
      ['revokeEveryone', (app) => app.sessions.revokeEveryone()],
    ])('by %s is not undone by that sign-in: 401', async (_, change) => {
      const app = await start({ controllers });
      slowly = () => change(app);
      const answer = await app.http.post('/slow').send({ userId: 'ana', roles: ['admin'] });
      expect([answer.status, answer.body.code]).toEqual([401, 'session_invalid']);
      expect(await countRows(app)).toBe(0);
      slowly = async () => {};
      await app.http.post('/slow').send({ userId: 'ana' }).expect(201);
    });

    it('nor by a sign-in on an anonymous session, which stays anonymous', async () => {
      const app = await start({ controllers });
      const { token } = await app.sessions.createAnonymous();
      slowly = () => app.sessions.revokeAll('ana');
      await app.http.post('/slow').set(bearer(token)).send({ userId: 'ana' }).expect(401);
      expect((await app.sessions.validate(token)).session?.userId).toBeNull();
      slowly = async () => {};
    });

    it('of another user does not concern it', async () => {
      const app = await start({ controllers });
      slowly = () => app.sessions.revokeAll('bo');
      await app.http.post('/slow').send({ userId: 'ana' }).expect(201);
      slowly = async () => {};
    });

    it('that rotates the token of a step-up makes it a sign-in of its own', async () => {
      const app = await start({ controllers });
      const { session, token } = await app.sessions.create({ userId: 'ana' });
      slowly = () => app.sessions.rotate(session.id);
      const answer = await app.http.post('/slow').set(bearer(token)).send({ userId: 'ana' }).expect(201);
      expect(answer.body.session.id).not.toBe(session.id);
      expect(await app.sessions.get(session.id)).not.toBeNull();
      slowly = async () => {};
    });
  });
});
