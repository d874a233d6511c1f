import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { SessionModuleOptions } from 'nestjs-sessions';
import { TestClock } from 'nestjs-sessions/testing';
import { TokenFormat } from '../../src/core/token/token.js';
import { PLATFORMS } from '../support/platforms.js';
import { AccountController, bearer, signIn } from '../support/sign-in.js';
import { appsOn, type TestApp } from '../support/test-app.js';

const controllers = [AccountController];
const format = new TokenFormat();
const ATTEMPTS = 20;

describe.each(PLATFORMS)('guess detection on %s', (platform) => {
  const startApp = appsOn(platform);
  const start = (options: SessionModuleOptions = {}) => startApp({ controllers, options, trustProxy: true });
  const suspicions = ({ events }: TestApp) => events.filter(({ type }) => type === 'guessing-suspected');
  /** Behind a proxy in front that is trusted. */
  const from = (ip: string) => ({ 'X-Forwarded-For': ip, 'X-Forwarded-Proto': 'https' });
  const show = ({ http }: TestApp, token: string, ip = '203.0.113.7') =>
    http
      .get('/me')
      .set({ ...from(ip), 'User-Agent': 'guesser/1.0' })
      .set(bearer(token));

  async function guess(app: TestApp, times: number, ip?: string, make = () => format.mint().text) {
    const statuses = new Set<number>();
    for (let shown = 0; shown < times; shown++) statuses.add((await show(app, make(), ip)).status);
    return [...statuses];
  }

  it('tells once of a burst of tokens that nobody has, with the address', async () => {
    const app = await start();
    expect(await guess(app, ATTEMPTS - 1)).toEqual([401]);
    expect(suspicions(app)).toEqual([]);
    expect(await guess(app, 10)).toEqual([401]);
    expect(suspicions(app)).toMatchObject([
      {
        attempts: ATTEMPTS,
        requester: { ip: '203.0.113.7', userAgent: 'guesser/1.0' },
        sessionId: null,
        userId: null,
      },
    ]);
  });

  it('counts garbage as well', async () => {
    const app = await start();
    await guess(app, ATTEMPTS, undefined, () => randomBytes(9).toString('hex'));
    expect(suspicions(app)).toHaveLength(1);
  });

  it('counts an app that keeps sending one dead token once', async () => {
    const app = await start();
    const { text: token } = format.mint();
    await guess(app, 3 * ATTEMPTS, undefined, () => token);
    expect(suspicions(app)).toEqual([]);
  });

  it('does not count tokens of expired sessions, as honest apps show them', async () => {
    const clock = new TestClock();
    const app = await start({ clock: clock.now });
    const issued = await Promise.all(
      Array.from({ length: 2 * ATTEMPTS }, () => app.sessions.create({ userId: 'ana' })),
    );
    clock.advance(24 * 60 * 60_000);
    for (const { token } of issued) expect((await show(app, token)).body.code).toBe('session_expired');
    expect(suspicions(app)).toEqual([]);
  });

  it('counts each address for itself, and a network of IPv6 as one', async () => {
    const app = await start();
    for (let host = 1; host <= ATTEMPTS; host++) await guess(app, 1, `198.51.100.${host}`);
    expect(suspicions(app)).toEqual([]);
    for (let host = 1; host <= ATTEMPTS; host++) await guess(app, 1, `2001:db8:0:7::${host.toString(16)}`);
    expect(suspicions(app)).toHaveLength(1);
    await guess(app, ATTEMPTS - 1, '2001:db8:0:8::1');
    expect(suspicions(app)).toHaveLength(1);
  });

  it.each<[how: string, address: string, of: (turn: number) => string]>([
    ['a port', '203.0.113.7', (turn) => `203.0.113.7:${1_000 + turn}`],
    ['a port of IPv6', '2001:db8::1', (turn) => `[2001:db8::1]:${1_000 + turn}`],
    ['a zone', 'fe80::1', (turn) => `fe80::1%eth${turn}`],
    ['a spelling', '2001:db8::1', (turn) => (turn % 2 ? '2001:DB8::1' : '2001:db8:0:0:0:0:0:1')],
    ['IPv6 around it', '203.0.113.7', (turn) => (turn % 2 ? '::ffff:203.0.113.7' : '203.0.113.7')],
  ])('is not misled by %s', async (_, ip, of) => {
    const app = await start();
    for (let turn = 0; turn < ATTEMPTS; turn++) await guess(app, 1, of(turn));
    expect(suspicions(app)).toMatchObject([{ requester: { ip } }]);
  });

  it('counts together whatever is no address', async () => {
    const app = await start();
    for (let turn = 0; turn < ATTEMPTS; turn++) await guess(app, 1, `nowhere-${turn}`);
    expect(suspicions(app)).toMatchObject([{ requester: { ip: null } }]);
  });

  it('counts what is shown at sign-in and sign-out too, and lets both go on', async () => {
    const app = await start();
    for (let shown = 0; shown < ATTEMPTS; shown++) {
      const isSignIn = shown % 2 === 0;
      const { http } = app;
      const request = isSignIn ? http.post('/login').send({ userId: 'ana' }) : http.post('/logout');
      await request
        .set(from('203.0.113.7'))
        .set(bearer(format.mint().text))
        .expect(isSignIn ? 201 : 200);
    }
    expect(suspicions(app)).toHaveLength(1);
  });

  it('with `refuse` answers 429 to further guesses, and only to them', async () => {
    const app = await start({ guessing: { attempts: 3, within: '10m', refuse: true } });
    const honest = await signIn(app);
    expect(await guess(app, 2)).toEqual([401]);
    const { status, body, headers } = await show(app, format.mint().text);
    expect([status, body.code]).toEqual([429, 'too_many_guesses']);
    expect(Number(headers['retry-after'])).toBeGreaterThan(590);
    expect((await show(app, honest)).status).toBe(200);
    expect((await show(app, format.mint().text, '198.51.100.1')).status).toBe(401);
    await app.http.post('/login').set(from('203.0.113.7')).send({ userId: 'ana' }).expect(201);
  });

  it('forgets when the time is over', async () => {
    const app = await start({ guessing: { attempts: 2, within: '1s', refuse: true } });
    expect(await guess(app, 2)).toEqual([401, 429]);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    expect((await show(app, format.mint().text)).status).toBe(401);
  });

  it('with `guessing: false` looks at nothing', async () => {
    const app = await start({ guessing: false });
    await guess(app, 2 * ATTEMPTS);
    expect(suspicions(app)).toEqual([]);
  });

  it('with `recordClient: false` keeps the address to itself', async () => {
    const app = await start({ recordClient: false });
    await guess(app, ATTEMPTS);
    expect(suspicions(app)).toMatchObject([{ requester: { ip: null, userAgent: null } }]);
  });
});
