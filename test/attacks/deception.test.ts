import { Body, Controller, Get, Header, type INestApplication, Post } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { type SessionPrincipal, StartSession } from 'nestjs-sessions';
import { TestClock } from 'nestjs-sessions/testing';
import request from 'supertest';
import { AttackClient, verdictOf } from '../support/attack-client.js';
import { TestProxy } from '../support/attack-proxy.js';
import { PLATFORMS } from '../support/platforms.js';
import { getRaw } from '../support/raw-http.js';
import { AccountController, bearer } from '../support/sign-in.js';
import { appsOn } from '../support/test-app.js';

@Controller()
class DeceivedController {
  @StartSession() @Post('keep') keep(@Body() body: Record<string, string>): SessionPrincipal {
    return { userId: 'ana', data: body };
  }

  @Header('CDN-Cache-Control', 'max-age=600')
  @Header('Surrogate-Control', 'max-age=600')
  @Get('cdn')
  cdn(): string {
    return 'private';
  }
}

const controllers = [AccountController, DeceivedController];

/** As method-override packages do, but where Fastify has chosen the route already. */
function overrideMethods(app: INestApplication): void {
  app.use((incoming: { method: string; url: string }, _: unknown, next: () => void) => {
    incoming.method = /_method=(\w+)/.exec(incoming.url)?.[1] ?? incoming.method;
    next();
  });
}

describe.each(PLATFORMS)('on %s', (platform) => {
  const start = appsOn(platform);

  it('a cookie whose name begins with a non-breaking space is not the one with the prefix', async () => {
    const app = await start({ controllers, trustProxy: true });
    const { token } = await app.sessions.create({ userId: 'mallory' });
    const headers = ['X-Forwarded-Proto: https', `Cookie: \xa0__Host-sid=${token}`];
    expect((await getRaw(app.app, '/me', headers)).body['code']).toBe('session_required');
  });

  it.each(['X-Real-IP', 'X-Client-IP', 'CF-Connecting-IP', 'True-Client-IP', 'X-Scheme', 'X-Original-Host'])(
    '%s gives a proxy on the same machine away',
    async (name) => {
      const app = await start({ controllers });
      const { token } = await app.sessions.create({ userId: 'ana' });
      const proxy = await TestProxy.before(app.app, { adds: { [name.toLowerCase()]: '203.0.113.9' } });
      const answer = await request(proxy.url).get('/me').set(bearer(token));
      await proxy.close();
      expect(verdictOf(answer)).toBe('403 https_required');
    },
  );

  it('a cache with a header of its own does not keep a renewed token (RFC 9213)', async () => {
    const clock = new TestClock();
    const options = { clock: clock.now, timeouts: { renewal: '10m' } } as const;
    const app = await start({ controllers, options });
    const { token } = await app.sessions.create({ userId: 'ana' });
    const client = new AttackClient(() => app, 'bearer');
    expect((await client.get('/cdn', token)).headers['cdn-cache-control']).toBe('max-age=600');
    clock.advance('11m');
    const answer = await client.get('/cdn', token);
    expect(client.renewedIn(answer)).not.toBeNull();
    expect(answer.headers).not.toHaveProperty('cdn-cache-control');
    expect(answer.headers).not.toHaveProperty('surrogate-control');
  });

  it('a middleware that rewrites the method after routing makes no POST a safe one', async () => {
    const app = await start({ controllers, configure: overrideMethods });
    const { token } = await app.sessions.create({ userId: 'ana' });
    const foreign = { Cookie: `sid=${token}`, 'Sec-Fetch-Site': 'cross-site' };
    const answer = await app.http.post('/act?_method=GET').set(foreign);
    expect([403, 404]).toContain(answer.status);
  });

  it('names in session data forge no line of the log', async () => {
    const app = await start({ controllers });
    const deep = `${'{"a\\n[Nest] forged":'.repeat(70)}1${'}'.repeat(70)}`;
    await app.http.post('/keep').set('Content-Type', 'application/json').send(deep).expect(500);
    expect(app.logs.texts('error').join()).toContain('levels deep');
    expect(app.logs.texts('error').join()).not.toMatch(/\n\[Nest\] forged/);
  });

  it('foreign requests without a session are no flood of warnings', async () => {
    const app = await start({ controllers });
    await app.http.post('/web/login').set('Sec-Fetch-Site', 'cross-site').send({ userId: 'ana' }).expect(403);
    expect(app.logs.audit.map(({ level }) => level)).toEqual(['verbose']);
  });
});
