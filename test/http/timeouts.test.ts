import { setTimeout as wait } from 'node:timers/promises';
import { Controller, Get, Post } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { AllowAnonymous, type SessionModuleOptions, type SessionPrincipal } from 'nestjs-sessions';
import { TestClock } from 'nestjs-sessions/testing';
import { PLATFORMS } from '../support/platforms.js';
import { AccountController, bearer, signIn } from '../support/sign-in.js';
import { appsOn, countRows, type TestApp } from '../support/test-app.js';

@Controller()
class VisitController {
  @AllowAnonymous() @Get('look') look(): string {
    return 'look';
  }
  @AllowAnonymous() @Post('look') act(): string {
    return 'act';
  }
}

const controllers = [AccountController, VisitController];

async function codeOf({ http }: TestApp, token: string, path = '/me'): Promise<string> {
  const { status, body } = await http.get(path).set(bearer(token));
  return status === 200 ? 'ok' : `${status} ${body.code}`;
}

describe.each(PLATFORMS)('on %s', (platform) => {
  const startApp = appsOn(platform);

  async function start(options: SessionModuleOptions = {}) {
    const clock = new TestClock();
    const app = await startApp({ controllers, options: { clock: clock.now, ...options } });
    return { app, clock };
  }

  describe.each([
    ['low', '60m', '30d'],
    ['medium', '30m', '24h'],
    ['high', '15m', '12h'],
  ] as const)('at security level %s', (securityLevel, idle, absolute) => {
    it(`a session ends after ${idle} without activity`, async () => {
      const { app, clock } = await start({ securityLevel });
      const token = await signIn(app);
      clock.advance(idle);
      clock.set(clock.now() - 1);
      const other = await signIn(app);
      clock.advance(1);
      expect(await codeOf(app, token)).toBe('401 session_expired');
      expect(await codeOf(app, other)).toBe('ok');
    });

    it(`it lives one millisecond before ${idle} are over`, async () => {
      const { app, clock } = await start({ securityLevel });
      const token = await signIn(app);
      clock.advance(idle);
      clock.set(clock.now() - 1);
      expect(await codeOf(app, token)).toBe('ok');
    });

    it(`and after ${absolute}, however active`, async () => {
      const { app, clock } = await start({ securityLevel, timeouts: { renewal: '3000d' } });
      const token = await signIn(app);
      const end = clock.now();
      clock.advance(absolute);
      const [from, length] = [end, clock.now() - end];
      // Steps of 99 % of the idle timeout, but no more than fifty: the last of them end just before the absolute one.
      const step = { '60m': 59.4, '30m': 29.7, '15m': 14.85 }[idle] * 60_000;
      const steps = Math.min(Math.ceil(length / step) - 1, 50);
      for (let count = 1; count <= steps; count++) {
        clock.set(from + count * step);
        expect(await codeOf(app, token)).toBe('ok');
      }
      if (steps === 50) return; // `low`: 30 days are too many steps; the next test has short timeouts
      clock.set(from + length - 1);
      expect(await codeOf(app, token)).toBe('ok');
      clock.set(from + length);
      expect(await codeOf(app, token)).toBe('401 session_expired');
    });
  });

  it('activity resets idle and never absolute, over many jumps of any size', async () => {
    const { app, clock } = await start({ timeouts: { idle: '10m', absolute: '100m', renewal: '3000d' } });
    const token = await signIn(app);
    const begin = clock.now();
    for (const jump of [9.9, 0.01, 0.2, 9.99, 5, 9, 1, 9.99, 9.99, 9.99, 9.99, 9.99, 9.99] as const) {
      clock.advance(jump * 60_000);
      expect(await codeOf(app, token)).toBe('ok');
      await app.sessions.list('ana'); // writes what waits, as time would have done
    }
    clock.set(begin + 100 * 60_000 - 1);
    expect(await codeOf(app, token)).toBe('ok');
    clock.advance(1);
    expect(await codeOf(app, token)).toBe('401 session_expired');
  });

  it('idle ends a session at most `touchEvery` early, and never late', async () => {
    const { app, clock } = await start({ timeouts: { idle: '10m' }, touchEvery: '1m' });
    const token = await signIn(app);
    clock.advance('59s'); // not worth a write
    expect(await codeOf(app, token)).toBe('ok');
    clock.advance('9m');
    expect(await codeOf(app, token)).toBe('ok');
    clock.advance('10m');
    expect(await codeOf(app, token)).toBe('401 session_expired');
  });

  it('activity that waits to be written counts, and is not lost when it is written', async () => {
    const { app, clock } = await start({ timeouts: { idle: '10s' } });
    const token = await signIn(app);
    for (const jump of [9_600, 600]) {
      clock.advance(jump);
      expect(await codeOf(app, token)).toBe('ok');
    }
    expect(await app.sessions.list('ana')).toHaveLength(1); // writes what waits
    clock.advance(9_000);
    expect(await codeOf(app, token)).toBe('ok');
  });

  it('activities that are written together all count, however far the clock has jumped between them', async () => {
    const { app, clock } = await start();
    const token = await signIn(app);
    for (const jump of ['5m', '28m', '20m'] as const) {
      clock.advance(jump);
      expect(await codeOf(app, token)).toBe('ok');
    }
    expect(await app.sessions.list('ana')).toHaveLength(1); // writes what waits
    expect(await codeOf(app, token)).toBe('ok');
  });

  it('refused requests are activity of nobody, once the session is over', async () => {
    const { app, clock } = await start({ timeouts: { idle: '10m' } });
    const token = await signIn(app);
    clock.advance('10m');
    for (let count = 0; count < 3; count++) {
      expect(await codeOf(app, token)).toBe('401 session_expired');
      clock.advance('1m');
    }
  });

  it('a clock that is set back ends nothing early and revives nothing late', async () => {
    const { app, clock } = await start({ timeouts: { idle: '10m' } });
    const token = await signIn(app);
    clock.advance('5m');
    expect(await codeOf(app, token)).toBe('ok');
    clock.set(clock.now() - 60_000);
    expect(await codeOf(app, token)).toBe('ok');
    clock.advance('10m');
    expect(await codeOf(app, token)).toBe('ok');
  });

  it('an authentication event resets the absolute timeout', async () => {
    const { app, clock } = await start({ timeouts: { idle: '10h', absolute: '12h', reason: 'a test' } });
    const token = await signIn(app);
    clock.advance('9h');
    const answer = await app.http.post('/login').set(bearer(token)).send({ userId: 'ana' }).expect(201);
    clock.advance('9h');
    expect(await codeOf(app, answer.body.token as string)).toBe('ok');
    clock.advance('3h');
    expect(await codeOf(app, answer.body.token as string)).toBe('401 session_expired');
  });

  it('rotation and change of data do not', async () => {
    const { app, clock } = await start({ timeouts: { idle: '10h', absolute: '12h', reason: 'a test' } });
    const { session } = await app.sessions.create({ userId: 'ana' });
    clock.advance('9h');
    const { token } = await app.sessions.rotate(session.id);
    await app.sessions.update(session.id, (data) => ({ ...data, a: 1 }));
    expect(await codeOf(app, token)).toBe('ok');
    clock.advance('3h');
    expect(await codeOf(app, token)).toBe('401 session_expired');
  });

  describe('roles', () => {
    const roles = {
      admin: { includes: ['support'], securityLevel: 'high' },
      support: [],
      cashier: { timeouts: { idle: '5m' } },
      kiosk: { timeouts: { idle: '2h', absolute: '1h', reason: 'a test' } },
    } as const;
    const sessionOf = async (app: TestApp, principal: Partial<SessionPrincipal>) =>
      (await app.sessions.create({ userId: 'ana', ...principal })).token;

    it.each<[string[], string]>([
      [[], '30m'],
      [['support'], '30m'],
      [['admin'], '15m'],
      [['admin', 'support'], '15m'],
      [['cashier'], '5m'],
      [['admin', 'cashier'], '5m'],
      [['cashier', 'kiosk'], '5m'],
      [['kiosk', 'support'], '30m'],
      [['unheard-of'], '30m'],
    ])('%j have an idle timeout of %s: the strictest of several wins', async (given, idle) => {
      const { app, clock } = await start({ roles });
      const token = await sessionOf(app, { roles: given });
      clock.advance(idle as '5m');
      clock.set(clock.now() - 1);
      const other = await sessionOf(app, { roles: given });
      expect(await codeOf(app, token)).toBe('ok');
      clock.advance(idle as '5m');
      expect(await codeOf(app, other)).toBe('401 session_expired');
    });

    it('the strictest of each timeout wins, of idle and of absolute', async () => {
      const { app, clock } = await start({ roles });
      const token = await sessionOf(app, { roles: ['cashier', 'kiosk'] });
      for (let minutes = 4; minutes < 60; minutes += 4) {
        clock.advance('4m');
        expect(await codeOf(app, token)).toBe('ok');
      }
      clock.advance('4m');
      expect(await codeOf(app, token)).toBe('401 session_expired');
    });

    it('gained by a live session shorten it at once', async () => {
      const { app, clock } = await start({ roles });
      const token = await sessionOf(app, {});
      clock.advance('20m');
      expect(await app.sessions.setRoles('ana', ['admin'])).toBe(1);
      expect(await codeOf(app, token)).toBe('401 session_expired');
      expect(await app.sessions.list('ana')).toEqual([]);
    });

    it('gained in time are there with the next request, and lost ones are gone', async () => {
      const { app } = await start({ roles });
      const token = await sessionOf(app, {});
      expect(await codeOf(app, token, '/admin')).toBe('403 role_required');
      await app.sessions.setRoles('ana', ['admin']);
      expect(await codeOf(app, token, '/admin')).toBe('ok');
      await app.sessions.setRoles('ana', ['support']);
      expect(await codeOf(app, token, '/admin')).toBe('403 role_required');
    });

    it('gained by a step-up shorten the session too', async () => {
      const { app, clock } = await start({ roles });
      const token = await signIn(app);
      const stepUp = { userId: 'ana', roles: ['admin'] };
      const answer = await app.http.post('/login').set(bearer(token)).send(stepUp).expect(201);
      clock.advance('15m');
      expect(await codeOf(app, answer.body.token as string)).toBe('401 session_expired');
    });
  });

  it('timeouts that were made stricter since reach sessions that there are', async () => {
    const { app, clock } = await start();
    const token = await signIn(app);
    await app.dataSource.query('UPDATE sessions SET idle_expires_at = ?, expires_at = ?', [
      clock.now() + 10 * 86_400_000,
      clock.now() + 10 * 86_400_000,
    ]);
    clock.advance('30m');
    expect(await codeOf(app, token)).toBe('401 session_expired');
  });

  it('anonymous sessions end by idle and absolute timeout too', async () => {
    const { app, clock } = await start({ timeouts: { idle: '10m', absolute: '25m' } });
    const [idle, active] = [await app.sessions.createAnonymous(), await app.sessions.createAnonymous()];
    for (let minutes = 0; minutes < 24; minutes += 8) {
      clock.advance('8m');
      expect(await codeOf(app, active.token, '/look')).toBe('ok');
    }
    expect(await codeOf(app, idle.token, '/look')).toBe('401 session_expired');
    clock.advance('1m');
    expect(await codeOf(app, active.token, '/look')).toBe('401 session_expired');
  });

  it('an expired session is in no list, and no verb brings it back', async () => {
    const { app, clock } = await start();
    const { session } = await app.sessions.create({ userId: 'ana' });
    clock.advance('30m');
    expect(await app.sessions.get(session.id)).toBeNull();
    expect(await app.sessions.list('ana')).toEqual([]);
    expect(await app.sessions.update(session.id, () => ({ a: 1 }))).toBeNull();
    expect(await app.sessions.setRoles('ana', ['admin'])).toBe(0);
    await expect(app.sessions.rotate(session.id)).rejects.toMatchObject({ status: 401 });
    await expect(app.sessions.authenticate(session.id, { userId: 'ana' })).rejects.toMatchObject({
      status: 401,
    });
    expect(await app.sessions.get(session.id)).toBeNull();
  });

  describe('the purge', () => {
    async function untilRows(app: TestApp, count: number): Promise<void> {
      for (let tries = 0; tries < 100 && (await countRows(app)) !== count; tries++) await wait(20);
      expect(await countRows(app)).toBe(count);
    }

    it('removes the row of an expired session without anybody calling, and leaves the live ones', async () => {
      const { app, clock } = await start({ purge: { every: '50ms' } });
      await signIn(app);
      clock.advance('20m');
      const live = await signIn(app);
      for (let minutes = 0; minutes < 80; minutes += 20) {
        clock.advance('20m');
        expect(await codeOf(app, live)).toBe('ok');
      }
      await untilRows(app, 1);
      expect(await codeOf(app, live)).toBe('ok');
      // The purge tells of it once it has found nothing more.
      for (let tries = 0; tries < 100 && !app.events.some(({ type }) => type === 'purged'); tries++)
        await wait(20);
      expect(app.events).toContainEqual(expect.objectContaining({ type: 'purged', count: 1 }));
    });

    it('goes on after the store was down', async () => {
      const { app, clock } = await start({ purge: { every: '20ms' } });
      await signIn(app);
      clock.advance('91m'); // what has expired is purged at the end of that hour
      const { createQueryRunner } = app.dataSource;
      app.dataSource.createQueryRunner = () => {
        throw new Error('gone');
      };
      for (let tries = 0; tries < 100 && app.logs.texts('warn').length === 0; tries++) await wait(10);
      expect(app.logs.texts('warn').join()).toContain('could not be purged');
      app.dataSource.createQueryRunner = createQueryRunner;
      await untilRows(app, 0);
    });

    it('is left to the application where `purge` is false', async () => {
      const { app, clock } = await start({ purge: false });
      await signIn(app);
      clock.advance('91m'); // what has expired is purged at the end of that hour
      await wait(100);
      expect(await countRows(app)).toBe(1);
      expect(await app.sessions.purgeExpired()).toBe(1);
      expect(await countRows(app)).toBe(0);
    });
  });
});
