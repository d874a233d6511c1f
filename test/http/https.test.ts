import { afterEach, describe, expect, it } from '@jest/globals';
import { SessionGuard } from 'nestjs-sessions';
import { fakeContext, fakeExchange, type FakeRequest } from '../support/fake-context.js';
import { PLATFORMS } from '../support/platforms.js';
import { AccountController, bearer, signIn } from '../support/sign-in.js';
import { appsOn, countRows, type TestApp } from '../support/test-app.js';

const controllers = [AccountController];
const { NODE_ENV } = process.env;

type Headers = Record<string, string>;

async function codeOf({ http }: TestApp, token: string, headers: Headers): Promise<string> {
  const answer = await http.get('/me').set(bearer(token)).set(headers);
  if (answer.status === 403) expect(answer.headers['www-authenticate']).toBeUndefined();
  return answer.status === 200 ? 'ok' : `${answer.status} ${answer.body.code}`;
}

describe.each(PLATFORMS)('on %s', (platform) => {
  const start = appsOn(platform);
  afterEach(() => {
    process.env['NODE_ENV'] = NODE_ENV;
  });

  describe('plain HTTP is accepted from this machine', () => {
    it.each<[string, Headers]>([
      ['by its address', { Host: '127.0.0.1:3000' }],
      ['by another loopback address', { Host: '127.3.2.1' }],
      ['by name', { Host: 'localhost:3000' }],
      ['by name in any case', { Host: 'LocalHost' }],
      ['by a name below localhost', { Host: 'api.localhost:3000' }],
      ['by its IPv6 address', { Host: '[::1]:3000' }],
    ])('%s', async (_, headers) => {
      const app = await start({ controllers });
      expect(await codeOf(app, await signIn(app), headers)).toBe('ok');
    });

    it('and the log tells of the first time only', async () => {
      const app = await start({ controllers });
      const token = await signIn(app);
      for (let count = 0; count < 3; count++) await codeOf(app, token, {});
      expect(app.logs.texts().filter((text) => text.includes('plain HTTP'))).toHaveLength(1);
    });
  });

  describe('plain HTTP is refused, and nothing is revoked,', () => {
    it.each<[string, Headers]>([
      ['for another host', { Host: 'app.example.com' }],
      ['for a host that begins like loopback', { Host: 'localhost.example.com' }],
      ['for a host that begins like a loopback address', { Host: '127.0.0.1.example.com' }],
      ['for a host that ends like loopback', { Host: 'notlocalhost' }],
      ['for a name with nothing before .localhost', { Host: '.localhost' }],
      ['for a name below localhost that goes on', { Host: 'api.localhost.example.com' }],
      ['for an address of the local network', { Host: '192.168.1.5' }],
      ['for an empty host', { Host: '' }],
      ['with Forwarded', { Forwarded: 'for=192.0.2.1;proto=http' }],
      ['with Via', { Via: '1.1 proxy' }],
      ['with X-Forwarded-For', { 'X-Forwarded-For': '127.0.0.1' }],
      ['with X-Forwarded-Host', { 'X-Forwarded-Host': 'localhost' }],
      ['with X-Forwarded-Proto: http', { 'X-Forwarded-Proto': 'http' }],
      ['with X-Forwarded-Proto: https that nobody trusts', { 'X-Forwarded-Proto': 'https' }],
      ['with Forwarded: proto=https that nobody trusts', { Forwarded: 'proto=https' }],
      ['with X-Forwarded-Server', { 'X-Forwarded-Server': 'nginx' }],
      ['with X-Forwarded-Prefix', { 'x-forwarded-prefix': '/api' }],
    ])('%s', async (_, headers) => {
      const app = await start({ controllers });
      const token = await signIn(app);
      expect(await codeOf(app, token, headers)).toBe('403 https_required');
      expect(await codeOf(app, token, {})).toBe('ok');
    });

    it('in production, on loopback too', async () => {
      const secure = await start({ controllers, trustProxy: true });
      process.env['NODE_ENV'] = 'production';
      const app = await start({ controllers });
      const { token } = await app.sessions.create({ userId: 'ana' });
      expect(await codeOf(app, token, {})).toBe('403 https_required');
      await app.http.post('/login').send({ userId: 'ana' }).expect(403);
      expect(await countRows(app)).toBe(1);
      // What counts is the environment at boot.
      expect(await codeOf(secure, await signIn(secure), {})).toBe('ok');
    });

    it('on sign-in, which makes no session, and on sign-out, which ends none', async () => {
      const app = await start({ controllers });
      const token = await signIn(app);
      const plain = { Host: 'app.example.com' };
      for (const path of ['/login', '/web/login', '/logout', '/web/logout']) {
        const answer = await app.http.post(path).set(bearer(token)).set(plain).send({ userId: 'ana' });
        expect([answer.status, answer.body.code]).toEqual([403, 'https_required']);
      }
      expect(await countRows(app)).toBe(1);
      expect(await codeOf(app, token, {})).toBe('ok');
    });

    it('before any query', async () => {
      const app = await start({ controllers });
      const token = await signIn(app);
      app.queries.length = 0;
      await codeOf(app, token, { Host: 'app.example.com' });
      expect(app.queries).toEqual([]);
    });

    it('and the log names the proxy setting of both platforms, once', async () => {
      const app = await start({ controllers });
      for (let count = 0; count < 3; count++) await app.http.get('/me').set('Host', 'app.example.com');
      const warnings = app.logs.texts('warn').filter((text) => text.includes('plain HTTP'));
      expect(warnings).toHaveLength(1);
      expect(warnings[0]).toContain("app.set('trust proxy'");
      expect(warnings[0]).toContain('new FastifyAdapter({ trustProxy');
    });
  });

  describe('the log names what it was refused for:', () => {
    it.each<[string, Headers]>([
      ['its Host is "app.example.com"', { Host: 'app.example.com' }],
      ['it has the header "x-forwarded-for"', { 'X-Forwarded-For': '203.0.113.9' }],
      ['its Host is "evil\\"', { Host: 'evil"' }],
    ])('%s', async (says, headers) => {
      const app = await start({ controllers });
      await app.http.get('/me').set(headers).expect(403);
      expect(app.logs.texts('warn').join()).toContain(`A request over plain HTTP was refused: ${says}`);
    });

    it('NODE_ENV is `production`', async () => {
      process.env['NODE_ENV'] = 'production';
      const app = await start({ controllers });
      await app.http.get('/me').expect(403);
      expect(app.logs.texts('warn').join()).toContain('refused: NODE_ENV is `production`');
    });
  });

  describe('behind a proxy that the platform trusts', () => {
    it('HTTPS is what the proxy says', async () => {
      const app = await start({ controllers, trustProxy: true });
      const { token } = await app.sessions.create({ userId: 'ana' });
      const from = (proto: string) => ({ Host: 'app.example.com', 'X-Forwarded-Proto': proto });
      expect(await codeOf(app, token, from('https'))).toBe('ok');
      expect(await codeOf(app, token, from('http'))).toBe('403 https_required');
    });
  });

  it('requireHttps: false accepts plain HTTP from everywhere', async () => {
    const app = await start({ controllers, options: { requireHttps: false } });
    expect(app.logs.texts('warn').join()).toContain('plain HTTP (`requireHttps: false`)');
    const token = await signIn(app);
    const plain: Headers[] = [
      { Host: 'app.example.com' },
      { 'X-Forwarded-Proto': 'http' },
      { Via: '1.1 proxy' },
    ];
    for (const headers of plain) {
      expect(await codeOf(app, token, headers)).toBe('ok');
    }
  });

  it('public routes are open over plain HTTP', async () => {
    const app = await start({ controllers });
    await app.http.get('/open').set('Host', 'app.example.com').expect(200);
  });

  describe('with development hosts', () => {
    const HOSTS = { requireHttps: { developmentHosts: ['localhost', '192.168.1.20', 'fd00::5', 'api'] } };
    const fromProxy = (headers: Headers) => ({
      Host: 'localhost:3000',
      'X-Forwarded-For': '::1',
      ...headers,
    });

    async function startIn(environment: string | undefined) {
      if (environment === undefined) delete process.env['NODE_ENV'];
      else process.env['NODE_ENV'] = environment;
      return start({ controllers, options: HOSTS });
    }

    async function verdictOn({ app, sessions }: TestApp, request: FakeRequest): Promise<string> {
      const { token } = await sessions.create({ userId: 'ana' });
      const { req, res } = fakeExchange({ ...request, headers: { ...bearer(token), ...request.headers } });
      const context = fakeContext('http', AccountController, 'me', [req, res]);
      return Promise.resolve(app.get(SessionGuard).canActivate(context)).then(
        () => 'ok',
        (error: { code: string }) => error.code,
      );
    }

    it.each<[string, FakeRequest]>([
      ['a telephone in the network', { peer: '192.168.1.50', headers: { Host: '192.168.1.20:3000' } }],
      ['an emulator, whose peer is this machine', { headers: { Host: '192.168.1.20:3000' } }],
      ['a telephone by IPv6', { peer: 'fe80::1%eth0', headers: { Host: '[FD00::5]:3000' } }],
      ['a container', { peer: '::ffff:172.17.0.1', headers: { Host: 'localhost:3000' } }],
      ['another container', { peer: '172.18.0.3', headers: { Host: 'api:3000' } }],
      [
        'the proxy of a development server',
        {
          headers: fromProxy({
            'X-Forwarded-Host': 'localhost:5173',
            'X-Forwarded-Proto': 'http',
            'X-Forwarded-Port': '5173',
          }),
        },
      ],
      [
        'a telephone through that proxy',
        { headers: fromProxy({ 'X-Forwarded-For': '192.168.1.50, ::ffff:127.0.0.1' }) },
      ],
      ['this machine, as ever', {}],
    ])('lets in %s', async (_, request) => {
      expect(await verdictOn(await startIn('development'), request)).toBe('ok');
    });

    it.each<[string, FakeRequest]>([
      ['the internet', { peer: '203.0.113.9', headers: { Host: '192.168.1.20' } }],
      ['a page that had its name lead here', { headers: { Host: 'evil.example.com' } }],
      ['a host that nobody has named', { peer: '192.168.1.50', headers: { Host: '192.168.1.21' } }],
      ['a host that begins like a named one', { headers: { Host: 'api.example.com' } }],
      ['no host', { headers: { Host: '' } }],
      ['a peer that is gone', { peer: '', headers: { Host: '192.168.1.20' } }],
      ['nginx, by HTTP/1.0', { httpVersion: '1.0', headers: { Host: '192.168.1.20' } }],
      ['a proxy that serves the internet', { headers: fromProxy({ 'X-Forwarded-For': '203.0.113.9' }) }],
      ['one in a chain that does', { headers: fromProxy({ 'X-Forwarded-For': '203.0.113.9, 10.0.0.1' }) }],
      ['a proxy whose clients have no address', { headers: fromProxy({ 'X-Forwarded-For': 'unknown' }) }],
      ['a proxy that does not say whom it serves', { headers: { 'X-Forwarded-Proto': 'http' } }],
      ['a proxy that speaks HTTPS', { headers: fromProxy({ 'X-Forwarded-Proto': 'https' }) }],
      ['a proxy for another host', { headers: fromProxy({ 'X-Forwarded-Host': 'app.example.com' }) }],
      ['a proxy that gives itself away', { headers: fromProxy({ Via: '1.1 proxy' }) }],
      ['a proxy that names its client otherwise', { headers: fromProxy({ 'X-Real-IP': '127.0.0.1' }) }],
      ['a proxy that names it as RFC 7239 says', { headers: fromProxy({ Forwarded: 'for=127.0.0.1' }) }],
    ])('does not let in %s', async (_, request) => {
      expect(await verdictOn(await startIn('development'), request)).toBe('https_required');
    });

    it.each(['production', 'staging', 'test', 'Development', 'development ', '', undefined])(
      'holds nothing where NODE_ENV is %p, and the log says so',
      async (environment) => {
        const app = await startIn(environment);
        const phone = { peer: '192.168.1.50', headers: { Host: '192.168.1.20:3000' } };
        expect(await verdictOn(app, phone)).toBe('https_required');
        expect(app.logs.texts('log').join()).toContain('`requireHttps.developmentHosts` is ignored');
      },
    );

    it('says at boot whom it lets in, and what it refuses a request for', async () => {
      const app = await startIn('development');
      expect(app.logs.texts('warn').join()).toContain(
        'over plain HTTP to localhost, 192.168.1.20, fd00::5, api',
      );
      await app.http.get('/me').set('Host', '10.0.2.2:3000').expect(403);
      expect(app.logs.texts('warn').join()).toContain(
        'its Host is "10.0.2.2:3000", which is not in `developmentHosts`',
      );
    });

    it('gives a cookie that the browser sends back over plain HTTP', async () => {
      const app = await startIn('development');
      const answer = await app.http
        .post('/web/login')
        .set('Host', '192.168.1.20:3000')
        .send({ userId: 'ana' })
        .expect(201);
      const [cookie = ''] = answer.headers['set-cookie'] as unknown as string[];
      expect(cookie).toMatch(/^sid=sid_[^;]+; Path=\/; HttpOnly; SameSite=Lax$/);
      const sent = { Host: '192.168.1.20:3000', Cookie: cookie.split(';')[0] ?? '' };
      await app.http.get('/me').set(sent).expect(200);
    });
  });

  it('the log says what to set in development, and does not in production', async () => {
    const told = async () => {
      const app = await start({ controllers });
      await app.http.get('/me').set('Host', '10.0.2.2:3000').expect(403);
      return app.logs.texts('warn').join();
    };
    expect(await told()).toContain('requireHttps: { developmentHosts: [');
    process.env['NODE_ENV'] = 'production';
    expect(await told()).not.toContain('developmentHosts');
  });

  it.each<[string, FakeRequest, boolean]>([
    ['127.0.0.1', {}, true],
    ['127.0.0.2', { peer: '127.0.0.2' }, true],
    ['::1', { peer: '::1' }, true],
    ['an IPv4 loopback address in IPv6', { peer: '::ffff:127.0.0.1' }, true],
    ['a private network', { peer: '10.0.0.5' }, false],
    ['a link-local address', { peer: 'fe80::1' }, false],
    ['the internet', { peer: '203.0.113.9' }, false],
    ['an IPv4 address in IPv6', { peer: '::ffff:10.0.0.5' }, false],
    ['nowhere, as on a closed socket', { peer: '' }, false],
    ['HTTP/1.0, as nginx speaks it to what is behind it', { httpVersion: '1.0' }, false],
    ['HTTP/0.9', { httpVersion: '0.9' }, false],
    ['HTTP/2', { httpVersion: '2.0' }, true],
    ['HTTP/1.0 over HTTPS', { httpVersion: '1.0', protocol: 'https' }, true],
    ['the internet over HTTPS', { peer: '203.0.113.9', protocol: 'https' }, true],
  ])('loopback is the peer too, not only the Host: %s', async (_, request, isAccepted) => {
    const app = await start({ controllers });
    const { token } = await app.sessions.create({ userId: 'ana' });
    const { req, res } = fakeExchange({ ...request, headers: bearer(token) });
    const context = fakeContext('http', AccountController, 'me', [req, res]);
    const verdict = Promise.resolve(app.app.get(SessionGuard).canActivate(context));
    if (isAccepted) expect(await verdict).toBe(true);
    else await expect(verdict).rejects.toMatchObject({ status: 403, code: 'https_required' });
  });
});
