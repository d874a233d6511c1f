import { Controller, Post } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { type ActiveSession, CurrentSession, EndSession, SessionService } from 'nestjs-sessions';
import { TestClock } from 'nestjs-sessions/testing';
import { PLATFORMS } from '../support/platforms.js';
import { AccountController, bearer, cookiesIn, signIn, signInByCookie } from '../support/sign-in.js';
import { appsOn, countRows } from '../support/test-app.js';

@Controller()
class SignOutController {
  constructor(private readonly sessions: SessionService) {}

  @EndSession() @Post('tell') async tell(@CurrentSession() session: ActiveSession | null) {
    return { was: session?.userId ?? null, is: session && (await this.sessions.get(session.id)) };
  }
  @EndSession() @Post('break') break(): void {
    throw new Error('of the application');
  }
}

const controllers = [AccountController, SignOutController];

describe.each(PLATFORMS)('on %s sign-out', (platform) => {
  const start = appsOn(platform);

  it('deletes the row, so that the token is worth nothing', async () => {
    const app = await start({ controllers });
    const token = await signIn(app);
    await app.http.post('/logout').set(bearer(token)).expect(200, 'bye');
    expect(await countRows(app)).toBe(0);
    const after = await app.http.get('/me').set(bearer(token));
    expect([after.status, after.body.code]).toEqual([401, 'session_invalid']);
  });

  it('ends this session only', async () => {
    const app = await start({ controllers });
    const [token, phone, other] = [await signIn(app), await signIn(app), await signIn(app, { userId: 'bo' })];
    await app.http.post('/logout').set(bearer(token)).expect(200);
    for (const left of [phone, other]) await app.http.get('/me').set(bearer(left)).expect(200);
  });

  it('is idempotent', async () => {
    const app = await start({ controllers });
    const token = await signIn(app);
    for (let count = 0; count < 3; count++) {
      await app.http.post('/logout').set(bearer(token)).expect(200, 'bye');
    }
    expect(app.events.filter(({ type }) => type === 'revoked')).toHaveLength(1);
  });

  it('of one session ten times at once succeeds ten times and is told once', async () => {
    const app = await start({ controllers });
    const token = await signIn(app);
    await Promise.all(
      Array.from({ length: 10 }, () => app.http.post('/logout').set(bearer(token)).expect(200)),
    );
    expect(app.events.filter(({ type }) => type === 'revoked')).toHaveLength(1);
  });

  it('succeeds without a token, and with one that is unknown, malformed or anonymous', async () => {
    const app = await start({ controllers });
    const unknown = await signIn(await start({ controllers }));
    const { token: anonymous } = await app.sessions.createAnonymous();
    await app.http.post('/logout').expect(200);
    for (const token of [unknown, 'garbage', '', anonymous]) {
      await app.http.post('/logout').set(bearer(token)).expect(200, 'bye');
    }
    await app.http.post('/web/logout').set('Cookie', 'sid=garbage').expect(200, 'bye');
    expect(await countRows(app)).toBe(0);
  });

  it('with an expired token deletes the row, and is no event of a sign-out', async () => {
    const clock = new TestClock();
    const app = await start({ controllers, options: { clock: clock.now } });
    const token = await signIn(app);
    clock.advance('1h');
    await app.http.post('/logout').set(bearer(token)).expect(200);
    expect(await countRows(app)).toBe(0);
    expect(app.events.filter(({ type }) => type === 'revoked')).toEqual([]);
  });

  it('with a token that was rotated away still ends the session: whoever signs out means it', async () => {
    const clock = new TestClock();
    const app = await start({ controllers, options: { clock: clock.now } });
    for (const wait of ['1s', '20m'] as const) {
      const { token, session } = await app.sessions.create({ userId: 'ana' });
      const rotated = await app.sessions.rotate(session.id);
      await app.http.get('/me').set(bearer(rotated.token)).expect(200);
      clock.advance(wait);
      await app.http.post('/logout').set(bearer(token)).expect(200);
      await app.http.get('/me').set(bearer(rotated.token)).expect(401);
      expect(await countRows(app)).toBe(0);
    }
    expect(app.events.map(({ type }) => type)).not.toContain('reuse-detected');
  });

  it('with a token from before several step-ups ends the session too', async () => {
    const app = await start({ controllers });
    const first = await signIn(app);
    let newest = first;
    for (let count = 0; count < 3; count++) {
      newest = (await app.http.post('/login').set(bearer(newest)).send({ userId: 'ana' })).body
        .token as string;
    }
    await app.http.post('/logout').set(bearer(first)).expect(200);
    await app.http.get('/me').set(bearer(newest)).expect(401);
  });

  it('comes before the handler, which is told who it was', async () => {
    const app = await start({ controllers });
    const token = await signIn(app);
    const answer = await app.http.post('/tell').set(bearer(token)).expect(201);
    expect(answer.body).toEqual({ was: 'ana', is: null });
    expect((await app.http.post('/tell')).body).toEqual({ was: null, is: null });
  });

  it('stands although the handler breaks', async () => {
    const app = await start({ controllers });
    const token = await signIn(app);
    await app.http.post('/break').set(bearer(token)).expect(500);
    await app.http.get('/me').set(bearer(token)).expect(401);
  });

  it('by cookie clears the cookie with all its attributes, and what the browser keeps of the site', async () => {
    const app = await start({ controllers });
    const cookie = await signInByCookie(app);
    for (const path of ['/logout', '/web/logout']) {
      const answer = await app.http.post(path).set('Cookie', cookie).expect(200);
      expect(cookiesIn(answer)).toEqual(['sid=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax']);
      expect(answer.headers['clear-site-data']).toBe('"cache", "storage"');
    }
    await app.http.get('/me').set('Cookie', cookie).expect(401);
  });

  it('of a cookie client clears the cookie also where none came', async () => {
    const app = await start({ controllers });
    const answer = await app.http.post('/web/logout').expect(200);
    expect(cookiesIn(answer)).toHaveLength(1);
    expect(answer.headers['clear-site-data']).toBe('"cache", "storage"');
  });

  it.each(['/logout', '/web/logout'])('by bearer clears nothing in a browser (%s)', async (path) => {
    const app = await start({ controllers });
    const answer = await app.http
      .post(path)
      .set(bearer(await signIn(app)))
      .expect(200);
    expect([cookiesIn(answer), answer.headers['clear-site-data']]).toEqual([[], undefined]);
  });

  it.each([
    [['storage'], '"storage"'],
    [['cache', 'executionContexts'], '"cache", "executionContexts"'],
    [[], undefined],
    [false, undefined],
  ] as const)('sends Clear-Site-Data as the option says: %j', async (clearSiteData, expected) => {
    const app = await start({ controllers, options: { cookie: { clearSiteData } } });
    const cookie = await signInByCookie(app);
    const answer = await app.http.post('/logout').set('Cookie', cookie).expect(200);
    expect(answer.headers['clear-site-data']).toBe(expected);
    expect(cookiesIn(answer)).toHaveLength(1);
  });
});
