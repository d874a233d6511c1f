import { Controller, Get, Post } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import {
  Public,
  RequireLevel,
  RequireRecentAuth,
  RequireRole,
  SessionService,
  type SessionEvent,
  type SessionPrincipal,
} from 'nestjs-sessions';
import { TestClock } from 'nestjs-sessions/testing';
import type { Response } from 'supertest';
import { PLATFORMS } from '../support/platforms.js';
import { AccountController, bearer, cookiesIn, signIn, signInByCookie } from '../support/sign-in.js';
import { appsOn, breakStore, countRows, type TestApp } from '../support/test-app.js';

@Controller()
class StrictController {
  @RequireRole('admin') @RequireLevel(2) @RequireRecentAuth('5m') @Post('strict') strict(): string {
    return 'strict';
  }
  @RequireLevel(3) @RequireRecentAuth('5m') @Get('level3') level3(): string {
    return 'level3';
  }
}

@Controller('by-hand')
class ByHandController {
  constructor(private readonly sessions: SessionService) {}

  @Public() @Post('login') login() {
    return this.sessions.create({ userId: 'ana' });
  }
}

const controllers = [AccountController, StrictController, ByHandController];

/** Status, challenge and code: what clients go by. */
function seen({ status, headers, body }: Response): unknown[] {
  return [status, headers['www-authenticate'], body.code];
}

function expectNestShape({ status, body }: Response, error: string): void {
  expect(body).toEqual({
    statusCode: status,
    message: expect.stringMatching(/^.{5,}$/),
    error,
    code: expect.any(String),
  });
}

const CROSS_SITE = { 'Sec-Fetch-Site': 'cross-site' };
const PLAIN = { Host: 'app.example.com' };

describe.each(PLATFORMS)('on %s', (platform) => {
  const start = appsOn(platform);

  describe('the answer to a request', () => {
    it('without a token is 401 with a bare challenge', async () => {
      const { http } = await start({ controllers });
      const answer = await http.get('/me');
      expect(seen(answer)).toEqual([401, 'Bearer', 'session_required']);
      expectNestShape(answer, 'Unauthorized');
    });

    it('with the token of an anonymous session is 401 with a bare challenge', async () => {
      const { http, sessions } = await start({ controllers });
      const { token } = await sessions.createAnonymous();
      const answer = await http.get('/me').set(bearer(token));
      expect(seen(answer)).toEqual([401, 'Bearer', 'session_required']);
    });

    it('with an unknown, malformed, revoked or rotated token is 401 invalid_token', async () => {
      const app = await start({ controllers });
      const other = await start({ controllers });
      const unknown = await signIn(other);
      const revoked = await signIn(app);
      await app.sessions.revokeAll('ana');
      const rotated = await app.sessions.create({ userId: 'bo' });
      await app.sessions.rotate(rotated.session.id);
      for (const token of [unknown, 'sid_garbage', revoked, rotated.token]) {
        const answer = await app.http.get('/me').set(bearer(token));
        expect(seen(answer)).toEqual([401, 'Bearer error="invalid_token"', 'session_invalid']);
        expectNestShape(answer, 'Unauthorized');
      }
    });

    it('with a reused token is 401 invalid_token', async () => {
      const clock = new TestClock();
      const app = await start({ controllers, options: { clock: clock.now } });
      const first = await app.sessions.create({ userId: 'ana' });
      const { token } = await app.sessions.rotate(first.session.id);
      await app.http.get('/me').set(bearer(token)).expect(200);
      clock.advance('31s');
      const answer = await app.http.get('/me').set(bearer(first.token));
      expect(seen(answer)).toEqual([401, 'Bearer error="invalid_token"', 'session_invalid']);
    });

    it('with an expired token is 401 session_expired', async () => {
      const clock = new TestClock();
      const app = await start({ controllers, options: { clock: clock.now } });
      const token = await signIn(app);
      clock.advance('31m');
      const answer = await app.http.get('/me').set(bearer(token));
      expect(seen(answer)).toEqual([401, 'Bearer error="invalid_token"', 'session_expired']);
      expectNestShape(answer, 'Unauthorized');
    });

    it('without the role is 403 insufficient_scope', async () => {
      const app = await start({ controllers });
      const answer = await app.http.get('/admin').set(bearer(await signIn(app)));
      expect(seen(answer)).toEqual([403, 'Bearer error="insufficient_scope"', 'role_required']);
      expectNestShape(answer, 'Forbidden');
    });

    it('of an old sign-in is 401 insufficient_user_authentication with max_age', async () => {
      const clock = new TestClock();
      const app = await start({ controllers, options: { clock: clock.now } });
      const token = await signIn(app);
      clock.advance('5m');
      await app.http.get('/recent').set(bearer(token)).expect(200);
      clock.advance('1s');
      const answer = await app.http.get('/recent').set(bearer(token));
      const challenge = 'Bearer error="insufficient_user_authentication", max_age="300"';
      expect(seen(answer)).toEqual([401, challenge, 'reauthentication_required']);
      expectNestShape(answer, 'Unauthorized');
    });

    it('of a weak sign-in is 401 insufficient_user_authentication with acr_values', async () => {
      const app = await start({ controllers });
      const answer = await app.http.get('/level2').set(bearer(await signIn(app)));
      const challenge = 'Bearer error="insufficient_user_authentication", acr_values="2"';
      expect(seen(answer)).toEqual([401, challenge, 'reauthentication_required']);
    });

    it('of an old and weak sign-in names both at once, so that one step-up is enough', async () => {
      const clock = new TestClock();
      const app = await start({ controllers, options: { clock: clock.now } });
      const token = await signIn(app, { userId: 'ana', level: 2 });
      clock.advance('10m');
      const answer = await app.http.get('/level3').set(bearer(token));
      expect(answer.headers['www-authenticate']).toBe(
        'Bearer error="insufficient_user_authentication", max_age="300", acr_values="3"',
      );
    });

    it('over plain HTTP is 403 https_required, the log names the proxy setting, and nothing is revoked', async () => {
      const app = await start({ controllers });
      const token = await signIn(app);
      const answer = await app.http.get('/me').set(bearer(token)).set(PLAIN);
      expect(seen(answer)).toEqual([403, undefined, 'https_required']);
      expectNestShape(answer, 'Forbidden');
      expect(app.logs.texts('warn').join()).toContain(
        platform === 'express' ? "set('trust proxy'" : 'trustProxy',
      );
      await app.http.get('/me').set(bearer(token)).expect(200);
    });

    it('of a foreign page is 403 cross_origin', async () => {
      const app = await start({ controllers });
      const cookie = await signInByCookie(app);
      const answer = await app.http.post('/act').set('Cookie', cookie).set(CROSS_SITE);
      expect(seen(answer)).toEqual([403, undefined, 'cross_origin']);
      expectNestShape(answer, 'Forbidden');
      await app.http.post('/act').set('Cookie', cookie).expect(200);
    });

    it('that would be one session too many is 409 session_limit', async () => {
      const options = { maxSessionsPerUser: 1, onSessionLimit: 'reject' } as const;
      const app = await start({ controllers, options });
      const token = await signIn(app);
      const answer = await app.http.post('/login').send({ userId: 'ana' });
      expect(seen(answer)).toEqual([409, undefined, 'session_limit']);
      expectNestShape(answer, 'Conflict');
      await app.http.get('/me').set(bearer(token)).expect(200);
    });
  });

  describe('checks come in this order:', () => {
    const body = { userId: 'ana', roles: ['admin'], level: 2 } as const;
    let clock: TestClock;

    async function begin(principal: SessionPrincipal) {
      clock = new TestClock();
      const app = await start({ controllers, options: { clock: clock.now } });
      return { app, cookie: await signInByCookie(app, principal) };
    }
    const codeOf = async ({ http }: TestApp, cookie: string, headers: Record<string, string> = {}) =>
      (await http.post('/strict').set('Cookie', cookie).set(headers)).body.code as string;

    it('HTTPS before cross-origin', async () => {
      const { app } = await begin(body);
      expect(await codeOf(app, '__Host-sid=x', { ...PLAIN, ...CROSS_SITE })).toBe('https_required');
    });

    it('cross-origin before the token', async () => {
      const { app } = await begin(body);
      expect(await codeOf(app, 'sid=garbage', CROSS_SITE)).toBe('cross_origin');
    });

    it('the token before the role', async () => {
      const { app } = await begin({ userId: 'ana' });
      expect(await codeOf(app, 'sid=garbage')).toBe('session_invalid');
    });

    it('the role before level and recency', async () => {
      const { app, cookie } = await begin({ userId: 'ana' });
      clock.advance('10m');
      expect(await codeOf(app, cookie)).toBe('role_required');
    });

    it('level and recency at the end', async () => {
      const { app, cookie } = await begin({ ...body, level: 1 });
      expect(await codeOf(app, cookie)).toBe('reauthentication_required');
    });

    it('and who passes them all is let in', async () => {
      const { app, cookie } = await begin(body);
      await app.http.post('/strict').set('Cookie', cookie).expect(201);
    });
  });

  describe('when the store is down', () => {
    function expectUnavailable(answer: Response): void {
      expect(seen(answer)).toEqual([503, undefined, 'session_store_unavailable']);
      expectNestShape(answer, 'Service Unavailable');
      expect(answer.headers['retry-after']).toMatch(/^[1-5]$/);
      expect(cookiesIn(answer)).toEqual([]);
    }

    it('a protected route answers 503 with Retry-After, by bearer and by cookie', async () => {
      const app = await start({ controllers });
      const [token, cookie] = [await signIn(app), await signInByCookie(app)];
      breakStore(app);
      expectUnavailable(await app.http.get('/me').set(bearer(token)));
      expectUnavailable(await app.http.get('/me').set('Cookie', cookie));
      expectUnavailable(await app.http.get('/visit').set(bearer(token)));
    });

    it('so does sign-in, with and without a token', async () => {
      const app = await start({ controllers });
      const token = await signIn(app);
      breakStore(app);
      expectUnavailable(await app.http.post('/login').send({ userId: 'ana' }));
      expectUnavailable(await app.http.post('/web/login').send({ userId: 'ana' }));
      expectUnavailable(await app.http.post('/login').set(bearer(token)).send({ userId: 'ana' }));
    });

    it('so does sign-out, and the cookie stays', async () => {
      const app = await start({ controllers });
      const [token, cookie] = [await signIn(app), await signInByCookie(app)];
      const restore = breakStore(app);
      expectUnavailable(await app.http.post('/logout').set(bearer(token)));
      const answer = await app.http.post('/web/logout').set('Cookie', cookie);
      expectUnavailable(answer);
      expect(answer.headers['clear-site-data']).toBeUndefined();
      restore();
      await app.http.get('/me').set(bearer(token)).expect(200);
      await app.http.get('/me').set('Cookie', cookie).expect(200);
    });

    it('so does a destroyed data source', async () => {
      const app = await start({ controllers });
      const token = await signIn(app);
      await app.dataSource.destroy();
      expectUnavailable(await app.http.get('/me').set(bearer(token)));
      expectUnavailable(await app.http.post('/logout').set(bearer(token)));
      expectUnavailable(await app.http.post('/login').send({ userId: 'ana' }));
    });

    it('so does what a handler of the application asks of the service, but for the header', async () => {
      const app = await start({ controllers });
      breakStore(app);
      const answer = await app.http.post('/by-hand/login');
      expect(seen(answer)).toEqual([503, undefined, 'session_store_unavailable']);
      expectNestShape(answer, 'Service Unavailable');
    });

    it('a request without a token is still 401, garbage too, and public routes are open', async () => {
      const app = await start({ controllers });
      breakStore(app);
      expect((await app.http.get('/me')).body.code).toBe('session_required');
      expect((await app.http.get('/me').set(bearer('garbage'))).body.code).toBe('session_invalid');
      await app.http.get('/open').expect(200, 'open');
    });

    it('it is told once, and so is its return, after which the same token works', async () => {
      const app = await start({ controllers });
      const token = await signIn(app);
      const restore = breakStore(app);
      for (let count = 0; count < 3; count++) await app.http.get('/me').set(bearer(token)).expect(503);
      restore();
      await app.http.get('/me').set(bearer(token)).expect(200);
      expect(app.logs.texts('error').filter((text) => text.includes('store is unavailable'))).toHaveLength(1);
      expect(app.logs.texts('log').filter((text) => text.includes('available again'))).toHaveLength(1);
      expect(await countRows(app)).toBe(1);
    });
  });

  it('every refusal is told as an event with its code', async () => {
    const app = await start({ controllers });
    const token = await signIn(app);
    await app.http.get('/me');
    await app.http.get('/me').set(bearer('garbage'));
    await app.http.get('/admin').set(bearer(token));
    await app.http.get('/me').set(PLAIN);
    const isRefusal = (event: SessionEvent) => event.type === 'refused';
    expect(app.events.filter(isRefusal).map((event) => 'code' in event && event.code)).toEqual([
      'session_required',
      'session_invalid',
      'role_required',
      'https_required',
    ]);
  });
});
