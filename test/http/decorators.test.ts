import { Controller, Get, Inject, Injectable, Version, VersioningType } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import {
  type ActiveSession,
  AllowAnonymous,
  Background,
  CurrentSession,
  Public,
  RequireRole,
  RequireSession,
  SessionGuard,
  sessionOf,
} from 'nestjs-sessions';
import { TestClock } from 'nestjs-sessions/testing';
import { fakeContext, fakeExchange } from '../support/fake-context.js';
import { PLATFORMS } from '../support/platforms.js';
import { AccountController, bearer, signIn } from '../support/sign-in.js';
import { appsOn, sharedAppOn, type TestApp } from '../support/test-app.js';

@Controller()
class PlainController {
  @Get('plain') plain(): string {
    return 'plain';
  }
  @RequireSession() @Get('said') said(): string {
    return 'said';
  }
  @RequireRole('admin', 'support') @Get('any-of') anyOf(): string {
    return 'any of';
  }
  @Background() @Get('poll') poll(): string {
    return 'poll';
  }
  @AllowAnonymous() @Get('anonymous') anonymous(@CurrentSession() session: ActiveSession): object {
    return { userId: session.userId };
  }
  @Public() @Get('public') public(@CurrentSession() session: ActiveSession | null): object {
    return { session };
  }
}

const controllers = [AccountController, PlainController];

async function statusFor(app: TestApp, path: string, roles: string[]): Promise<number> {
  const token = await signIn(app, { userId: 'ana', roles });
  return (await app.http.get(path).set(bearer(token))).status;
}

describe.each(PLATFORMS)('on %s', (platform) => {
  const startApp = appsOn(platform);
  const start = sharedAppOn(platform, { controllers });

  describe('a handler', () => {
    it.each(['/plain', '/said'])(
      'without any decorator but @RequireSession() is closed: %s',
      async (path) => {
        const app = start();
        await app.http.get(path).expect(401);
        const { token } = await app.sessions.createAnonymous();
        await app.http.get(path).set(bearer(token)).expect(401);
        expect(await statusFor(app, path, [])).toBe(200);
      },
    );

    it('is closed for HEAD too', async () => {
      const app = start();
      await app.http.head('/plain').expect(401);
    });

    it('with @Public() is open, and looks for no session', async () => {
      const app = start();
      app.queries.length = 0;
      for (const headers of [{}, bearer('garbage'), { Host: 'app.example.com' }]) {
        await app.http.get('/public').set(headers).expect(200, { session: null });
      }
      const token = await signIn(app);
      app.queries.length = 0;
      await app.http.get('/public').set(bearer(token)).expect(200, { session: null });
      expect(app.queries).toEqual([]);
    });

    it('with @RequireRole() of several needs any of them', async () => {
      const app = start();
      for (const roles of [['admin'], ['support'], ['x', 'support']]) {
        expect(await statusFor(app, '/any-of', roles)).toBe(200);
      }
      for (const roles of [[], ['x'], ['Admin'], ['admin '], ['admin,support']]) {
        expect(await statusFor(app, '/any-of', roles)).toBe(403);
      }
    });

    it('with @RequireRole() is open to roles that include it, at any distance', async () => {
      const roles = { root: ['admin'], admin: { includes: ['support'] }, support: ['customer'], other: [] };
      @Controller()
      class HierarchyController {
        @RequireRole('customer') @Get('customers') customers(): string {
          return 'customers';
        }
      }
      const app = await startApp({
        controllers: [AccountController, HierarchyController],
        options: { roles },
      });
      for (const role of ['customer', 'support', 'admin', 'root']) {
        expect(await statusFor(app, '/customers', [role])).toBe(200);
      }
      expect(await statusFor(app, '/customers', ['other'])).toBe(403);
      expect(await statusFor(app, '/admin', ['support'])).toBe(403);
    });

    it('with @RequireLevel() needs at least that', async () => {
      const app = start();
      for (const [level, status] of [
        [1, 401],
        [2, 200],
        [3, 200],
      ] as const) {
        const token = await signIn(app, { userId: 'ana', level });
        await app.http.get('/level2').set(bearer(token)).expect(status);
      }
    });

    it('with @AllowAnonymous() needs a session, but nobody signed in', async () => {
      const app = start();
      await app.http.get('/anonymous').expect(401);
      await app.http.get('/anonymous').set(bearer('garbage')).expect(401);
      const { token } = await app.sessions.createAnonymous();
      await app.http.get('/anonymous').set(bearer(token)).expect(200, { userId: null });
      await app.http
        .get('/anonymous')
        .set(bearer(await signIn(app)))
        .expect(200, { userId: 'ana' });
    });

    it('with @Background() is checked, but does not hold off the idle timeout', async () => {
      const clock = new TestClock();
      const app = await startApp({ controllers, options: { clock: clock.now } });
      await app.http.get('/poll').expect(401);
      const [polling, active] = [await signIn(app), await signIn(app)];
      for (let minutes = 0; minutes < 25; minutes += 5) {
        clock.advance('5m');
        await app.http.get('/poll').set(bearer(polling)).expect(200);
        await app.http.get('/plain').set(bearer(active)).expect(200);
      }
      clock.advance('5m');
      await app.http.get('/poll').set(bearer(polling)).expect(401);
      await app.http.get('/plain').set(bearer(active)).expect(200);
    });
  });

  describe('versioned controllers', () => {
    @Controller({ path: 'versioned', version: '1' })
    class FirstVersion {
      @Public() @Get() get(): string {
        return 'one';
      }
    }
    @Controller({ path: 'versioned', version: '2' })
    class SecondVersion extends FirstVersion {
      @RequireRole('admin') @Get() override get(): string {
        return 'two';
      }
      @Version('3') @RequireRole('root') @Get() third(): string {
        return 'three';
      }
    }

    it('have requirements of their own', async () => {
      const app = await startApp({
        controllers: [AccountController, FirstVersion, SecondVersion],
        configure: (nest) => nest.enableVersioning({ type: VersioningType.HEADER, header: 'X-Version' }),
      });
      const get = (version: string) => app.http.get('/versioned').set('X-Version', version);
      await get('1').expect(200, 'one');
      await get('2').expect(401);
      await get('3').expect(401);
    });
  });

  it('a controller that was not there at boot is compiled on its first request', async () => {
    class LateController {
      @RequireRole('admin') late(): void {}
      @Public() open(): void {}
    }
    const app = start();
    const guard = app.app.get(SessionGuard);
    const { req, res } = fakeExchange({
      headers: bearer((await app.sessions.create({ userId: 'ana' })).token),
    });
    const contextOf = (method: string) => fakeContext('http', LateController, method, [req, res]);
    await expect(guard.canActivate(contextOf('late'))).rejects.toMatchObject({ status: 403 });
    expect(await guard.canActivate(contextOf('open'))).toBe(true);
  });

  it('@CurrentSession() gives the session or one property of it', async () => {
    @Controller()
    class ShowController {
      @Get('show') show(
        @CurrentSession() session: ActiveSession,
        @CurrentSession('id') id: string,
        @CurrentSession('roles') roles: string[],
        @CurrentSession('data') data: object,
      ): object {
        return { same: session.id === id, roles, data, frozen: Object.isFrozen(data) };
      }
    }
    const app = await startApp({ controllers: [AccountController, ShowController] });
    const token = await signIn(app, { userId: 'ana', roles: ['r'], data: { a: [1] } });
    const shown = await app.http.get('/show').set(bearer(token)).expect(200);
    expect(shown.body).toEqual({ same: true, roles: ['r'], data: { a: [1] }, frozen: true });
  });

  it('sessionOf(context) and sessionOf(request) are the session after the guard', async () => {
    const seen: (string | null | undefined)[] = [];
    @Injectable()
    class SpyController {
      constructor(@Inject(SessionGuard) private readonly guard: SessionGuard) {}
      async look(context: Parameters<SessionGuard['canActivate']>[0], request: object) {
        seen.push(sessionOf(context)?.userId, sessionOf(request)?.userId);
        await this.guard.canActivate(context);
        seen.push(sessionOf(context)?.userId, sessionOf(request)?.userId);
      }
    }
    const app = await startApp({ controllers, providers: [SpyController] });
    const { token } = await app.sessions.create({ userId: 'ana' });
    const { req, res } = fakeExchange({ headers: bearer(token) });
    await app.app.get(SpyController).look(fakeContext('http', PlainController, 'plain', [req, res]), req);
    expect(seen).toEqual([undefined, undefined, 'ana', 'ana']);
  });
});
