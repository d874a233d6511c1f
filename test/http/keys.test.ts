import { describe, expect, it } from '@jest/globals';
import type { SessionModuleOptions } from 'nestjs-sessions';
import { PLATFORMS } from '../support/platforms.js';
import { AccountController, bearer } from '../support/sign-in.js';
import { appsOn } from '../support/test-app.js';

const [OLD, NEW, OTHER] = ['old', 'new', 'other'].map((name) => name.padEnd(32, '-')) as [
  string,
  string,
  string,
];

describe.each(PLATFORMS)('on %s', (platform) => {
  const start = appsOn(platform);

  /** What an application with `secret` answers to a token of one with `issuedWith`, and whether it asked the database. */
  async function answerTo(
    issuedWith: SessionModuleOptions['secret'],
    secret: SessionModuleOptions['secret'],
  ) {
    const issuer = await start({ options: { secret: issuedWith } });
    const { token } = await issuer.sessions.create({ userId: 'ana' });
    const app = await start({ controllers: [AccountController], options: { secret } });
    const { body } = await app.http.get('/me').set(bearer(token)).expect(401);
    expect(body.code).toBe('session_invalid');
    return app.queries.length > 0 ? 'looked up' : 'refused without a query';
  }

  it.each<[string, SessionModuleOptions['secret'], SessionModuleOptions['secret'], string]>([
    ['of the same key', OLD, OLD, 'looked up'],
    ['of another key', OTHER, OLD, 'refused without a query'],
    ['of an older key that is still listed', OLD, [NEW, OLD], 'looked up'],
    ['of an older key that is not', OLD, [NEW], 'refused without a query'],
    ['from before there was a key', undefined, NEW, 'refused without a query'],
    ['the same, where it is allowed', undefined, { keys: [NEW], acceptUnkeyed: true }, 'looked up'],
    ['of a key where there is none any more', OLD, undefined, 'refused without a query'],
    ['without any keys', undefined, undefined, 'looked up'],
  ])('a token %s', async (_, issuedWith, secret, expected) => {
    expect(await answerTo(issuedWith, secret)).toBe(expected);
  });

  it('the newest key signs, the others go on', async () => {
    const issued = await start({ options: { secret: [NEW, OLD] } });
    const { token } = await issued.sessions.create({ userId: 'ana' });
    const app = await start({ controllers: [AccountController], options: { secret: NEW } });
    await app.http.get('/me').set(bearer(token)).expect(401);
    expect(app.queries.length).toBeGreaterThan(0);
  });

  it('a session goes through its whole life with a key', async () => {
    const app = await start({ controllers: [AccountController], options: { secret: NEW } });
    const login = await app.http.post('/login').send({ userId: 'ana' }).expect(201);
    const stepUp = await app.http
      .post('/login')
      .set(bearer(login.body.token))
      .send({ userId: 'ana' })
      .expect(201);
    await app.http.get('/me').set(bearer(stepUp.body.token)).expect(200);
    const { token } = await app.sessions.rotate(stepUp.body.session.id);
    await app.http.post('/logout').set(bearer(token)).expect(200);
    await app.http.get('/me').set(bearer(token)).expect(401);
  });
});
