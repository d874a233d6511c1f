import { describe, expect, it } from '@jest/globals';
import { expectNoFaults } from '../support/attack-faults.js';
import { sendBytes, statusesIn } from '../support/attack-wire.js';
import { PLATFORMS } from '../support/platforms.js';
import { getRaw } from '../support/raw-http.js';
import { AccountController } from '../support/sign-in.js';
import { countRows, sharedAppOn } from '../support/test-app.js';

const HOST = 'Host: localhost';

/** A request as it stands on the wire. */
function message(line: string, headers: readonly string[] = [], body = ''): string {
  return [line, HOST, ...headers, '', body].join('\r\n');
}

expectNoFaults(['POST /login']);

describe.each(PLATFORMS)('on %s', (platform) => {
  const start = sharedAppOn(platform, { controllers: [AccountController] });
  const tokenOf = async (userId = 'ana') => (await start().sessions.create({ userId })).token;

  describe('a token in the URL is not one:', () => {
    it.each<[string, (token: string) => string]>([
      [
        'in the query',
        (token) => `/me?access_token=${token}&token=${token}&sid=${token}&__Host-sid=${token}`,
      ],
      ['as a scheme in the query', (token) => `/me?Authorization=Bearer%20${token}`],
      ['as a parameter of the path', (token) => `/me;sid=${token}`],
      ['as a user', (token) => `http://${token}@localhost/me`],
      ['behind a hash', (token) => `/me#${token}`],
    ])('%s', async (_, path) => {
      const app = start();
      const { status, head } = await getRaw(app.app, path(await tokenOf()), []);
      expect([400, 401, 404]).toContain(status);
      expect(head).not.toContain('sid_');
    });

    it('nor in other headers, trailers or the body', async () => {
      const app = start();
      const token = await tokenOf();
      const headers = [
        ...[
          'X-Authorization',
          'Token',
          'X-Access-Token',
          'Session-Token',
          'Sec-WebSocket-Protocol',
          'Cookie2',
        ].map((name) => `${name}: Bearer ${token}`),
        `Cookie: Authorization=Bearer ${token}`,
        'Transfer-Encoding: chunked',
        'Trailer: Authorization',
        'Content-Type: application/json',
        'Connection: close',
      ];
      const body = `{"token":"${token}"}`;
      const chunked = `${body.length.toString(16)}\r\n${body}\r\n0\r\nAuthorization: Bearer ${token}\r\n\r\n`;
      expect(statusesIn(await sendBytes(app.app, message('POST /act HTTP/1.1', headers, chunked)))).toEqual([
        401,
      ]);
    });
  });

  describe('of headers that are not what they seem none lets anybody in:', () => {
    it.each<[string, (token: string) => string[]]>([
      ['a space before the colon', (token) => [`Authorization : Bearer ${token}`]],
      ['a folded line', (token) => ['Authorization: Bearer', ` ${token}`]],
      ['an underscore', (token) => [`HTTP_AUTHORIZATION: Bearer ${token}`]],
      ['NUL in the name', (token) => [`Author\0ization: Bearer ${token}`]],
      ['NUL in the value', (token) => [`Authorization: Bearer ${token}\0`]],
      ['a bare line feed', (token) => [`X-A: b\nAuthorization: Bearer ${token}`]],
      ['a bare carriage return', (token) => [`X-A: b\rAuthorization: Bearer ${token}`]],
      ['several schemes in one', (token) => [`Authorization: Basic YTpi, Bearer ${token}`]],
      ['a tab after the scheme', (token) => [`Authorization: Bearer\t${token}`]],
      ['the token of the scheme in quotes', (token) => [`Authorization: Bearer "${token}"`]],
      ['the token as a parameter', (token) => [`Authorization: Bearer token=${token}`]],
      ['the other scheme first', (token) => [`Authorization: Basic YTpi`, `Authorization: Bearer ${token}`]],
      ['the same twice', (token) => [`Authorization: Bearer ${token}`, `authorization: Bearer ${token}`]],
      ['a scheme in full-width letters', (token) => [`Authorization: \xef\xbc\xa2earer ${token}`]],
    ])('%s', async (_, headers) => {
      const app = start();
      const said = await sendBytes(
        app.app,
        message('GET /me HTTP/1.1', ['Connection: close', ...headers(await tokenOf())]),
      );
      const [status, ...others] = statusesIn(said);
      expect([[400, 401].includes(status ?? 0), others]).toEqual([true, []]);
      expect(said).not.toContain('"userId"');
    });
  });

  describe('odd encodings of a genuine token are not the token, and cost no query:', () => {
    const latin1 = (text: string, encoding: BufferEncoding) => Buffer.from(text, encoding).toString('latin1');
    it.each<[string, (token: string) => string]>([
      ['percent-encoded', (token) => token.replace('s', '%73')],
      ['quoted', (token) => `"${token}"`],
      ['with padding', (token) => `${token}==`],
      ['in base64 of base64', (token) => Buffer.from(token).toString('base64')],
      ['in capitals', (token) => token.toUpperCase()],
      ['in full-width letters', (token) => latin1(token.replace('s', '\uff53'), 'utf8')],
      ['with a zero-width space', (token) => latin1(`${token.slice(0, 9)}\u200b${token.slice(9)}`, 'utf8')],
      ['with a byte order mark', (token) => latin1(`\ufeff${token}`, 'utf8')],
      ['overlong', (token) => token.replace('_', '\xc1\x9f')],
      ['with a letter that looks the same', (token) => latin1(token.replace('i', '\u0456'), 'utf8')],
      ['with blanks inside', (token) => `${token.slice(0, 30)} ${token.slice(30)}`],
      ['twice', (token) => token + token],
      ['with another after a comma', (token) => `${token},${token}`],
      ['with seven kilobytes behind it', (token) => token + 'A'.repeat(7_000)],
      ['with seven kilobytes before it', (token) => 'A'.repeat(7_000) + token],
      ['backwards', (token) => [...token].toReversed().join('')],
    ])('%s', async (_, change) => {
      const app = start();
      const odd = change(await tokenOf());
      app.queries.length = 0;
      for (const header of [`Authorization: Bearer ${odd}`, `Cookie: sid=${odd}`]) {
        const { status, body } = await getRaw(app.app, '/me', [header]);
        expect([status, body['code']]).toEqual([401, 'session_invalid']);
      }
      expect(app.queries).toEqual([]);
    });
  });

  it('thousands of cookies, and names and values without end, let nobody in and hold nobody up', async () => {
    const app = start();
    const token = await tokenOf();
    const crumbs = [
      ';'.repeat(12_000),
      '='.repeat(12_000),
      'sid '.repeat(3_000),
      `${'a=b;'.repeat(3_000)}`,
      'sid;'.repeat(3_000),
    ];
    for (const crumb of crumbs) {
      const began = performance.now();
      expect((await getRaw(app.app, '/me', [`Cookie: ${crumb}`])).body['code']).toBe('session_required');
      expect(performance.now() - began).toBeLessThan(2_000);
      expect((await getRaw(app.app, '/me', [`Cookie: ${crumb};sid=${token}`])).status).toBe(200);
    }
  });

  describe('one connection for several people', () => {
    it('carries no session from one request to the next', async () => {
      const app = start();
      const [ana, bo] = [await tokenOf('ana'), await tokenOf('bo')];
      const said = await sendBytes(
        app.app,
        [
          message('GET /me HTTP/1.1', [`Authorization: Bearer ${ana}`]),
          message('GET /me HTTP/1.1'),
          message('GET /me HTTP/1.1', [`Cookie: sid=${bo}`]),
          message('GET /me HTTP/1.1', ['Connection: close']),
        ].join(''),
      );
      expect(statusesIn(said)).toEqual([200, 401, 200, 401]);
      expect([...said.matchAll(/"userId":"(\w+)"/g)].map(([, userId]) => userId)).toEqual(['ana', 'bo']);
    });

    it.each<[string, string[]]>([
      ['both lengths', ['Content-Length: 4', 'Transfer-Encoding: chunked']],
      ['two lengths', ['Content-Length: 4', 'Content-Length: 40']],
      ['a chunked that is none', ['Transfer-Encoding: xchunked']],
      ['a chunked with a tab', ['Transfer-Encoding:\tchunked', 'Content-Length: 4']],
    ])('smuggles no request in the body of another, by %s', async (_, lengths) => {
      const app = start();
      const victim = await tokenOf('ana');
      const hidden = message('POST /logout HTTP/1.1', [
        `Authorization: Bearer ${victim}`,
        'Content-Length: 0',
      ]);
      const said = await sendBytes(app.app, message('POST /act HTTP/1.1', lengths, `0\r\n\r\n${hidden}`));
      expect(statusesIn(said).filter((status) => status < 400)).toEqual([]);
      expect(await countRows(app)).toBe(1);
    });
  });

  it('what is no HTTP is refused, and the honest are served afterwards', async () => {
    const app = start();
    const token = await tokenOf();
    for (const bytes of [
      '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      'GET /me HTTP/9.9\r\n\r\n',
      `GET /me\r\nAuthorization: Bearer ${token}\r\n\r\n`,
      'GET /%E0%A4%A HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
      '\0\0\0\0',
      'GET http:// HTTP/1.1\r\nHost: \r\nConnection: close\r\n\r\n',
      `POST /login HTTP/1.1\r\n${HOST}\r\nContent-Type: application/json\r\nContent-Length: 9\r\nConnection: close\r\n\r\n{"userId"`,
      `POST /login HTTP/1.1\r\n${HOST}\r\nContent-Type: application/json; charset=klingon\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`,
      `POST /login HTTP/1.1\r\n${HOST}\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`,
    ]) {
      const statuses = statusesIn(await sendBytes(app.app, bytes, 150));
      expect(statuses.every((status) => status >= 400)).toBe(true);
    }
    expect((await getRaw(app.app, '/me', [`Authorization: Bearer ${token}`])).status).toBe(200);
  });
});
