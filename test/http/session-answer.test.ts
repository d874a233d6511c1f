import { Controller, Post, Res } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { type ActiveSession, CurrentSession, Public, SessionAnswer, SessionService } from 'nestjs-sessions';
import { PLATFORMS } from '../support/platforms.js';
import { AccountController, bearer, signIn, signInByCookie } from '../support/sign-in.js';
import { sharedAppOn } from '../support/test-app.js';

@Controller()
class RotatingController {
  constructor(
    private readonly sessions: SessionService,
    private readonly answer: SessionAnswer,
  ) {}

  @Post('rotate') async rotate(
    @CurrentSession() { id }: ActiveSession,
    @Res({ passthrough: true }) response: never,
  ) {
    return this.answer.with(response, await this.sessions.rotate(id));
  }

  @Public() @Post('visit') async visit(@Res({ passthrough: true }) response: never) {
    return this.answer.with(response, await this.sessions.createAnonymous());
  }
}

const HTTPS = { 'X-Forwarded-Proto': 'https' };

describe.each(PLATFORMS)('on %s', (platform) => {
  const start = sharedAppOn(platform, {
    controllers: [AccountController, RotatingController],
    trustProxy: true,
  });

  it('gives a new token in the body to who has shown one in a header', async () => {
    const app = start();
    const token = await signIn(app);
    const { body, headers } = await app.http.post('/rotate').set(bearer(token)).expect(201);
    expect(Object.keys(body)).toEqual(['token', 'expiresAt', 'session']);
    expect(headers).toMatchObject({ 'cache-control': 'no-store' });
    expect(headers['set-cookie']).toBeUndefined();
    await app.http.get('/me').set(bearer(token)).expect(401);
    await app.http.get('/me').set(bearer(body.token)).expect(200);
  });

  it('gives it as the cookie, and shows it to no script, where the cookie was shown', async () => {
    const app = start();
    const cookie = await signInByCookie(app, { userId: 'ana' }, HTTPS);
    const { body, headers } = await app.http.post('/rotate').set(HTTPS).set('Cookie', cookie).expect(201);
    expect(Object.keys(body)).toEqual(['session']);
    expect(headers).toMatchObject({ 'cache-control': 'no-store' });
    const [renewed = ''] = headers['set-cookie'] as unknown as string[];
    expect(renewed).toMatch(/^__Host-sid=sid_.*HttpOnly; Secure/);
    await app.http.get('/me').set(HTTPS).set('Cookie', cookie).expect(401);
    await app.http.get('/me').set(HTTPS).set('Cookie', renewed.split(';')[0]!).expect(200);
  });

  it('gives no token over plain HTTP, on a public route either', async () => {
    const { body } = await start().http.post('/visit').set('Host', 'app.example.com').expect(403);
    expect(body.code).toBe('https_required');
  });

  it('gives no cookie to a page of another origin, on a public route either', async () => {
    const visit = () => start().http.post('/visit').set(HTTPS).set('Origin', 'https://evil.example');
    const { body, headers } = await visit().set('Cookie', '__Host-sid=garbage').expect(403);
    expect([body.code, headers['set-cookie']]).toEqual(['cross_origin', undefined]);
    // In the body CORS decides who reads it.
    expect((await visit().expect(201)).body.session).toMatchObject({ userId: null });
  });
});
