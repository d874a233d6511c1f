import { All, Controller, Get, HttpCode, Post, Req, Res } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { AllowAnonymous, Public, SessionCookie, SessionService } from 'nestjs-sessions';
import { TestClock } from 'nestjs-sessions/testing';
import { PLATFORMS } from '../support/platforms.js';
import { AccountController, cookieIn, cookiesIn, signInByCookie } from '../support/sign-in.js';
import { appsOn } from '../support/test-app.js';

interface AnyResponse {
  cookie?: (name: string, value: string) => void;
  header: (name: string, value: string) => void;
}

@Controller()
class ByHandController {
  constructor(
    private readonly sessions: SessionService,
    private readonly cookie: SessionCookie,
  ) {}

  @Public() @All('visit-by-hand') async visit(@Res({ passthrough: true }) response: AnyResponse) {
    const { token, session } = await this.sessions.createAnonymous();
    response.header('Set-Cookie', 'theme=dark');
    response.header('Cache-Control', 'public');
    this.cookie.set(response as never, token);
    return { id: session.id };
  }
  @AllowAnonymous() @Post('leave-by-hand') leave(@Res({ passthrough: true }) response: AnyResponse): string {
    this.cookie.clear(response as never);
    return 'bye';
  }
  @HttpCode(200) @Public() @Post('clear-by-hand') clear(
    @Res({ passthrough: true }) response: AnyResponse,
  ): void {
    this.cookie.clear(response as never);
  }
  @HttpCode(200) @Public() @All('read-by-hand') read(@Req() request: never): object {
    return { token: this.cookie.read(request) };
  }
  @Get('anything') anything(): string {
    return 'anything';
  }
}

const controllers = [AccountController, ByHandController];
const HTTPS = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'app.example.com' };
const TOKEN = 'sid_[A-Za-z0-9_-]{70}';

describe.each(PLATFORMS)('on %s', (platform) => {
  const start = appsOn(platform);

  it('over HTTPS the cookie is __Host-sid, Secure, HttpOnly, SameSite=Lax, Path=/, and nothing else', async () => {
    const app = await start({ controllers, trustProxy: true });
    const answer = await app.http.post('/web/login').set(HTTPS).send({ userId: 'ana' }).expect(201);
    expect(cookiesIn(answer)).toEqual([
      expect.stringMatching(new RegExp(`^__Host-sid=${TOKEN}; Path=/; HttpOnly; Secure; SameSite=Lax$`)),
    ]);
    await app.http.get('/me').set(HTTPS).set('Cookie', cookieIn(answer)).expect(200);
  });

  it('on loopback, where browsers refuse Secure, it is sid without it', async () => {
    const app = await start({ controllers });
    const answer = await app.http.post('/web/login').send({ userId: 'ana' }).expect(201);
    expect(cookiesIn(answer)).toEqual([
      expect.stringMatching(new RegExp(`^sid=${TOKEN}; Path=/; HttpOnly; SameSite=Lax$`)),
    ]);
  });

  it('over HTTPS a cookie without the prefix is not read: a subdomain may have planted it', async () => {
    const app = await start({ controllers, trustProxy: true });
    const secure = await signInByCookie(app, { userId: 'ana' }, HTTPS);
    const planted = await signInByCookie(app, { userId: 'mallory' });
    expect(planted).toMatch(/^sid=/);
    const alone = await app.http.get('/me').set(HTTPS).set('Cookie', planted);
    expect([alone.status, alone.body.code]).toEqual([401, 'session_required']);
    for (const cookies of [`${planted}; ${secure}`, `${secure}; ${planted}`]) {
      const both = await app.http.get('/me').set(HTTPS).set('Cookie', cookies).expect(200);
      expect(both.body.userId).toBe('ana');
    }
  });

  it('the prefix counts to the letter', async () => {
    const app = await start({ controllers, trustProxy: true });
    const [, token] = (await signInByCookie(app, { userId: 'ana' }, HTTPS)).split('=');
    for (const name of ['__host-sid', '__HOST-sid', '__Secure-sid', '__Host-SID']) {
      await app.http.get('/me').set(HTTPS).set('Cookie', `${name}=${token}`).expect(401);
    }
  });

  it('on plain HTTP that is not loopback, where requireHttps is off, it keeps its prefix', async () => {
    const app = await start({ controllers, options: { requireHttps: false } });
    const answer = await app.http.post('/web/login').set('Host', 'app.example.com').send({ userId: 'ana' });
    expect(cookiesIn(answer)[0]).toMatch(/^__Host-sid=.*Secure/);
  });

  it('has the name and SameSite of the options', async () => {
    const cookie = { name: 'shop', sameSite: 'strict' } as const;
    const app = await start({ controllers, trustProxy: true, options: { cookie } });
    const answer = await app.http.post('/web/login').set(HTTPS).send({ userId: 'ana' }).expect(201);
    expect(cookiesIn(answer)[0]).toMatch(/^__Host-shop=.*; SameSite=Strict$/);
    await app.http.get('/me').set(HTTPS).set('Cookie', cookieIn(answer)).expect(200);
  });

  it('SameSite=None is Secure, also where only other sites are named that may send it', async () => {
    const options = { cookie: { sameSite: 'none' }, trustedOrigins: ['https://other.example.org'] } as const;
    const app = await start({ controllers, trustProxy: true, options });
    const answer = await app.http.post('/web/login').set(HTTPS).send({ userId: 'ana' }).expect(201);
    expect(cookiesIn(answer)[0]).toMatch(/; Secure; SameSite=None$/);
  });

  it('is set again neither by requests that follow nor by those that are refused', async () => {
    const clock = new TestClock();
    const app = await start({ controllers, options: { clock: clock.now } });
    const cookie = await signInByCookie(app);
    clock.advance('20m');
    for (const path of ['/me', '/anything', '/admin', '/level2', '/recent', '/nowhere', '/open']) {
      expect(cookiesIn(await app.http.get(path).set('Cookie', cookie))).toEqual([]);
    }
  });

  it('a 401 never clears it, for it could be newer than the request', async () => {
    const clock = new TestClock();
    const app = await start({ controllers, options: { clock: clock.now } });
    const expired = await signInByCookie(app);
    clock.advance('1h');
    const revoked = await signInByCookie(app, { userId: 'bo' });
    await app.sessions.revokeAll('bo');
    const rotated = await signInByCookie(app, { userId: 'cy' });
    for (const { id } of await app.sessions.list('cy')) await app.sessions.rotate(id);
    for (const cookie of [expired, revoked, rotated, 'sid=garbage', 'sid=']) {
      const answer = await app.http.get('/me').set('Cookie', cookie);
      expect([answer.status, cookiesIn(answer)]).toEqual([401, []]);
      expect(answer.headers['clear-site-data']).toBeUndefined();
    }
  });

  it('can be set and cleared by hand, beside cookies of the application', async () => {
    const app = await start({ controllers });
    const answer = await app.http.post('/visit-by-hand');
    const [mine, ours] = cookiesIn(answer);
    expect(mine).toBe('theme=dark');
    expect(ours).toMatch(new RegExp(`^sid=${TOKEN}; Path=/; HttpOnly; SameSite=Lax$`));
    expect(answer.headers['cache-control']).toBe('no-store');
    const cookie = String(ours?.split(';')[0]);
    await app.http.get('/visit').set('Cookie', cookie).expect(200, answer.body.id);
    const left = await app.http.post('/leave-by-hand').set('Cookie', cookie).expect(201);
    expect(cookiesIn(left)).toEqual(['sid=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax']);
  });

  it('over plain HTTP is not set by hand either, where HTTPS is required; it can be cleared', async () => {
    const app = await start({ controllers });
    const plain = { Host: 'app.example.com' };
    const answer = await app.http.post('/visit-by-hand').set(plain).expect(403);
    expect([answer.body.code, cookiesIn(answer).join()]).toEqual(['https_required', 'theme=dark']);
    const left = await app.http.post('/clear-by-hand').set(plain).expect(200);
    expect(cookiesIn(left)).toEqual(['__Host-sid=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax']);
  });

  it('is not set by hand for a page of another origin, but where a link leads here', async () => {
    const app = await start({ controllers });
    for (const foreign of [{ Origin: 'https://evil.example' }, { 'Sec-Fetch-Site': 'cross-site' }]) {
      const answer = await app.http.post('/visit-by-hand').set(foreign).expect(403);
      expect([answer.body.code, cookiesIn(answer).join()]).toEqual(['cross_origin', 'theme=dark']);
    }
    await app.http.post('/visit-by-hand').set('Sec-Fetch-Site', 'same-origin').expect(/id/);
    await app.http.get('/visit-by-hand').set('Sec-Fetch-Site', 'cross-site').expect(/id/);
  });

  it('can be read by hand, as the guard reads it', async () => {
    const app = await start({ controllers, trustProxy: true });
    const cookie = await signInByCookie(app, { userId: 'ana' }, HTTPS);
    const [, token] = cookie.split('=');
    const read = (shown: string, headers: object = HTTPS) =>
      app.http
        .get('/read-by-hand')
        .set({ ...headers, Cookie: shown })
        .expect(200);
    expect((await read(`theme=dark; ${cookie}`)).body).toEqual({ token });
    for (const other of ['theme=dark', `sid=${token}`, `${cookie}; ${cookie}`])
      expect((await read(other)).body).toEqual({ token: null });
    expect((await read(cookie, {})).body).toEqual({ token: null });
    expect((await read(`sid=${token}`, {})).body).toEqual({ token });
  });

  it('is read by hand neither over plain HTTP nor of a page of another origin that may change something', async () => {
    const app = await start({ controllers, trustProxy: true });
    const cookie = await signInByCookie(app, { userId: 'ana' }, HTTPS);
    const plain = { Host: 'app.example.com', Cookie: cookie };
    expect((await app.http.get('/read-by-hand').set(plain).expect(403)).body.code).toBe('https_required');
    const foreign = { ...HTTPS, Cookie: cookie, Origin: 'https://evil.example' };
    expect((await app.http.post('/read-by-hand').set(foreign).expect(403)).body.code).toBe('cross_origin');
    await app.http.get('/read-by-hand').set(foreign).expect(200);
  });

  it('over HTTPS it is cleared with the prefix and Secure, or the browser would not', async () => {
    const app = await start({ controllers, trustProxy: true });
    const cookie = await signInByCookie(app, { userId: 'ana' }, HTTPS);
    const answer = await app.http.post('/logout').set(HTTPS).set('Cookie', cookie).expect(200);
    expect(cookiesIn(answer)).toEqual(['__Host-sid=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax']);
  });
});
