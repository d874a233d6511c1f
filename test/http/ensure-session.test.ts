import { BadRequestException, Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import {
  AllowAnonymous,
  type AnonymousSession,
  type ActiveSession,
  CurrentSession,
  EnsureSession,
  OptionalSession,
  SessionDecoratorError,
  SessionGuard,
  type SessionModuleOptions,
  SessionService,
} from 'nestjs-sessions';
import { TestClock } from 'nestjs-sessions/testing';
import type { Response } from 'supertest';
import { TokenFormat } from '../../src/core/token/token.js';
import { fakeContext, fakeExchange } from '../support/fake-context.js';
import { PLATFORMS } from '../support/platforms.js';
import { AccountController, bearer, cookieIn, cookiesIn, signInByCookie } from '../support/sign-in.js';
import { appsOn, breakStore, countRows, type TestApp } from '../support/test-app.js';

@Controller('cart')
class CartController {
  constructor(private readonly sessions: SessionService) {}

  @OptionalSession() @Get() show(@CurrentSession() session: OptionalSession): object {
    return session ? session.data : { items: [] };
  }

  @HttpCode(200)
  @EnsureSession()
  @Post('items')
  add(@CurrentSession('id') id: string, @Body() { item }: { item: string }) {
    return this.sessions.update(id, (data) => ({
      items: [...((data['items'] as string[] | undefined) ?? []), item],
    }));
  }

  @HttpCode(200)
  @EnsureSession({ transport: 'bearer' })
  @Post('app/items')
  addByApp(@CurrentSession() session: ActiveSession | AnonymousSession): object {
    return { id: session.id, userId: session.userId };
  }

  @EnsureSession() @Post('failing') failing(): never {
    throw new BadRequestException();
  }

  @AllowAnonymous() @Get('own') own(@CurrentSession('id') id: string): string {
    return id;
  }
}

const controllers = [AccountController, CartController];
const FOREIGN = { 'Sec-Fetch-Site': 'cross-site' };
const TOKEN = /^sid_[A-Za-z0-9_-]{70}$/;

describe.each(PLATFORMS)('@EnsureSession() on %s', (platform) => {
  const startApp = appsOn(platform);
  const start = (options: SessionModuleOptions = {}) =>
    startApp({ controllers, options: { transport: 'cookie', ...options }, trustProxy: true });
  const add = ({ http }: TestApp, item: string, headers: Record<string, string> = {}) =>
    http.post('/cart/items').set(headers).send({ item });
  const cartOf = async ({ http }: TestApp, cookie: string) =>
    (await http.get('/cart').set('Cookie', cookie).expect(200)).body as object;

  it('makes a session of nobody where something is first kept, and not before', async () => {
    const app = await start();
    for (let visit = 0; visit < 3; visit++) {
      const page = await app.http.get('/cart').expect(200, { items: [] });
      expect(cookiesIn(page)).toEqual([]);
    }
    expect(await countRows(app)).toBe(0);
    const answer = await add(app, 'tea')
      .set('User-Agent', 'browser/1')
      .expect(200, { items: ['tea'] });
    const [header] = cookiesIn(answer);
    expect(header).toMatch(/^sid=sid_\S+; Path=\/; HttpOnly; SameSite=Lax$/);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.headers['session-token']).toBeUndefined();
    expect(answer.text).not.toContain('sid_');
    const cookie = cookieIn(answer);
    expect(cookiesIn(await add(app, 'milk', { Cookie: cookie }).expect(200))).toEqual([]);
    expect(await cartOf(app, cookie)).toEqual({ items: ['tea', 'milk'] });
    expect(await countRows(app)).toBe(1);
    const { body: id } = { body: (await app.http.get('/cart/own').set('Cookie', cookie).expect(200)).text };
    const session = await app.sessions.get(id);
    expect(session).toMatchObject({ userId: null, client: { ip: '127.0.0.1', userAgent: 'browser/1' } });
    expect(app.events.map(({ type }) => type)).toEqual(['created', 'updated', 'updated']);
  });

  it('lets the sign-in take over what was kept, and kills the token from before', async () => {
    const app = await start();
    const cookie = cookieIn(await add(app, 'tea').expect(200));
    const signedIn = await app.http.post('/login').set('Cookie', cookie).send({ userId: 'ana' }).expect(201);
    expect(await cartOf(app, cookieIn(signedIn))).toEqual({ items: ['tea'] });
    expect(await cartOf(app, cookie)).toEqual({ items: [] });
    expect(await countRows(app)).toBe(1);
  });

  it('uses the session of who has signed in', async () => {
    const app = await start();
    const cookie = await signInByCookie(app);
    expect(cookiesIn(await add(app, 'tea', { Cookie: cookie }).expect(200))).toEqual([]);
    expect(await cartOf(app, cookie)).toEqual({ items: ['tea'] });
    expect(await countRows(app)).toBe(1);
  });

  it('hands apps the token in a header, which they show from then on', async () => {
    const app = await start();
    const answer = await app.http.post('/cart/app/items').expect(200);
    const token = answer.headers['session-token'] as string;
    expect(token).toMatch(TOKEN);
    expect([answer.headers['cache-control'], cookiesIn(answer)]).toEqual(['no-store', []]);
    const again = await app.http
      .post('/cart/app/items')
      .set(bearer(token))
      .expect(200, answer.body as object);
    expect(again.headers['session-token']).toBeUndefined();
  });

  it('hands the token over where the handler fails too', async () => {
    const app = await start();
    const answer = await app.http.post('/cart/failing').expect(400);
    await app.http.get('/cart/own').set('Cookie', cookieIn(answer)).expect(200);
  });

  it.each<[string, (clock: TestClock, app: TestApp) => Promise<string>]>([
    ['is none', async () => 'sid=garbage'],
    ['nobody has', async () => `sid=${new TokenFormat().mint().text}`],
    [
      'has expired',
      async (clock, app) => {
        const cookie = cookieIn(await add(app, 'old').expect(200));
        clock.advance('31m');
        return cookie;
      },
    ],
  ])('gives who shows a token that %s a new session', async (_, make) => {
    const clock = new TestClock();
    const app = await start({ clock: clock.now });
    const dead = await make(clock, app);
    const cookie = cookieIn(await add(app, 'tea', { Cookie: dead }).expect(200, { items: ['tea'] }));
    expect(cookie).not.toBe(dead);
    expect(await cartOf(app, cookie)).toEqual({ items: ['tea'] });
  });

  it('puts no session of nobody in the place of a newer token', async () => {
    const app = await start();
    const old = await signInByCookie(app);
    const newer = await app.http.post('/login').set('Cookie', old).send({ userId: 'ana' }).expect(201);
    const late = await add(app, 'tea', { Cookie: old }).expect(401);
    expect(late.body.code).toBe('session_invalid');
    expect(cookiesIn(late)).toEqual([]);
    await add(app, 'tea', { Cookie: cookieIn(newer) }).expect(200);
    expect(await countRows(app)).toBe(1);
  });

  it('gives two first writes at the same time a session each, and loses neither', async () => {
    const app = await start();
    const answers: Response[] = await Promise.all(['tea', 'milk'].map((item) => add(app, item).expect(200)));
    const carts = await Promise.all(answers.map((answer) => cartOf(app, cookieIn(answer))));
    expect(carts).toEqual([{ items: ['tea'] }, { items: ['milk'] }]);
    expect(await countRows(app)).toBe(2);
  });

  it('sets no cookie for pages of other origins, which would take the place of another', async () => {
    const app = await start();
    // A browser leaves out the cookie, as it is SameSite, but keeps the one that it gets.
    for (const headers of [
      FOREIGN,
      { ...FOREIGN, ...bearer('garbage') },
      { Origin: 'https://evil.example' },
    ]) {
      const answer = await add(app, 'tea', headers).expect(403);
      expect([answer.body.code, cookiesIn(answer)]).toEqual(['cross_origin', []]);
    }
    expect(await countRows(app)).toBe(0);
    await app.http.post('/cart/app/items').set(FOREIGN).expect(200);
  });

  it('sets none where a link to a field of a query, from such a page, leads to it', async () => {
    class CartResolver {
      @EnsureSession() item(): void {}
    }
    const app = await start();
    const guard = app.app.get(SessionGuard);
    const verdictOf = (headers: Record<string, string>) => {
      const { req, res } = fakeExchange({ headers });
      const info = { operation: { operation: 'query' } };
      const context = fakeContext('graphql', CartResolver, 'item', [{}, {}, { req, res }, info]);
      return Promise.resolve(guard.canActivate(context)).catch((error: { code?: string }) => error.code);
    };
    expect(await verdictOf(FOREIGN)).toBe('cross_origin');
    expect(await verdictOf({ 'Sec-Fetch-Site': 'same-origin' })).toBe(true);
  });

  it('makes none over plain HTTP, nor while the store does not answer', async () => {
    const app = await start();
    expect((await add(app, 'tea').set('Host', 'app.example.com').expect(403)).body.code).toBe(
      'https_required',
    );
    const restore = breakStore(app);
    const answer = await add(app, 'tea').expect(503);
    expect([answer.body.code, cookiesIn(answer)]).toEqual(['session_store_unavailable', []]);
    expect(answer.headers['retry-after']).toBeDefined();
    restore();
    expect(await countRows(app)).toBe(0);
    await add(app, 'tea').expect(200);
  });

  it('makes none for who a guard after it refuses', async () => {
    const app = await startApp({
      controllers,
      options: { transport: 'cookie' },
      configure: (nest) => nest.useGlobalGuards({ canActivate: () => false }),
    });
    const answer = await add(app, 'tea').expect(403);
    expect(cookiesIn(answer)).toEqual([]);
    expect(await countRows(app)).toBe(0);
  });

  it('stops the boot where its handler is bound, and would make none', async () => {
    @Controller('bound')
    class BoundController {
      constructor() {
        this.add = this.add.bind(this);
      }
      @EnsureSession() @Post('items') add(): void {}
    }
    const error: unknown = await startApp({ controllers: [BoundController] }).then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(SessionDecoratorError);
  });

  it('works with the guard that decorators bring along', async () => {
    const app = await startApp({ controllers, options: { transport: 'cookie', globalGuard: false } });
    const cookie = cookieIn(await add(app, 'tea').expect(200));
    expect(await cartOf(app, cookie)).toEqual({ items: ['tea'] });
  });
});
