import { Controller, Get, Header, HttpCode, Post, Sse } from '@nestjs/common';
import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  Background,
  CurrentSession,
  OptionalSession,
  Public,
  type SessionModuleOptions,
  sessionOf,
} from 'nestjs-sessions';
import { TestClock } from 'nestjs-sessions/testing';
import { type Observable, of } from 'rxjs';
import { TokenFormat } from '../../src/core/token/token.js';
import { PLATFORMS } from '../support/platforms.js';
import {
  AccountController,
  bearer,
  cookieIn,
  cookiesIn,
  signIn,
  signInByCookie,
} from '../support/sign-in.js';
import { appsOn, breakStore, countRows, type TestApp } from '../support/test-app.js';

interface Greeting {
  readonly kind: string;
  readonly userId?: string | null;
}

function greet(session: OptionalSession): Greeting {
  return session ? { kind: session.constructor.name, userId: session.userId } : { kind: 'guest' };
}

@Controller()
class PagesController {
  @OptionalSession() @Get('home') home(@CurrentSession() session: OptionalSession): Greeting {
    return greet(session);
  }
  @OptionalSession() @Get('who') who(@CurrentSession('userId') userId: string | null): object {
    return { userId };
  }
  @HttpCode(200) @OptionalSession() @Post('search') search(@CurrentSession() session: OptionalSession) {
    return greet(session);
  }
  @Background() @OptionalSession() @Get('badge') badge(@CurrentSession() session: OptionalSession) {
    return greet(session);
  }
  @OptionalSession() @Sse('news') news(@CurrentSession() session: OptionalSession): Observable<object> {
    return of({ data: greet(session) });
  }
  @Header('Cache-Control', 'public, max-age=60') @OptionalSession() @Get('cached') cached(): string {
    return 'cached';
  }
}

@OptionalSession()
@Controller('shop')
class ShopController {
  @Get() list(@CurrentSession() session: OptionalSession): Greeting {
    return greet(session);
  }
  @Public() @Get('imprint') imprint(@CurrentSession() session: OptionalSession): Greeting {
    return greet(session);
  }
}

const controllers = [AccountController, PagesController, ShopController];
const GUEST = { kind: 'guest' };
const FOREIGN = { 'Sec-Fetch-Site': 'cross-site' };

describe.each(PLATFORMS)('@OptionalSession() on %s', (platform) => {
  const startApp = appsOn(platform);
  let clock: TestClock;
  beforeEach(() => {
    clock = new TestClock();
  });
  const start = (options: SessionModuleOptions = {}) =>
    startApp({ controllers, options: { clock: clock.now, ...options }, trustProxy: true });
  const home = ({ http }: TestApp, headers: Record<string, string> = {}) => http.get('/home').set(headers);

  it('lets in whoever comes, and says who it is', async () => {
    const app = await start();
    await home(app).expect(200, GUEST);
    const ana = { kind: 'ActiveSession', userId: 'ana' };
    await home(app, bearer(await signIn(app))).expect(200, ana);
    await home(app, { Cookie: await signInByCookie(app) }).expect(200, ana);
    const { token } = await app.sessions.createAnonymous();
    await home(app, bearer(token)).expect(200, { kind: 'AnonymousSession', userId: null });
    await app.http.get('/who').expect(200, { userId: null });
    await app.http.get('/who').set(bearer(token)).expect(200, { userId: null });
  });

  it('on a class is for all of its handlers, but for what stands on one of them', async () => {
    const app = await start();
    await app.http.get('/shop').expect(200, GUEST);
    const token = await signIn(app);
    await app.http.get('/shop').set(bearer(token)).expect(200, { kind: 'ActiveSession', userId: 'ana' });
    await app.http.get('/shop/imprint').set(bearer(token)).expect(200, GUEST);
  });

  describe('takes for a guest who shows a token that', () => {
    const DEAD: [what: string, make: (app: TestApp) => Promise<string>][] = [
      ['is none', async () => 'garbage'],
      ['nobody has', async () => new TokenFormat().mint().text],
      [
        'was signed out',
        async (app) => {
          const token = await signIn(app);
          await app.http.post('/logout').set(bearer(token)).expect(200);
          return token;
        },
      ],
      [
        'has expired',
        async (app) => {
          const token = await signIn(app);
          clock.advance('31m');
          return token;
        },
      ],
      [
        'was replaced a moment ago',
        async (app) => {
          const token = await signIn(app);
          await app.http.post('/login').set(bearer(token)).send({ userId: 'ana' }).expect(201);
          return token;
        },
      ],
    ];

    it.each(DEAD)('%s, and clears no cookie', async (_, make) => {
      const app = await start();
      const token = await make(app);
      await home(app, bearer(token)).expect(200, GUEST);
      const answer = await home(app, { Cookie: `sid=${token}` }).expect(200, GUEST);
      expect(cookiesIn(answer)).toEqual([]);
      expect(answer.headers['session-token']).toBeUndefined();
      expect(answer.headers['clear-site-data']).toBeUndefined();
      await app.http.get('/me').set(bearer(token)).expect(401);
    });
  });

  it('ends the session of a token that is used again, and tells of it', async () => {
    const app = await start();
    const stolen = await signIn(app);
    const { body } = await app.http.post('/login').set(bearer(stolen)).send({ userId: 'ana' }).expect(201);
    await app.http
      .get('/me')
      .set(bearer(body.token as string))
      .expect(200);
    clock.advance('1m');
    await home(app, bearer(stolen)).expect(200, GUEST);
    await app.http
      .get('/me')
      .set(bearer(body.token as string))
      .expect(401);
    expect(app.events.map(({ type }) => type)).toEqual(expect.arrayContaining(['reuse-detected', 'revoked']));
    expect(await countRows(app)).toBe(0);
  });

  it('takes nobody for a guest while the store does not answer', async () => {
    const app = await start();
    const [token, cookie] = [await signIn(app), await signInByCookie(app)];
    const restore = breakStore(app);
    for (const headers of [bearer(token), { Cookie: cookie }, bearer(new TokenFormat().mint().text)]) {
      const answer = await home(app, headers).expect(503);
      expect(answer.body.code).toBe('session_store_unavailable');
      expect(answer.headers['retry-after']).toBeDefined();
    }
    // For who shows none there is nothing to ask.
    await home(app).expect(200, GUEST);
    restore();
  });

  it('asks the store nothing for who shows no token', async () => {
    const app = await start();
    await home(app).expect(200, GUEST);
    expect(app.queries).toEqual([]);
  });

  it('refuses what shows two tokens', async () => {
    const app = await start();
    const [one, two] = [await signInByCookie(app), await signInByCookie(app)];
    await home(app, { Cookie: `${one}; ${two}` }).expect(401);
  });

  it('counts as activity, except in the background and by events', async () => {
    const app = await start();
    const [active, polling, listening] = [await signIn(app), await signIn(app), await signIn(app)];
    for (let minutes = 0; minutes < 40; minutes += 10) {
      clock.advance('10m');
      await home(app, bearer(active)).expect(200);
      await app.http.get('/badge').set(bearer(polling)).expect(200);
      await app.http.get('/news').set(bearer(listening)).expect(200);
    }
    await app.http.get('/me').set(bearer(active)).expect(200);
    await app.http.get('/me').set(bearer(polling)).expect(401);
    await app.http.get('/me').set(bearer(listening)).expect(401);
    await app.http.get('/badge').set(bearer(polling)).expect(200, GUEST);
  });

  it('of server-sent events greets guests and users', async () => {
    const app = await start();
    expect((await app.http.get('/news').expect(200)).text).toContain('data: {"kind":"guest"}');
    const answer = await app.http.get('/news').set(bearer(await signIn(app)));
    expect(answer.text).toContain('"userId":"ana"');
  });

  it('renews a token that is due', async () => {
    const app = await start({ timeouts: { renewal: '10m' } });
    const [token, cookie] = [await signIn(app), await signInByCookie(app)];
    for (const headers of [bearer(token), { Cookie: cookie }]) await home(app, headers).expect(200);
    clock.advance('11m');
    const byHeader = await home(app, bearer(token)).expect(200);
    expect(byHeader.headers['session-token']).toMatch(/^sid_/);
    expect(cookieIn(await home(app, { Cookie: cookie }).expect(200))).not.toBe(cookie);
  });

  it('has the rules of other routes for HTTPS and for pages of other origins', async () => {
    const app = await start();
    const plain = await home(app, { Host: 'app.example.com' }).expect(403);
    expect(plain.body.code).toBe('https_required');
    const cookie = await signInByCookie(app);
    const crossing = await app.http
      .post('/search')
      .set({ Cookie: cookie, ...FOREIGN })
      .expect(403);
    expect(crossing.body.code).toBe('cross_origin');
    await app.http
      .post('/search')
      .set({ Cookie: 'sid=garbage', ...FOREIGN })
      .expect(403);
    await home(app, { Cookie: cookie, ...FOREIGN }).expect(200);
    await app.http.post('/search').set(FOREIGN).expect(200, GUEST);
    await app.http
      .post('/search')
      .set({ ...bearer(await signIn(app)), ...FOREIGN })
      .expect(200);
  });

  it('counts tokens that nobody has as guesses, and still refuses no guest', async () => {
    const app = await start({ guessing: { attempts: 3, within: '10m', refuse: true } });
    for (let guess = 0; guess < 5; guess++) {
      await home(app, bearer(new TokenFormat().mint().text)).expect(200, GUEST);
    }
    expect(app.events.filter(({ type }) => type === 'guessing-suspected')).toHaveLength(1);
    await app.http.get('/me').set(bearer('another guess')).expect(429);
  });

  it('keeps greetings apart in caches, those of guests too', async () => {
    const app = await start();
    const answer = await home(app).expect(200);
    expect([answer.headers['cache-control'], answer.headers['vary']]).toEqual(['no-store', 'Cookie']);
    const cached = await app.http.get('/cached').expect(200);
    expect([cached.headers['cache-control'], cached.headers['vary']]).toEqual([
      'public, max-age=60',
      'Cookie',
    ]);
  });

  it('tells nothing to who asks for the session of a guest', async () => {
    let seen: unknown = 'nothing';
    @Controller()
    class SpyController {
      @OptionalSession() @Get('spy') spy(): void {}
    }
    const app = await startApp({
      controllers: [AccountController, SpyController],
      configure: (nest) =>
        nest.useGlobalInterceptors({
          intercept: (context, next) => {
            seen = sessionOf(context);
            return next.handle();
          },
        }),
    });
    await app.http.get('/spy').set(bearer('garbage')).expect(200);
    expect(seen).toBeNull();
  });
});
