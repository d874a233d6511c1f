import { Controller, ForbiddenException, Get, Header, Res } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Public } from 'nestjs-sessions';
import { TestClock } from 'nestjs-sessions/testing';
import request from 'supertest';
import { AttackClient, verdictOf, WAYS } from '../support/attack-client.js';
import { expectNoFaults } from '../support/attack-faults.js';
import { type ProxyRules, TestProxy, trusting } from '../support/attack-proxy.js';
import { PLATFORMS } from '../support/platforms.js';
import { getRaw } from '../support/raw-http.js';
import { AccountController, cookiesIn } from '../support/sign-in.js';
import { appsOn, type TestApp } from '../support/test-app.js';

const CACHEABLE = 'public, max-age=3600';

@Controller('pages')
class PagesController {
  @Header('Cache-Control', CACHEABLE) @Public() @Get('public') public(): string {
    return 'news';
  }
  @Header('Cache-Control', CACHEABLE) @Get('private') private(): string {
    return 'private page';
  }
  @Header('Cache-Control', CACHEABLE) @Get('forbidden') forbidden(): never {
    throw new ForbiddenException();
  }
  @Get('raw') raw(@Res() response: ServerResponse | { raw: ServerResponse; hijack: () => void }): void {
    if ('hijack' in response) response.hijack();
    const raw = 'raw' in response ? response.raw : response;
    raw.writeHead(200, { 'Cache-Control': CACHEABLE, 'Content-Type': 'text/plain' });
    raw.end('written by hand');
  }
}

const controllers = [AccountController, PagesController];
const HTTPS = ['X-Forwarded-Proto: https', 'X-Forwarded-Host: app.example.com'];
const { NODE_ENV } = process.env;

expectNoFaults();
const open: TestProxy[] = [];
afterEach(async () => {
  process.env['NODE_ENV'] = NODE_ENV;
  for (const proxy of open.splice(0)) await proxy.close();
});

async function proxyBefore({ app }: TestApp, rules: ProxyRules): Promise<TestProxy> {
  const proxy = await TestProxy.before(app, rules);
  open.push(proxy);
  return proxy;
}

describe.each(PLATFORMS)('on %s', (platform) => {
  const start = appsOn(platform);

  describe('over HTTPS, cookie tossing', () => {
    it.each([
      ['from a subdomain, which cannot use the prefix', (token: string) => `sid=${token}`],
      ['under a weaker prefix', (token: string) => `__Secure-sid=${token}`],
      ['under the prefix in other letters', (token: string) => `__host-sid=${token}`],
      ['under the prefix, escaped', (token: string) => `%5F%5FHost-sid=${token}`],
      ['under the prefix, quoted', (token: string) => `"__Host-sid"=${token}`],
      ['in the value of another cookie', (token: string) => `theme=__Host-sid=${token}`],
      ['in a quoted value', (token: string) => `theme="x, __Host-sid=${token}"`],
      ['with attributes of RFC 2109', (token: string) => `$Version=1, __Host-sid=${token}`],
      ['without a name', (token: string) => `=__Host-sid=${token}`],
      ['behind bytes that are no ASCII', (token: string) => `\xc2\xa0__Host-sid=${token}`],
    ])('%s, signs nobody in', async (_, planted) => {
      const app = await start({ controllers, trustProxy: true });
      const { token } = await app.sessions.create({ userId: 'mallory' });
      const { status, body } = await getRaw(app.app, '/me', [...HTTPS, `Cookie: ${planted(token)}`]);
      expect([status, body['code']]).toEqual([401, 'session_required']);
    });

    it('does not displace the victim’s own cookie, and of two with the prefix none is taken', async () => {
      const app = await start({ controllers, trustProxy: true });
      const [mine, planted] = [
        await app.sessions.create({ userId: 'ana' }),
        await app.sessions.create({ userId: 'mallory' }),
      ];
      const own = `__Host-sid=${mine.token}`;
      const beside = await getRaw(app.app, '/me', [...HTTPS, `Cookie: sid=${planted.token}; ${own}`]);
      expect(beside.body['userId']).toBe('ana');
      for (const cookies of [`${own}; __Host-sid=${planted.token}`, `__Host-sid=${planted.token}; ${own}`]) {
        const { status, body } = await getRaw(app.app, '/me', [...HTTPS, `Cookie: ${cookies}`]);
        expect([status, body['code']]).toEqual([401, 'session_invalid']);
      }
      expect((await getRaw(app.app, '/me', [...HTTPS, `Cookie: ${own}`])).status).toBe(200);
    });

    it('over plain HTTP, where anybody on the line sets cookies, finds nothing that HTTPS would read', async () => {
      const app = await start({ controllers, trustProxy: true });
      const { token } = await app.sessions.create({ userId: 'mallory' });
      const plain = ['X-Forwarded-Proto: http', 'X-Forwarded-Host: app.example.com'];
      for (const cookie of [`sid=${token}`, `__Host-sid=${token}`]) {
        const { status, body } = await getRaw(app.app, '/me', [...plain, `Cookie: ${cookie}`]);
        expect([status, body['code']]).toEqual([403, 'https_required']);
      }
    });
  });

  describe('behind a proxy on the same machine, where every request looks like loopback,', () => {
    it.each<[string, Record<string, string>]>([
      ['X-Forwarded-For', { 'x-forwarded-for': '203.0.113.9' }],
      ['X-Forwarded-Proto', { 'x-forwarded-proto': 'http' }],
      ['Forwarded', { forwarded: 'for=203.0.113.9;proto=http' }],
      ['Via', { via: '1.1 proxy' }],
    ])('plain HTTP from outside is refused: the proxy gives itself away by %s', async (_, adds) => {
      const app = await start({ controllers });
      const { token } = await app.sessions.create({ userId: 'ana' });
      const { url } = await proxyBefore(app, { adds });
      for (const headers of [{ Authorization: `Bearer ${token}` }, { Cookie: `sid=${token}` }, {}]) {
        const answer = await request(url).get('/me').set(headers);
        expect(verdictOf(answer)).toBe('403 https_required');
      }
      const login = await request(url).post('/web/login').send({ userId: 'ana' });
      expect([verdictOf(login), cookiesIn(login)]).toEqual(['403 https_required', []]);
    });

    it('nginx as it is by default is refused: by HTTP/1.0, since it adds no header', async () => {
      const app = await start({ controllers });
      const { token } = await app.sessions.create({ userId: 'ana' });
      for (const [version, status] of [
        ['1.0', 403],
        ['1.1', 200],
      ] as const) {
        const answer = await getRaw(app.app, '/me', [`Authorization: Bearer ${token}`], version);
        expect([version, answer.status]).toEqual([version, status]);
      }
    });

    it('in production it is refused also where the proxy says nothing at all', async () => {
      process.env['NODE_ENV'] = 'production';
      const app = await start({ controllers });
      const { token } = await app.sessions.create({ userId: 'ana' });
      const { url } = await proxyBefore(app, {});
      const answer = await request(url)
        .get('/me')
        .set({ Authorization: `Bearer ${token}` });
      expect(verdictOf(answer)).toBe('403 https_required');
    });

    it('HTTPS is what the trusted proxy says, whatever the client claims', async () => {
      const app = await start({ controllers, ...trusting(platform, '127.0.0.1') });
      const { token } = await app.sessions.create({ userId: 'ana' });
      const bearer = { Authorization: `Bearer ${token}` };
      const plain = await proxyBefore(app, { adds: { 'x-forwarded-proto': 'http' } });
      const secure = await proxyBefore(app, { adds: { 'x-forwarded-proto': 'https' } });
      const claim = {
        ...bearer,
        'X-Forwarded-Proto': 'https',
        Forwarded: 'proto=https',
        'Front-End-Https': 'on',
      };
      expect(verdictOf(await request(plain.url).get('/me').set(claim))).toBe('403 https_required');
      expect(verdictOf(await request(secure.url).get('/me').set(bearer))).toBe('200');
    });
  });

  describe('a hop that nobody trusts', () => {
    it.each<[string, Record<string, string>]>([
      ['X-Forwarded-Proto', { 'X-Forwarded-Proto': 'https' }],
      ['several of X-Forwarded-Proto', { 'X-Forwarded-Proto': 'https, https, http' }],
      ['X-Forwarded-Ssl', { 'X-Forwarded-Ssl': 'on' }],
      ['Forwarded', { Forwarded: 'for=127.0.0.1;proto=https;host=localhost' }],
    ])('cannot claim HTTPS by %s', async (_, spoofed) => {
      // The proxy that is trusted is somewhere else.
      const app = await start({ controllers, ...trusting(platform, '10.0.0.7') });
      const { token } = await app.sessions.create({ userId: 'ana' });
      const headers = { Host: 'app.example.com', Authorization: `Bearer ${token}`, ...spoofed };
      expect(verdictOf(await app.http.get('/me').set(headers))).toBe('403 https_required');
    });

    it('cannot claim to be the application’s own origin by X-Forwarded-Host', async () => {
      const app = await start({
        controllers,
        ...trusting(platform, '10.0.0.7'),
        options: { requireHttps: false },
      });
      const { token } = await app.sessions.create({ userId: 'ana' });
      const headers = { Host: 'app.example.com', 'X-Forwarded-Host': 'evil.net', Origin: 'http://evil.net' };
      const answer = await app.http.post('/act').set({ ...headers, Cookie: `__Host-sid=${token}` });
      expect(verdictOf(answer)).toBe('403 cross_origin');
    });
  });
});

describe.each(WAYS)('on $platform by $carrier', ({ platform, carrier }) => {
  const startApp = appsOn(platform);

  it('a token over plain HTTP is refused before it is looked up, and nothing is set', async () => {
    const app = await startApp({ controllers });
    const { token } = await app.sessions.create({ userId: 'ana' });
    app.queries.length = 0;
    const client = new AttackClient(() => app, carrier);
    for (const path of ['/me', '/visit', '/admin']) {
      const answer = await client.get(path, token).set('Host', 'app.example.com');
      expect([verdictOf(answer), cookiesIn(answer)]).toEqual(['403 https_required', []]);
    }
    expect(app.queries).toEqual([]);
  });

  describe('a shared cache in front', () => {
    async function start() {
      const clock = new TestClock();
      const options = { clock: clock.now, timeouts: { renewal: '10m' } } as const;
      const app = await startApp({ controllers, trustProxy: true, options });
      const proxy = await proxyBefore(app, { caches: true });
      const { token } = await app.sessions.create({ userId: 'ana' });
      const client = new AttackClient(() => ({ http: request(proxy.url) }), carrier);
      return { app, clock, proxy, token, client };
    }

    it('keeps what it may: public pages', async () => {
      const { proxy, client } = await start();
      for (let times = 0; times < 3; times++) await client.get('/pages/public').expect(200, 'news');
      expect(proxy.hits).toHaveLength(2);
    });

    it.each(['/pages/private', '/pages/forbidden', '/pages/raw'])(
      'keeps no answer with a renewed token, whatever the handler says of caching: %s',
      async (path) => {
        const { clock, proxy, token, client } = await start();
        await client.get('/visit', token).expect(200);
        clock.advance('11m');
        const answer = await client.get(path, token);
        expect(client.renewedIn(answer)).toMatch(/^sid_/);
        expect(answer.headers['cache-control']).toBe('no-store');
        const stranger = await client.get(path);
        expect([verdictOf(stranger), client.renewedIn(stranger)]).toEqual(['401 session_required', null]);
        expect(proxy.hits).toEqual([]);
      },
    );

    it('keeps no sign-in', async () => {
      const { proxy, client } = await start();
      const tokens = [await client.signIn(), await client.signIn()];
      expect(new Set(tokens).size).toBe(2);
      expect(proxy.hits).toEqual([]);
    });
  });
});
