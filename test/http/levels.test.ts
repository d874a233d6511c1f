import { Controller, Post } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { RequireLevel, RequireRecentAuth, type SessionModuleOptions } from 'nestjs-sessions';
import { TestClock } from 'nestjs-sessions/testing';
import { PLATFORMS } from '../support/platforms.js';
import { AccountController, bearer, signIn } from '../support/sign-in.js';
import { appsOn } from '../support/test-app.js';

@Controller()
class TransferController {
  @RequireLevel(2) @RequireRecentAuth('5m') @Post('transfers') transfer(): string {
    return 'done';
  }
}

const controllers = [AccountController, TransferController];

describe.each(PLATFORMS)('on %s', (platform) => {
  const startApp = appsOn(platform);

  /** Absolute is a day; idle is out of the way. */
  async function start(options: SessionModuleOptions = {}) {
    const clock = new TestClock();
    const timeouts = { idle: '3d', absolute: '1d', renewal: '3d', reason: 'a test' } as const;
    const app = await startApp({ controllers, options: { clock: clock.now, timeouts, ...options } });
    const stepUp = async (token: string, level: 1 | 2 | 3) => {
      const answer = await app.http.post('/login').set(bearer(token)).send({ userId: 'ana', level });
      expect(answer.status).toBe(201);
      return answer.body.token as string;
    };
    const transfer = (token: string) => app.http.post('/transfers').set(bearer(token));
    const get = (path: string, token: string) => app.http.get(path).set(bearer(token));
    return { app, clock, stepUp, transfer, get };
  }

  it('a password does not make a second factor of ten hours ago a recent one', async () => {
    const { app, clock, stepUp, transfer, get } = await start();
    let token = await signIn(app, { userId: 'ana', level: 2 });
    await transfer(token).expect(201);
    clock.advance('10h');
    token = await stepUp(token, 1);
    const refused = await transfer(token).expect(401);
    expect(refused.body.code).toBe('reauthentication_required');
    expect(refused.headers['www-authenticate']).toBe(
      'Bearer error="insufficient_user_authentication", max_age="300", acr_values="2"',
    );
    await get('/recent', token).expect(200); // which asks for no level
    await get('/level2', token).expect(200); // which asks for no recency
    await transfer(await stepUp(token, 2)).expect(201);
  });

  it('a stronger proof counts for the weaker level too', async () => {
    const { app, clock, stepUp, transfer } = await start();
    const token = await signIn(app, { userId: 'ana', level: 1 });
    clock.advance('1h');
    await transfer(await stepUp(token, 3)).expect(201);
  });

  it('passwords do not keep a second factor beyond the absolute timeout: the session lives on below it', async () => {
    const { app, clock, stepUp, get } = await start();
    let token = await signIn(app, { userId: 'ana', level: 2 });
    clock.advance('23h');
    token = await stepUp(token, 1);
    clock.advance('1h');
    clock.set(clock.now() - 1);
    await get('/level2', token).expect(200);
    expect((await get('/me', token)).body.level).toBe(2);
    clock.advance(1);
    const refused = await get('/level2', token).expect(401);
    expect(refused.headers['www-authenticate']).toBe(
      'Bearer error="insufficient_user_authentication", acr_values="2"',
    );
    const { body } = await get('/me', token).expect(200);
    expect(body).toMatchObject({
      level: 1,
      authenticatedAt: new Date(clock.now() - 3_600_000).toISOString(),
      expiresAt: new Date(clock.now() + 23 * 3_600_000).toISOString(),
    });
    expect((await app.sessions.list('ana')).map(({ level }) => level)).toEqual([1]);
    expect((await app.sessions.get(body.id as string))?.level).toBe(1);
    clock.advance('23h');
    expect((await get('/me', token).expect(401)).body.code).toBe('session_expired');
  });

  it('falls from level to level, each at its own time', async () => {
    const { app, clock, stepUp, get } = await start();
    const levels: number[] = [];
    let token = await signIn(app, { userId: 'ana', level: 3 });
    for (const proven of [2, 1] as const) {
      clock.advance('8h');
      token = await stepUp(token, proven);
    }
    for (let hour = 16; hour < 40; hour += 8) {
      levels.push((await get('/me', token).expect(200)).body.level as number);
      clock.advance('8h');
    }
    expect(levels).toEqual([3, 2, 1]);
    await get('/me', token).expect(401);
  });

  it('goes by the timeouts of the roles that the session has now', async () => {
    const { app, clock, stepUp, get } = await start({ roles: { admin: { timeouts: { absolute: '2h' } } } });
    let token = await signIn(app, { userId: 'ana', level: 2 });
    clock.advance('3h');
    token = await stepUp(token, 1);
    await get('/level2', token).expect(200);
    await app.sessions.setRoles('ana', ['admin']);
    await get('/level2', token).expect(401);
    clock.advance('119m');
    await get('/admin', token).expect(200);
    clock.advance('1m');
    await get('/admin', token).expect(401);
  });

  it('begins anew with the sign-in on an anonymous session', async () => {
    const { app, get } = await start();
    const { token } = await app.sessions.createAnonymous();
    const { body } = await app.http.post('/login').set(bearer(token)).send({ userId: 'ana', level: 2 });
    await get('/level2', body.token as string).expect(200);
  });
});
