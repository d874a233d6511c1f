import { All, Body, Controller, HttpCode, type INestApplication, Post } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { expectNoFaults } from '../support/attack-faults.js';
import { type CrossingRequest, EXCEPTIONS, goAllows } from '../support/attack-oracle.js';
import { Wire, type WireAnswer } from '../support/attack-wire.js';
import { PLATFORMS } from '../support/platforms.js';
import { AccountController } from '../support/sign-in.js';
import { countRows, sharedAppOn } from '../support/test-app.js';

const HOST = 'app.example.com';
const TRUSTED = 'https://partner.example.org';
const METHODS = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE'];
const UNSAFE = ['POST', 'PUT', 'PATCH', 'DELETE'];
const HOSTS = [HOST, `${HOST}:443`, 'other.example.com'];
const SITES = [undefined, 'same-origin', 'same-site', 'cross-site', 'none', '', 'SAME-ORIGIN', 'new-site'];
const ORIGINS = [
  undefined,
  '',
  'null',
  `https://${HOST}`,
  `http://${HOST}`,
  `https://${HOST}:443`,
  `https://${HOST}:8443`,
  `https://sub.${HOST}`,
  `https://${HOST}.evil.net`,
  'https://evil.net',
  TRUSTED,
  `${TRUSTED}:8443`,
  TRUSTED.replace('https', 'http'),
];

const done: string[] = [];

@Controller()
class TransferController {
  @HttpCode(200) @All('transfer') transfer(): string {
    done.push('transfer');
    return 'transferred';
  }
  @HttpCode(200) @Post('form') form(@Body() body: unknown): string {
    done.push(JSON.stringify(body ?? null));
    return 'sent';
  }
}

function combinations(methods: readonly string[]): CrossingRequest[] {
  return methods.flatMap((method) =>
    HOSTS.flatMap((host) =>
      SITES.flatMap((site) => ORIGINS.map((origin) => ({ method, host, site, origin }))),
    ),
  );
}

/** What the standard says, but for the exceptions that are stated. */
function expected(request: CrossingRequest): boolean {
  const goes = goAllows(request, TRUSTED);
  if (!UNSAFE.includes(request.method)) return goes;
  return EXCEPTIONS.find(({ applies }) => applies(request, TRUSTED))?.allows ?? goes;
}

function headersOf({ host, site, origin }: CrossingRequest, others: Record<string, string> = {}) {
  return {
    Host: host,
    'X-Forwarded-Proto': 'https',
    ...(site !== undefined && { 'Sec-Fetch-Site': site }),
    ...(origin !== undefined && { Origin: origin }),
    ...others,
  };
}

expectNoFaults();

it('every exception to the rule of Go 1.25 is one: it changes an answer, and no two concern one request', () => {
  const all = combinations(UNSAFE);
  for (const { why, applies, allows } of EXCEPTIONS) {
    const concerned = all.filter((request) => applies(request, TRUSTED));
    expect([why, concerned.some((request) => goAllows(request, TRUSTED) !== allows)]).toEqual([why, true]);
  }
  expect(
    all.filter((request) => EXCEPTIONS.filter(({ applies }) => applies(request, TRUSTED)).length > 1),
  ).toEqual([]);
});

describe.each(PLATFORMS)('on %s', (platform) => {
  const start = sharedAppOn(platform, {
    controllers: [AccountController, TransferController],
    trustProxy: true,
    options: { trustedOrigins: [TRUSTED] },
  });
  let wire: Wire;
  let cookie: string;
  let token: string;
  beforeAll(() => {
    wire = new Wire(start().app);
  });
  afterAll(() => wire.close());
  beforeEach(async () => {
    done.length = 0;
    ({ token } = await start().sessions.create({ userId: 'ana' }));
    cookie = `__Host-sid=${token}`;
  });

  /** Sends all of them, and returns those that were not answered as they should. */
  async function wrong(
    requests: readonly CrossingRequest[],
    send: (request: CrossingRequest) => Promise<WireAnswer>,
    allowed: (request: CrossingRequest) => boolean = expected,
  ) {
    const answers = await Promise.all(
      requests.map(async (request) => ({ request, answer: await send(request) })),
    );
    return answers.filter(({ request, answer }) => {
      if (allowed(request)) return answer.status >= 300;
      return answer.status !== 403 || !answer.text.includes('"cross_origin"');
    });
  }

  it.each(METHODS)('%s with the cookie: every Sec-Fetch-Site, Origin and Host', async (method) => {
    const requests = combinations([method]);
    expect(
      await wrong(requests, (one) => wire.send(method, '/transfer', headersOf(one, { Cookie: cookie }))),
    ).toEqual([]);
    // What was refused was not done either.
    const allowed = requests.filter(expected).length;
    expect(done).toHaveLength(allowed);
    expect(allowed).toBe(UNSAFE.includes(method) ? allowed : requests.length);
  });

  it.each(['/web/login', '/web/logout'])('%s without a cookie: every one of them too', async (path) => {
    const json = { 'Content-Type': 'application/json' };
    const body = '{"userId":"ana"}';
    const requests = combinations(['POST']);
    expect(await wrong(requests, (one) => wire.send('POST', path, headersOf(one, json), body))).toEqual([]);
  });

  it('a bearer token needs none of it: no page can make a browser send it', async () => {
    const requests = combinations(['POST', 'DELETE']);
    const headers = { Authorization: `Bearer ${token}` };
    const send = (one: CrossingRequest) => wire.send(one.method, '/transfer', headersOf(one, headers));
    expect(await wrong(requests, send, () => true)).toEqual([]);
  });

  describe('what a page of another site can send', () => {
    const foreign = { method: 'POST', host: HOST, site: 'cross-site', origin: 'https://evil.net' };
    const JSON_IN_PLAIN_TEXT = '{"to":"mallory","x":"="}';

    it.each<[string, CrossingRequest, Record<string, string>, string]>([
      ['a form', foreign, { 'Content-Type': 'application/x-www-form-urlencoded' }, 'to=mallory'],
      [
        'a form with files',
        foreign,
        { 'Content-Type': 'multipart/form-data; boundary=x' },
        '--x\r\nContent-Disposition: form-data; name="to"\r\n\r\nmallory\r\n--x--\r\n',
      ],
      ['a form that looks like JSON', foreign, { 'Content-Type': 'text/plain' }, JSON_IN_PLAIN_TEXT],
      ['a fetch without CORS', foreign, { 'Sec-Fetch-Mode': 'no-cors' }, ''],
      ['a beacon', foreign, { 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'empty' }, ''],
      ['a top-level form', foreign, { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-User': '?1' }, ''],
      ['a sandboxed frame', { ...foreign, origin: 'null' }, {}, ''],
      ['a page without referrer', { ...foreign, origin: 'null' }, { Referer: '' }, ''],
      ['an older browser', { ...foreign, site: undefined }, {}, ''],
      ['an older browser in a sandboxed frame', { ...foreign, site: undefined, origin: 'null' }, {}, ''],
      ['a subdomain', { ...foreign, site: 'same-site', origin: `https://blog.${HOST}` }, {}, ''],
      [
        'a subdomain, in an older browser',
        { ...foreign, site: undefined, origin: `https://blog.${HOST}` },
        {},
        '',
      ],
      ['the same host over plain HTTP', { ...foreign, site: 'cross-site', origin: `http://${HOST}` }, {}, ''],
      ['another port of the host', { ...foreign, site: 'same-site', origin: `https://${HOST}:8443` }, {}, ''],
      ['a page that forges a Referer', foreign, { Referer: `https://${HOST}/transfer` }, ''],
    ])('%s is refused, and does nothing', async (_, request, headers, body) => {
      for (const path of ['/form', '/transfer']) {
        const answer = await wire.send(
          'POST',
          path,
          headersOf(request, { Cookie: cookie, ...headers }),
          body,
        );
        // Fastify knows no forms with files.
        expect(answer.text).toMatch(/"cross_origin"|Unsupported Media Type/);
      }
      expect(done).toEqual([]);
    });

    it.each(['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override'])(
      'nor does %s make it safe, or a safe one change anything',
      async (header) => {
        for (const verb of ['GET', 'HEAD', 'OPTIONS']) {
          const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
          const headers = headersOf(foreign, { Cookie: cookie, [header]: verb, ...form });
          expect((await wire.send('POST', '/form', headers)).status).toBe(403);
          expect((await wire.send('POST', `/form?_method=${verb}`, headers, `_method=${verb}`)).status).toBe(
            403,
          );
        }
        const get = headersOf({ ...foreign, method: 'GET' }, { Cookie: cookie, [header]: 'POST' });
        expect((await wire.send('GET', '/form?_method=POST', get)).status).toBe(404);
        expect(done).toEqual([]);
      },
    );

    it('cannot sign the victim in to the attacker’s account, nor out', async () => {
      const app = start();
      const json = { 'Content-Type': 'application/json' };
      const body = '{"userId":"mallory"}';
      const login = await wire.send('POST', '/web/login', headersOf(foreign, json), body);
      const logout = await wire.send('POST', '/web/logout', headersOf(foreign, { Cookie: cookie }));
      expect([login.status, login.headers['set-cookie']]).toEqual([403, undefined]);
      expect([logout.status, logout.headers['clear-site-data']]).toEqual([403, undefined]);
      expect(await countRows(app)).toBe(1);
    });
  });
});

describe('behind a middleware that overrides methods', () => {
  /** As `method-override` does it. */
  const overriding = (app: INestApplication): unknown =>
    app.use((request: { method: string; headers: Record<string, string> }, _: unknown, next: () => void) => {
      request.method = request.headers['x-http-method-override'] ?? request.method;
      next();
    });
  const start = sharedAppOn('express', {
    controllers: [AccountController, TransferController],
    trustProxy: true,
    configure: overriding,
  });

  it('a GET that becomes a POST is judged as one', async () => {
    const app = start();
    const wire = new Wire(app.app);
    const { token } = await app.sessions.create({ userId: 'ana' });
    const request = { method: 'GET', host: HOST, site: 'cross-site', origin: undefined };
    const headers = headersOf(request, { Cookie: `__Host-sid=${token}`, 'X-HTTP-Method-Override': 'POST' });
    done.length = 0;
    expect((await wire.send('GET', '/form', headers)).status).toBe(403);
    expect((await wire.send('GET', '/form', { ...headers, 'Sec-Fetch-Site': 'same-origin' })).status).toBe(
      200,
    );
    expect(done).toHaveLength(1);
    wire.close();
  });
});
