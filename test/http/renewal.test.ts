import { Controller, ForbiddenException, Get, Header, NotFoundException, Res } from '@nestjs/common';
import { describe, expect, it, jest } from '@jest/globals';
import type { SessionModuleOptions } from 'nestjs-sessions';
import { TestClock } from 'nestjs-sessions/testing';
import type { Response } from 'supertest';
import { PLATFORMS } from '../support/platforms.js';
import {
  AccountController,
  bearer,
  cookieIn,
  cookiesIn,
  signIn,
  signInByCookie,
} from '../support/sign-in.js';
import { appsOn, breakStore, type TestApp } from '../support/test-app.js';

@Controller()
class AnsweringController {
  @Get('403') forbidden(): never {
    throw new ForbiddenException();
  }
  @Get('404') missing(): never {
    throw new NotFoundException();
  }
  @Get('500') broken(): never {
    throw new Error('of the application');
  }
  @Header('Cache-Control', 'public, max-age=3600') @Get('cached') cached(): string {
    return 'cached';
  }
  @Get('own-cookie') ownCookie(
    @Res({ passthrough: true }) response: { header: (...pair: string[]) => void },
  ) {
    response.header('Set-Cookie', 'theme=dark');
    return 'own cookie';
  }
  /** As if it had taken six seconds. */
  @Get('slow') slow(): string {
    const now = Date.now();
    jest.spyOn(Date, 'now').mockImplementation(() => now + 6_000);
    return 'slow';
  }
  @Get('taken-over') takenOver(@Res() response: { send: (body: string) => void }): void {
    response.send('taken over');
  }
}

const controllers = [AccountController, AnsweringController];
const TOKEN = /^sid_[A-Za-z0-9_-]{70}$/;

function renewedIn({ headers }: Response): string | undefined {
  return headers['session-token'];
}

describe.each(PLATFORMS)('on %s', (platform) => {
  const startApp = appsOn(platform);

  /** Renewal after 4 h, grace 30 s; idle and absolute are out of the way. */
  async function start(options: SessionModuleOptions = {}) {
    const clock = new TestClock();
    const timeouts = { idle: '10d', absolute: '30d', renewal: '4h', reason: 'a test' } as const;
    const app = await startApp({ controllers, options: { clock: clock.now, timeouts, ...options } });
    const get = (token: string, path = '/me') => app.http.get(path).set(bearer(token));
    return { app, clock, get };
  }
  const typesOf = ({ events }: TestApp) => events.map(({ type }) => type);

  describe('a token that is due', () => {
    it('is renewed by the header Session-Token, in an answer that is not cached', async () => {
      const { app, clock, get } = await start();
      const token = await signIn(app);
      clock.advance('4h');
      clock.set(clock.now() - 1);
      expect(renewedIn(await get(token).expect(200))).toBeUndefined();
      clock.advance(1);
      const answer = await get(token).expect(200);
      expect(renewedIn(answer)).toMatch(TOKEN);
      expect(answer.headers['cache-control']).toBe('no-store');
      expect(cookiesIn(answer)).toEqual([]);
      const after = await get(String(renewedIn(answer))).expect(200);
      expect(after.body.id).toBe(answer.body.id);
      expect(typesOf(app).filter((type) => type === 'renewed')).toHaveLength(1);
    });

    it('is renewed by cookie where it came by cookie, with the same attributes', async () => {
      const { app, clock } = await start();
      const cookie = await signInByCookie(app);
      clock.advance('4h');
      const answer = await app.http.get('/me').set('Cookie', cookie).expect(200);
      expect(cookiesIn(answer)).toEqual([
        expect.stringMatching(/^sid=sid_.{70}; Path=\/; HttpOnly; SameSite=Lax$/),
      ]);
      expect(cookieIn(answer)).not.toBe(cookie);
      expect(answer.headers['cache-control']).toBe('no-store');
      expect(renewedIn(answer)).toBeUndefined();
      await app.http.get('/me').set('Cookie', cookieIn(answer)).expect(200);
    });

    it.each([
      ['/403', 403],
      ['/404', 404],
      ['/500', 500],
      ['/admin', 403],
      ['/level2', 401],
      ['/cached', 200],
      ['/taken-over', 200],
    ])('is renewed by the answer to %s (%i) too, which is not cached', async (path, status) => {
      const { app, clock, get } = await start();
      const [token, cookie] = [await signIn(app), await signInByCookie(app)];
      clock.advance('4h');
      const answer = await get(token, path).expect(status);
      expect(renewedIn(answer)).toMatch(TOKEN);
      expect(answer.headers['cache-control']).toBe('no-store');
      const byCookie = await app.http.get(path).set('Cookie', cookie).expect(status);
      expect(cookieIn(byCookie)).toMatch(/^sid=sid_/);
      expect(byCookie.headers['cache-control']).toBe('no-store');
    });

    it('is renewed beside cookies of the application', async () => {
      const { app, clock } = await start();
      const cookie = await signInByCookie(app);
      clock.advance('4h');
      const answer = await app.http.get('/own-cookie').set('Cookie', cookie).expect(200);
      expect(cookiesIn(answer)).toEqual(['theme=dark', expect.stringMatching(/^sid=sid_/)]);
    });

    it('is not renewed by sign-in, sign-out and public routes', async () => {
      const { app, clock } = await start();
      const token = await signIn(app);
      clock.advance('4h');
      const open = await app.http.get('/open').set(bearer(token)).expect(200);
      const stepUp = await app.http.post('/login').set(bearer(token)).send({ userId: 'ana' }).expect(201);
      clock.advance('4h');
      const signOut = await app.http
        .post('/logout')
        .set(bearer(stepUp.body.token as string))
        .expect(200);
      expect([open, stepUp, signOut].map(renewedIn)).toEqual([undefined, undefined, undefined]);
      expect(typesOf(app)).not.toContain('renewed');
    });

    it('that the client does not exchange goes on working until a timeout ends the session', async () => {
      const { app, clock, get } = await start();
      const token = await signIn(app);
      for (let count = 0; count < 10; count++) {
        clock.advance('8h');
        await get(token).expect(200);
      }
      expect(typesOf(app).filter((type) => type === 'renewed')).toHaveLength(1);
    });

    it('is not renewed when the write fails; the request goes on with it', async () => {
      const { app, clock, get } = await start({ touchEvery: '1d' });
      const token = await signIn(app);
      await get(token).expect(200); // confirmed: from here on a request only reads
      clock.advance('4h');
      const { createQueryRunner } = app.dataSource;
      let reads = 0;
      app.dataSource.createQueryRunner = (mode) => {
        if (reads++ > 0) throw new Error('read-only');
        return createQueryRunner.call(app.dataSource, mode);
      };
      const answer = await get(token);
      app.dataSource.createQueryRunner = createQueryRunner;
      expect([answer.status, renewedIn(answer)]).toEqual([200, undefined]);
      expect(renewedIn(await get(token).expect(200))).toMatch(TOKEN);
    });
  });

  describe('after a renewal', () => {
    it('the same successor is handed out again until it is first shown: an answer can get lost', async () => {
      const { app, clock, get } = await start();
      const token = await signIn(app);
      clock.advance('4h');
      const successor = renewedIn(await get(token));
      for (const time of ['0s', '1s', '10m', '5h'] as const) {
        clock.advance(time);
        expect(renewedIn(await get(token).expect(200))).toBe(successor);
      }
      await get(String(successor)).expect(200);
      expect(renewedIn(await get(token).expect(200))).toBeUndefined();
    });

    it('requests in flight with the old token work until `grace` after the new one was first shown', async () => {
      const { app, clock, get } = await start();
      const token = await signIn(app);
      clock.advance('4h');
      const successor = String(renewedIn(await get(token)));
      clock.advance('1h');
      await get(token).expect(200);
      await get(successor).expect(200);
      clock.advance('30s');
      clock.set(clock.now() - 1);
      await get(token).expect(200);
      expect(typesOf(app)).not.toContain('reuse-detected');
    });

    it('the old token is reuse from then on: it ends the session, and is told', async () => {
      const { app, clock, get } = await start();
      const token = await signIn(app);
      clock.advance('4h');
      const successor = String(renewedIn(await get(token)));
      await get(successor).expect(200);
      clock.advance('30s');
      const { id } = (await get(successor).expect(200)).body;
      const old = await get(token);
      expect([old.status, old.body.code]).toEqual([401, 'session_invalid']);
      expect(
        app.events.filter(({ sessionId, type }) => sessionId === id && type !== 'refused').slice(-2),
      ).toEqual([
        expect.objectContaining({ type: 'reuse-detected', userId: 'ana' }),
        expect.objectContaining({ type: 'revoked', reason: 'reuse', userId: 'ana' }),
      ]);
      expect((await get(successor)).body.code).toBe('session_invalid');
      expect(await app.sessions.get(id as string)).toBeNull();
    });

    it('`onReuse: report` tells, and leaves the session', async () => {
      const { app, clock, get } = await start({ onReuse: 'report' });
      const token = await signIn(app);
      clock.advance('4h');
      const successor = String(renewedIn(await get(token)));
      await get(successor).expect(200);
      clock.advance('31s');
      await get(token).expect(401);
      expect(typesOf(app)).toContain('reuse-detected');
      expect(typesOf(app)).not.toContain('revoked');
      await get(successor).expect(200);
    });

    it('a token from before the last but one renewal is a plain 401 while things settle, later reuse', async () => {
      const { app, clock, get } = await start();
      const first = await signIn(app);
      clock.advance('4h');
      const second = String(renewedIn(await get(first)));
      await get(second).expect(200);
      clock.advance('4h');
      const third = String(renewedIn(await get(second)));
      clock.advance('1h'); // the third is not confirmed yet
      await get(first).expect(401);
      await get(third).expect(200);
      clock.advance('29s');
      await get(first).expect(401);
      expect(typesOf(app)).not.toContain('reuse-detected');
      await get(third).expect(200);
      clock.advance('1s');
      await get(first).expect(401);
      expect(typesOf(app)).toContain('reuse-detected');
      await get(third).expect(401);
    });

    it('the next one waits until the last has settled', async () => {
      const { app, clock, get } = await start({
        timeouts: { idle: '1h', absolute: '10h', renewal: '10s', reason: 'a test' },
        grace: '30s',
      });
      const token = await signIn(app);
      clock.advance('10s');
      const second = String(renewedIn(await get(token)));
      await get(second).expect(200);
      clock.advance('29s');
      expect(renewedIn(await get(second).expect(200))).toBeUndefined();
      clock.advance('1s');
      expect(renewedIn(await get(second).expect(200))).toMatch(TOKEN);
    });

    it('a rotation makes both tokens dead', async () => {
      const { app, clock, get } = await start();
      const token = await signIn(app);
      clock.advance('4h');
      const answer = await get(token);
      const rotated = await app.sessions.rotate(answer.body.id as string);
      await get(token).expect(401);
      await get(String(renewedIn(answer))).expect(401);
      await get(rotated.token).expect(200);
    });

    it.each([true, false])(
      'sign-out ends the session by the old token too (new one shown: %p)',
      async (isShown) => {
        const { app, clock, get } = await start();
        const token = await signIn(app);
        clock.advance('4h');
        const successor = String(renewedIn(await get(token)));
        if (isShown) await get(successor).expect(200);
        await app.http.post('/logout').set(bearer(token)).expect(200);
        await get(successor).expect(401);
      },
    );

    it.each([true, false])(
      'a step-up with the old token works while it does (new one shown: %p)',
      async (isShown) => {
        const { app, clock, get } = await start();
        const token = await signIn(app);
        clock.advance('4h');
        const answer = await get(token);
        const successor = String(renewedIn(answer));
        if (isShown) await get(successor).expect(200);
        const stepUp = await app.http.post('/login').set(bearer(token)).send({ userId: 'ana' }).expect(201);
        expect(stepUp.body.session.id).toBe(answer.body.id);
        await get(stepUp.body.token as string).expect(200);
        for (const dead of [token, successor]) await get(dead).expect(401);
        await get(stepUp.body.token as string).expect(200);
      },
    );
  });

  describe('a token that nobody has shown before it was replaced', () => {
    it('is no sign of theft, however late its answer overwrites the newest one', async () => {
      const { app, clock, get } = await start();
      const token = await signIn(app);
      clock.advance('4h');
      const late = String(renewedIn(await get(token)));
      const { body } = await app.http.post('/login').set(bearer(token)).send({ userId: 'ana' }).expect(201);
      await get(body.token as string).expect(200);
      for (const time of ['31s', '1h', '20h'] as const) {
        clock.advance(time);
        await get(late).expect(401);
      }
      expect(typesOf(app)).not.toContain('reuse-detected');
      await get(body.token as string).expect(200);
    });

    it('is none where several follow each other, and after the next renewal', async () => {
      const { app, clock, get } = await start();
      const token = await signIn(app);
      const { id } = (await get(token)).body as { id: string };
      const unshown: string[] = [];
      for (let count = 0; count < 8; count++) unshown.push((await app.sessions.rotate(id)).token);
      const newest = (await app.sessions.authenticate(id, { userId: 'ana' })).token;
      await get(newest).expect(200);
      clock.advance('4h');
      const renewed = String(renewedIn(await get(newest)));
      await get(renewed).expect(200);
      clock.advance('1m');
      for (const late of unshown) await get(late).expect(401);
      expect(typesOf(app)).not.toContain('reuse-detected');
      await get(renewed).expect(200);
    });

    it('a token that was shown stays a sign of theft beside it', async () => {
      const { app, clock, get } = await start();
      const token = await signIn(app);
      const { id } = (await get(token)).body as { id: string };
      await app.sessions.rotate(id);
      const newest = (await app.sessions.rotate(id)).token;
      await get(newest).expect(200);
      clock.advance('31s');
      await get(token).expect(401);
      expect(typesOf(app)).toContain('reuse-detected');
      await get(newest).expect(401);
    });

    it('a token is taken for shown by the step-up that it is shown to', async () => {
      const { app, clock, get } = await start();
      const token = await signIn(app);
      const { body } = await app.http.post('/login').set(bearer(token)).send({ userId: 'ana' }).expect(201);
      await get(body.token as string).expect(200);
      clock.advance('31s');
      await get(token).expect(401);
      expect(typesOf(app)).toContain('reuse-detected');
    });
  });

  describe('a client that ignores its renewal', () => {
    const ignored = ({ events }: TestApp) => events.filter(({ type }) => type === 'renewal-ignored');

    it('is told of, once, when it was handed the new token twice after `grace`', async () => {
      const { app, clock, get } = await start();
      const token = await signIn(app);
      clock.advance('4h');
      await get(token);
      clock.advance('29s'); // in flight
      await get(token);
      expect(ignored(app)).toEqual([]);
      clock.advance('1h'); // the answer was lost
      await Promise.all([get(token), get(token), get(token)]);
      clock.advance('29s');
      await get(token);
      expect(ignored(app)).toEqual([]);
      clock.advance('1s');
      await Promise.all([get(token), get(token), get(token)]);
      for (let count = 0; count < 5; count++) {
        clock.advance('1h');
        await get(token).expect(200);
      }
      expect(ignored(app)).toEqual([expect.objectContaining({ userId: 'ana' })]);
    });

    it('is told of again when it ignores the next one', async () => {
      const { app, clock, get } = await start();
      let token = await signIn(app);
      for (let round = 1; round <= 2; round++) {
        clock.advance('5h');
        const successor = String(renewedIn(await get(token)));
        for (let count = 0; count < 3; count++) {
          clock.advance('31s');
          await get(token).expect(200);
        }
        expect(ignored(app)).toHaveLength(round);
        await get((token = successor)).expect(200);
      }
    });

    it('harms nobody where it cannot be noted', async () => {
      const { app, clock, get } = await start({ touchEvery: '1d' });
      const token = await signIn(app);
      clock.advance('4h');
      const successor = renewedIn(await get(token));
      clock.advance('31s');
      const { createQueryRunner } = app.dataSource;
      let reads = 0;
      app.dataSource.createQueryRunner = (mode) => {
        if (reads++ > 0) throw new Error('read-only');
        return createQueryRunner.call(app.dataSource, mode);
      };
      const answer = await get(token);
      app.dataSource.createQueryRunner = createQueryRunner;
      expect([answer.status, renewedIn(answer)]).toEqual([200, successor]);
    });
  });

  it('an answer that takes long does not bring a token that may be an old one by then', async () => {
    const { app, clock, get } = await start();
    const [token, cookie] = [await signIn(app), await signInByCookie(app)];
    clock.advance('5h');
    const answers = [await get(token, '/slow')];
    jest.restoreAllMocks();
    answers.push(await app.http.get('/slow').set('Cookie', cookie));
    jest.restoreAllMocks();
    for (const answer of answers) {
      expect([answer.text, renewedIn(answer), cookiesIn(answer)]).toEqual(['slow', undefined, []]);
    }
    expect(renewedIn(await get(token))).toMatch(TOKEN);
  });

  it('a hundred parallel requests are all let in and get the same successor', async () => {
    const { app, clock, get } = await start();
    const token = await signIn(app);
    await get(token).expect(200);
    clock.advance('4h');
    const answers = await Promise.all(Array.from({ length: 100 }, () => get(token)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const successors = new Set(answers.map(renewedIn));
    expect(successors.size).toBe(1);
    expect(typesOf(app).filter((type) => type === 'renewed')).toHaveLength(1);
    await get(String([...successors][0])).expect(200);
  });

  it('a gained role makes the token due', async () => {
    const { app, clock, get } = await start();
    const token = await signIn(app);
    await get(token).expect(200);
    await app.sessions.setRoles('ana', ['admin']);
    expect(renewedIn(await get(token, '/admin').expect(200))).toMatch(TOKEN);
    clock.advance('1s');
    await app.sessions.setRoles('ana', ['admin']);
    const other = await signIn(app, { userId: 'bo', roles: ['admin'] });
    await get(other).expect(200);
    await app.sessions.setRoles('bo', ['admin']);
    expect(renewedIn(await get(other).expect(200))).toBeUndefined();
  });

  it('an outage is 503 for both tokens, and harms neither', async () => {
    const { app, clock, get } = await start();
    const token = await signIn(app);
    clock.advance('4h');
    const successor = String(renewedIn(await get(token)));
    const restore = breakStore(app);
    for (const shown of [token, successor]) await get(shown).expect(503);
    restore();
    expect(renewedIn(await get(token).expect(200))).toBe(successor);
    await get(successor).expect(200);
  });
});
