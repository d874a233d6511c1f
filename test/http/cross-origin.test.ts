import { Controller, Get, HttpCode, Patch, Post } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { AllowAnonymous, EndSession, Public, SessionGuard, StartSession } from 'nestjs-sessions';
import { fakeContext, fakeExchange } from '../support/fake-context.js';
import { PLATFORMS } from '../support/platforms.js';
import { AccountController, bearer, signIn, signInByCookie } from '../support/sign-in.js';
import { countRows, sharedAppOn, type TestApp } from '../support/test-app.js';

@Controller()
class CrossingController {
  @HttpCode(200) @StartSession({ transport: 'cookie', crossOrigin: true }) @Post('saml') saml() {
    return { userId: 'ana' };
  }
  @StartSession({ transport: 'cookie', crossOrigin: true }) @Get('callback') callback() {
    return { userId: 'ana' };
  }
  @StartSession() @Get('link') link() {
    return { userId: 'mallory' };
  }
  @HttpCode(200) @EndSession({ transport: 'cookie', crossOrigin: true }) @Post('saml/logout') samlLogout() {}
  @Patch('act') patch(): string {
    return 'patched';
  }
  @HttpCode(200) @AllowAnonymous() @Post('cart') cart(): string {
    return 'cart';
  }
  @HttpCode(200) @Public() @Post('contact') contact(): string {
    return 'contact';
  }
}

class CatsResolver {
  cats(): string[] {
    return [];
  }
  addCat(): void {}
  @Public() openCats(): string[] {
    return [];
  }
}

const controllers = [AccountController, CrossingController];
const HOST = 'app.example.com';
const OWN = `https://${HOST}`;
const HTTPS = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': HOST };
const TRUSTED = 'https://partner.example.org';
const FOREIGN = 'https://evil.example.net';

type Headers = Record<string, string>;

function from(origin: string | undefined, site?: string, others: Headers = {}): Headers {
  return {
    ...(origin !== undefined && { Origin: origin }),
    ...(site && { 'Sec-Fetch-Site': site }),
    ...others,
  };
}

/** What comes with a request, and whether it may be from a page of another origin. */
const TABLE: readonly [what: string, headers: Headers, isRefused: boolean][] = [
  ['neither header: no browser', from(undefined), false],
  ['Sec-Fetch-Site: same-origin', from(undefined, 'same-origin'), false],
  ['Sec-Fetch-Site: none, as from a bookmark', from(undefined, 'none'), false],
  ['Sec-Fetch-Site: same-site, as from a subdomain', from(undefined, 'same-site'), true],
  ['Sec-Fetch-Site: cross-site', from(undefined, 'cross-site'), true],
  ['Sec-Fetch-Site of the future', from(undefined, 'near-site'), true],
  ['Sec-Fetch-Site in capitals', from(undefined, 'SAME-ORIGIN'), true],
  ['two values of Sec-Fetch-Site', from(undefined, 'same-origin, cross-site'), true],
  ['Sec-Fetch-Site outranking a foreign Origin', from(FOREIGN, 'same-origin'), false],
  ['Sec-Fetch-Site outranking an own Origin', from(OWN, 'cross-site'), true],
  ['own Origin', from(OWN), false],
  [
    'own Origin where the Host has the default port',
    from(OWN, undefined, { 'X-Forwarded-Host': `${HOST}:443` }),
    false,
  ],
  ['foreign Origin', from(FOREIGN), true],
  ['Origin of a subdomain', from(`https://x.${HOST}`), true],
  ['Origin that begins like the own', from(`${OWN}.evil.net`), true],
  ['Origin with another port', from(`${OWN}:8443`), true],
  ['Origin with another scheme', from(`http://${HOST}`), true],
  ['Origin: null, as from a sandboxed frame', from('null'), true],
  ['Origin with a path', from(`${OWN}/`), true],
  ['nonsense as Origin', from('::'), true],
  ['trusted Origin', from(TRUSTED), false],
  ['trusted Origin, cross-site', from(TRUSTED, 'cross-site'), false],
  ['trusted Origin with another scheme', from(TRUSTED.replace('https', 'http'), 'cross-site'), true],
  ['trusted Origin with another port', from(`${TRUSTED}:8443`), true],
  ['trusted Referer only', from(undefined, 'cross-site', { Referer: `${TRUSTED}/page` }), true],
  ['Origin: null, cross-site', from('null', 'cross-site'), true],
];

async function codeOf(request: Promise<{ status: number; body: { code?: string } }>): Promise<string> {
  const { status, body } = await request;
  return status < 300 ? 'ok' : `${status} ${body.code}`;
}

describe.each(PLATFORMS)('on %s', (platform) => {
  const options = { trustedOrigins: [TRUSTED] };
  const start = sharedAppOn(platform, { controllers, trustProxy: true, options });

  describe('an unsafe request with the cookie', () => {
    it.each(TABLE)('%s', async (_, headers, isRefused) => {
      const app = start();
      const cookie = await signInByCookie(app, { userId: 'ana' }, HTTPS);
      const expected = isRefused ? '403 cross_origin' : 'ok';
      for (const send of [() => app.http.post('/act'), () => app.http.patch('/act')]) {
        const request = send().set(HTTPS).set('Cookie', cookie).set(headers);
        expect(await codeOf(request as never)).toBe(expected);
      }
      // A refusal is no reason to end anything.
      await app.http.get('/me').set(HTTPS).set('Cookie', cookie).expect(200);
    });
  });

  describe('a sign-in on GET, which answers by the cookie that the request shows,', () => {
    it.each(TABLE)('%s', async (_, headers, isRefused) => {
      const app = start();
      const cookie = await signInByCookie(app, { userId: 'ana' }, HTTPS);
      const request = app.http.get('/link').set(HTTPS).set('Cookie', cookie).set(headers);
      expect(await codeOf(request as never)).toBe(isRefused ? '403 cross_origin' : 'ok');
      await app.http
        .get('/me')
        .set(HTTPS)
        .set('Cookie', cookie)
        .expect(isRefused ? 200 : 401);
    });
  });

  describe('sign-in and sign-out in cookie mode, with no cookie', () => {
    it.each(TABLE)('%s', async (_, headers, isRefused) => {
      const app = start();
      const expected = isRefused ? '403 cross_origin' : 'ok';
      for (const path of ['/web/login', '/web/logout']) {
        const request = app.http.post(path).set(HTTPS).set(headers).send({ userId: 'ana' });
        expect(await codeOf(request as never)).toBe(expected);
      }
      expect(await countRows(app)).toBe(isRefused ? 0 : 1);
    });
  });

  describe('never concerns', () => {
    const foreign = from(FOREIGN, 'cross-site', HTTPS);

    it.each(TABLE)('a request with a bearer token: %s', async (_, headers) => {
      const app = start();
      const token = await signIn({ http: withHttps(app) });
      for (const path of ['/act', '/web/login', '/web/logout']) {
        const request = app.http
          .post(path)
          .set(HTTPS)
          .set(bearer(token))
          .set(headers)
          .send({ userId: 'ana' });
        expect(await codeOf(request as never)).toBe('ok');
      }
    });

    it('a request with both, for the bearer token alone counts', async () => {
      const app = start();
      const cookie = await signInByCookie(app, { userId: 'ana' }, HTTPS);
      const token = await signIn({ http: withHttps(app) });
      await app.http.post('/act').set(foreign).set(bearer(token)).set('Cookie', cookie).expect(200);
    });

    it('sign-in and sign-out in bearer mode without a cookie', async () => {
      const app = start();
      await app.http.post('/login').set(foreign).send({ userId: 'ana' }).expect(201);
      await app.http.post('/logout').set(foreign).expect(200);
    });

    it('safe methods', async () => {
      const app = start();
      const cookie = await signInByCookie(app, { userId: 'ana' }, HTTPS);
      await app.http.get('/me').set(foreign).set('Cookie', cookie).expect(200);
      await app.http.head('/me').set(foreign).set('Cookie', cookie).expect(200);
      await app.http.get('/callback').set(foreign).expect(200);
    });

    it('public routes', async () => {
      const app = start();
      const cookie = await signInByCookie(app, { userId: 'ana' }, HTTPS);
      await app.http.post('/contact').set(foreign).set('Cookie', cookie).expect(200);
    });

    it('requests without any credentials, which are 401', async () => {
      const app = start();
      await app.http.post('/act').set(foreign).expect(401);
    });
  });

  describe('also concerns', () => {
    const foreign = from(FOREIGN, 'cross-site', HTTPS);

    it('sign-in and sign-out in bearer mode that come with a cookie', async () => {
      const app = start();
      const cookie = await signInByCookie(app, { userId: 'ana' }, HTTPS);
      for (const path of ['/login', '/logout']) {
        const request = app.http.post(path).set(foreign).set('Cookie', cookie).send({ userId: 'ana' });
        expect(await codeOf(request as never)).toBe('403 cross_origin');
      }
      await app.http.get('/me').set(HTTPS).set('Cookie', cookie).expect(200);
    });

    it('anonymous sessions', async () => {
      const app = start();
      const { token } = await app.sessions.createAnonymous();
      const cookie = `__Host-sid=${token}`;
      await app.http.post('/cart').set(HTTPS).set('Cookie', cookie).expect(200);
      const request = app.http.post('/cart').set(foreign).set('Cookie', cookie);
      expect(await codeOf(request as never)).toBe('403 cross_origin');
    });

    it('several cookies of the name, and dead ones', async () => {
      const app = start();
      for (const cookie of ['__Host-sid=a; __Host-sid=b', '__Host-sid=garbage', '__Host-sid=']) {
        const request = app.http.post('/act').set(foreign).set('Cookie', cookie);
        expect(await codeOf(request as never)).toBe('403 cross_origin');
      }
    });

    it('another scheme of Authorization beside the cookie', async () => {
      const app = start();
      const cookie = await signInByCookie(app, { userId: 'ana' }, HTTPS);
      const request = app.http
        .post('/act')
        .set(foreign)
        .set('Authorization', 'Basic YTpi')
        .set('Cookie', cookie);
      expect(await codeOf(request as never)).toBe('403 cross_origin');
    });
  });

  describe('crossOrigin: true on a decorator', () => {
    const foreign = from('null', 'cross-site', HTTPS);

    it('opens that sign-in to foreign pages, as SAML and form_post need it', async () => {
      const app = start();
      const answer = await app.http.post('/saml').set(foreign).expect(200);
      expect(answer.headers['set-cookie']?.[0]).toMatch(/^__Host-sid=sid_/);
    });

    it('opens that sign-out, with and without a cookie', async () => {
      const app = start();
      await app.http.post('/saml/logout').set(foreign).expect(200);
      const cookie = await signInByCookie(app, { userId: 'ana' }, HTTPS);
      await app.http.post('/saml/logout').set(foreign).set('Cookie', cookie).expect(200);
      expect(await countRows(app)).toBe(0);
    });

    it('opens nothing else', async () => {
      const app = start();
      const request = app.http.post('/web/login').set(foreign).send({ userId: 'ana' });
      expect(await codeOf(request as never)).toBe('403 cross_origin');
    });
  });

  describe('a GraphQL request', () => {
    async function verdictOf(app: TestApp, verb: string, operation: string | null, headers: Headers) {
      const { token } = await app.sessions.create({ userId: 'ana' });
      const { req, res } = fakeExchange({ method: verb, headers: { Cookie: `sid=${token}`, ...headers } });
      const info = operation === null ? undefined : { operation: { operation } };
      const method = operation === 'mutation' ? 'addCat' : 'cats';
      const context = fakeContext('graphql', CatsResolver, method, [{}, {}, { req, res }, info]);
      return Promise.resolve(app.app.get(SessionGuard).canActivate(context)).catch(
        (error: { code?: string; message: string }) => error.code ?? error.message,
      );
    }
    const foreign = { 'Sec-Fetch-Site': 'cross-site' };

    it('that is a mutation is unsafe even over GET', async () => {
      const app = start();
      expect(await verdictOf(app, 'GET', 'mutation', foreign)).toBe('cross_origin');
      expect(await verdictOf(app, 'GET', 'mutation', { 'Sec-Fetch-Site': 'same-origin' })).toBe(true);
      expect(await verdictOf(app, 'POST', 'mutation', foreign)).toBe('cross_origin');
    });

    it('that is a query is judged by its method', async () => {
      const app = start();
      expect(await verdictOf(app, 'GET', 'query', foreign)).toBe(true);
      expect(await verdictOf(app, 'POST', 'query', foreign)).toBe('cross_origin');
      expect(await verdictOf(app, 'POST', null, {})).toBe(true);
    });

    it('needs the session like any other', async () => {
      const app = start();
      expect(await verdictOf(app, 'POST', 'query', { Cookie: 'a=b' })).toBe('session_required');
      expect(await verdictOf(app, 'POST', 'query', { Cookie: 'sid=garbage' })).toBe('session_invalid');
    });

    it('without the request in its context is refused with a message that says what to do', async () => {
      const app = start();
      const guard = app.app.get(SessionGuard);
      for (const context of [undefined, {}, { user: 'ana' }]) {
        const args = [{}, {}, context, {}];
        const work = async () => guard.canActivate(fakeContext('graphql', CatsResolver, 'cats', args));
        await expect(work()).rejects.toThrow('{ req, res }');
      }
      const open = fakeContext('graphql', CatsResolver, 'openCats', [{}, {}, {}, {}]);
      expect(await guard.canActivate(open)).toBe(true);
    });
  });

  it('messages of other types are refused, and the log says why, unless @Public()', async () => {
    const app = start();
    const guard = app.app.get(SessionGuard);
    const args = [{ handshake: { headers: {} } }, {}];
    const fromNobody = fakeContext('ws', CatsResolver, 'cats', args);
    await expect(guard.canActivate(fromNobody)).rejects.toMatchObject({ code: 'session_required' });
    expect(await guard.canActivate(fakeContext('ws', CatsResolver, 'openCats', args))).toBe(true);
    for (const type of ['rpc', 'something-new']) {
      expect(await guard.canActivate(fakeContext(type, CatsResolver, 'cats', args))).toBe(false);
      expect(await guard.canActivate(fakeContext(type, CatsResolver, 'openCats', args))).toBe(true);
    }
    expect(app.logs.texts('warn').join()).toContain('@Public()');
  });
});

/** As `http`, but behind a proxy that speaks HTTPS. */
function withHttps({ http }: TestApp): TestApp['http'] {
  return { ...http, post: (path: string) => http.post(path).set(HTTPS) } as TestApp['http'];
}
