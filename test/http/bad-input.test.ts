import { Body, Controller, Post } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { type SessionPrincipal, StartSession } from 'nestjs-sessions';
import { TestClock } from 'nestjs-sessions/testing';
import { PLATFORMS } from '../support/platforms.js';
import { getRaw } from '../support/raw-http.js';
import { AccountController, bearer, signIn, signInByCookie } from '../support/sign-in.js';
import { appsOn, countRows, sharedAppOn } from '../support/test-app.js';

@Controller()
class MergingController {
  @StartSession() @Post('merge') merge(@Body() body: object): SessionPrincipal {
    return { userId: 'ana', ...body };
  }
  @StartSession() @Post('keep') keep(@Body() body: Record<string, string>): SessionPrincipal {
    return { userId: 'ana', data: body };
  }
}

const controllers = [AccountController, MergingController];
const OTHER_TOKEN = `sid_${'A'.repeat(70)}`;

describe.each(PLATFORMS)('on %s', (platform) => {
  const startApp = appsOn(platform);
  const start = sharedAppOn(platform, { controllers });

  describe('a malformed token is refused without a query:', () => {
    const token = `sid_${'x'.repeat(70)}`;
    it.each<[string, string, string]>([
      ['no token after the scheme', 'Bearer', 'session_invalid'],
      ['blanks after the scheme', 'Bearer    ', 'session_invalid'],
      ['a wrong checksum', `Bearer ${token}`, 'session_invalid'],
      ['another prefix', `Bearer ${token.replace('sid_', 'sit_')}`, 'session_invalid'],
      ['two tokens', `Bearer ${token} ${token}`, 'session_invalid'],
      ['two tokens with a comma', `Bearer ${token}, Bearer ${token}`, 'session_invalid'],
      ['seven thousand characters', `Bearer ${'a'.repeat(7_000)}`, 'session_invalid'],
      ['bytes that are no ASCII', `Bearer sid_${'\u00e9\u00ff\u0080'.repeat(20)}`, 'session_invalid'],
      ['base64 in place of base64url', `Bearer ${token.replace('xx', '+/')}`, 'session_invalid'],
      ['an empty header', '', 'session_required'],
      ['the scheme Basic', 'Basic YW5hOnNlY3JldA==', 'session_required'],
      ['a scheme that begins like Bearer', `BearerX ${token}`, 'session_required'],
      ['a token without a scheme', token, 'session_required'],
    ])('%s', async (_, authorization, code) => {
      const app = start();
      const answer = await getRaw(app.app, '/me', [`Authorization: ${authorization}`]);
      expect([answer.status, answer.body['code']]).toEqual([401, code]);
      expect(app.queries).toEqual([]);
    });

    it('a genuine token that was cut, or has a character more, or one changed', async () => {
      const app = start();
      const genuine = await signIn(app);
      app.queries.length = 0;
      const changed = genuine.slice(0, 20) + (genuine[20] === 'A' ? 'B' : 'A') + genuine.slice(21);
      for (const bad of [genuine.slice(0, -1), `${genuine}A`, changed, genuine.toUpperCase()]) {
        const answer = await app.http.get('/me').set(bearer(bad));
        expect([answer.status, answer.body.code]).toEqual([401, 'session_invalid']);
      }
      expect(app.queries).toEqual([]);
    });
  });

  it('reads the scheme in any case, as RFC 9110 says', async () => {
    const app = start();
    const token = await signIn(app);
    await app.http.get('/me').set('Authorization', `bEARER ${token}`).expect(200);
  });

  it('refuses a header that is too long for Node, and lives on', async () => {
    const app = start();
    const token = await signIn(app);
    const { status } = await getRaw(app.app, '/me', [`Authorization: Bearer ${'a'.repeat(20_000)}`]);
    expect(status).toBe(431);
    await app.http.get('/me').set(bearer(token)).expect(200);
  });

  describe('of more than one token none is taken:', () => {
    it('refuses a duplicated Authorization header, though Node would keep the first', async () => {
      const app = start();
      const genuine = `Authorization: Bearer ${await signIn(app)}`;
      const other = `authorization: Bearer ${OTHER_TOKEN}`;
      expect((await getRaw(app.app, '/me', [genuine])).status).toBe(200);
      for (const headers of [
        [genuine, other],
        [other, genuine],
        [genuine, genuine],
        [genuine, 'Authorization: Basic YQ=='],
      ]) {
        const { status, body } = await getRaw(app.app, '/me', headers);
        expect([status, body['code']]).toEqual([401, 'session_invalid']);
      }
    });

    it('refuses several cookies of the name, in one header or in several', async () => {
      const app = start();
      const cookie = await signInByCookie(app);
      expect((await getRaw(app.app, '/me', [`Cookie: a=1; ${cookie}; b=2`])).status).toBe(200);
      for (const headers of [
        [`Cookie: ${cookie}; sid=${OTHER_TOKEN}`],
        [`Cookie: sid=${OTHER_TOKEN}; ${cookie}`],
        [`Cookie: ${cookie};${cookie}`],
        [`Cookie: ${cookie}`, `Cookie: sid=`],
      ]) {
        const { status, body } = await getRaw(app.app, '/me', headers);
        expect([status, body['code']]).toEqual([401, 'session_invalid']);
      }
    });

    it('leaves cookies with a similar name alone', async () => {
      const app = start();
      const cookie = await signInByCookie(app);
      const similar = `Cookie: SID=1; xsid=2; sid2=3; connect.sid=4; ${cookie}; sid`;
      expect((await getRaw(app.app, '/me', [similar])).status).toBe(200);
      expect((await getRaw(app.app, '/me', [`Cookie: x${cookie}`])).body['code']).toBe('session_required');
    });
  });

  describe('a cookie and a bearer token together:', () => {
    it('a good bearer token is enough, whatever the cookie is', async () => {
      const app = start();
      const token = await signIn(app, { userId: 'bo' });
      const cookie = await signInByCookie(app, { userId: 'ana' });
      for (const shown of [cookie, 'sid=garbage', `${cookie}; ${cookie}`]) {
        const answer = await app.http.get('/me').set(bearer(token)).set('Cookie', shown).expect(200);
        expect(answer.body.userId).toBe('bo');
      }
    });

    it('a bad bearer token is refused, however good the cookie is', async () => {
      const app = start();
      const cookie = await signInByCookie(app);
      for (const shown of ['Bearer', 'Bearer garbage', `Bearer ${OTHER_TOKEN}`]) {
        const answer = await app.http.get('/me').set('Authorization', shown).set('Cookie', cookie);
        expect([answer.status, answer.body.code]).toEqual([401, 'session_invalid']);
      }
    });

    it('another scheme does not outrank the cookie', async () => {
      const app = start();
      const cookie = await signInByCookie(app);
      await app.http.get('/me').set('Authorization', 'Basic YTpi').set('Cookie', cookie).expect(200);
    });
  });

  it('does not look for a token in the URL, the body or other headers', async () => {
    const app = start();
    const token = await signIn(app);
    const answer = await app.http
      .post(`/act?token=${token}&access_token=${token}&sid=${token}`)
      .set({ 'Session-Token': token, 'X-Session-Token': token, 'Proxy-Authorization': `Bearer ${token}` })
      .send({ token, access_token: token, sid: token });
    expect([answer.status, answer.body.code]).toEqual([401, 'session_required']);
  });

  it('the id of a session is no token', async () => {
    const app = start();
    const { session } = await app.sessions.create({ userId: 'ana' });
    expect((await app.http.get('/me').set(bearer(session.id))).body.code).toBe('session_invalid');
  });

  it('the token of a purged session is 401 session_invalid', async () => {
    const clock = new TestClock();
    const app = await startApp({ controllers, options: { clock: clock.now } });
    const token = await signIn(app);
    clock.advance('2d');
    expect(await app.sessions.purgeExpired()).toBe(1);
    const answer = await app.http.get('/me').set(bearer(token));
    expect([answer.status, answer.body.code]).toEqual([401, 'session_invalid']);
  });

  describe('a body that is meant to pollute prototypes', () => {
    const polluting = [
      '{"__proto__":{"roles":["admin"],"userId":"root"}}',
      '{"constructor":{"prototype":{"roles":["admin"]}}}',
      '{"data":{"__proto__":{"roles":["admin"]}}}',
      '{"data":{"constructor":{"prototype":{"roles":["admin"]}}}}',
      '{"data":{"a":{"__proto__":{"roles":["admin"]}}}}',
    ];
    it.each(polluting)('gives no rights and breaks nothing: %s', async (body) => {
      const app = start();
      for (const path of ['/merge', '/keep']) {
        const answer = await app.http.post(path).set('Content-Type', 'application/json').send(body);
        expect([201, 400, 401]).toContain(answer.status);
        if (answer.status !== 201) continue;
        const me = await app.http.get('/me').set(bearer(answer.body.token)).expect(200);
        expect([me.body.userId, me.body.roles]).toEqual(['ana', []]);
        expect((await app.http.get('/admin').set(bearer(answer.body.token))).status).toBe(403);
      }
      expect(({} as Record<string, unknown>)['roles']).toBeUndefined();
      expect(Object.keys(Object.prototype)).toEqual([]);
    });

    it('with __proto__ in session data makes no session', async () => {
      const app = start();
      const body = '{"data":{"__proto__":{"roles":["admin"]}}}';
      const answer = await app.http.post('/merge').set('Content-Type', 'application/json').send(body);
      expect([400, 401]).toContain(answer.status);
      expect(await countRows(app)).toBe(0);
    });
  });
});
