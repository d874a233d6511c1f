import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  Injectable,
  Post,
  type Type,
  UseGuards,
} from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { describe, expect, it } from '@jest/globals';
import {
  AllowAnonymous,
  Background,
  CurrentSession,
  EndSession,
  Public,
  RequireLevel,
  RequireRecentAuth,
  RequireRole,
  RequireSession,
  SessionDecoratorError,
  SessionGuard,
  sessionOf,
  StartSession,
} from 'nestjs-sessions';
import { PLATFORMS } from '../support/platforms.js';
import { AccountController, bearer, signIn } from '../support/sign-in.js';
import { appsOn } from '../support/test-app.js';
import { Wrapped } from '../support/wrapped.decorator.js';

@Controller()
class MixedController {
  @Get('undecorated') undecorated(@CurrentSession() session: object | null): object {
    return { session };
  }
  @Public() @Get('public') public(): string {
    return 'public';
  }
  @RequireSession() @Get('session') session(): string {
    return 'guarded';
  }
  @AllowAnonymous() @Get('anonymous') anonymous(): string {
    return 'guarded';
  }
  @Background() @Get('background') background(): string {
    return 'guarded';
  }
  @RequireRole('admin') @Get('role') role(): string {
    return 'guarded';
  }
  @RequireLevel(2) @Get('level') level(): string {
    return 'guarded';
  }
  @RequireRecentAuth('5m') @Get('fresh') fresh(): string {
    return 'guarded';
  }
  @Get('wrapped-above') @Wrapped() @RequireRole('admin') wrappedAbove(): string {
    return 'guarded';
  }
}

@RequireRole('admin')
@Controller('class')
class ClassController {
  @Get() list(): string {
    return 'guarded';
  }
  @Public() @Get('public') public(): string {
    return 'public';
  }
}

class BaseController {
  @RequireRole('admin') @Get('inherited') inherited(): string {
    return 'guarded';
  }
}

@Controller('derived')
class DerivedController extends BaseController {}

@Controller('derived-class')
class DerivedClassController extends ClassController {
  @Get('more') more(): string {
    return 'guarded';
  }
}

@Controller()
class OverridingController extends BaseController {
  @Get('overridden') override inherited(): string {
    return 'guarded';
  }
}

@Controller()
class BareController {
  @Get('wrapped-bare') @Wrapped({ losesMetadata: true }) @RequireRole('admin') wrappedBare(): string {
    return 'guarded';
  }
  @Post('wrapped-login') @Wrapped({ losesMetadata: true }) @StartSession() wrappedLogin() {
    return { userId: 'ana' };
  }
  @Post('wrapped-logout') @Wrapped({ losesMetadata: true }) @EndSession() wrappedLogout(): void {}
}

const controllers = [
  AccountController,
  MixedController,
  ClassController,
  DerivedController,
  DerivedClassController,
];
const GUARDED = [
  '/session',
  '/anonymous',
  '/background',
  '/role',
  '/level',
  '/fresh',
  '/class',
  '/derived/inherited',
  '/derived-class',
  '/derived-class/more',
  '/wrapped-above',
];

describe.each(PLATFORMS)('on %s', (platform) => {
  const start = appsOn(platform);
  const startOrRefusal = (controller: Type, globalGuard: boolean) =>
    start({ controllers: [AccountController, controller], options: { globalGuard } }).catch(
      (error: unknown) => {
        if (error instanceof SessionDecoratorError) return error;
        throw error;
      },
    );

  describe('with globalGuard: false', () => {
    const options = { globalGuard: false };

    it('a handler without decorators is open, and has no session', async () => {
      const app = await start({ controllers, options });
      await app.http.get('/undecorated').expect(200, { session: null });
      const token = await signIn(app);
      await app.http.get('/undecorated').set(bearer(token)).expect(200, { session: null });
    });

    it.each(GUARDED)('a decorated handler is guarded: %s', async (path) => {
      const app = await start({ controllers, options });
      await app.http.get(path).expect(401);
      await app.http.get(path).set(bearer('garbage')).expect(401);
      const token = await signIn(app, { userId: 'ana', roles: ['admin'], level: 2 });
      await app.http.get(path).set(bearer(token)).expect(200, 'guarded');
    });

    it.each([
      ['an overriding method without a decorator of its own', OverridingController, '/overridden'],
      ['a decorator whose metadata another one has lost', BareController, '/wrapped-bare'],
    ])('so is %s, or the boot is stopped', async (_, controller, path) => {
      const app = await startOrRefusal(controller, false);
      if (!(app instanceof SessionDecoratorError)) await app.http.get(path).expect(401);
    });

    it('the same classes let in as before in an application with the global guard, in the same process', async () => {
      await start({ controllers, options });
      const app = await start({ controllers });
      const token = await signIn(app, { userId: 'ana', roles: ['admin'], level: 2 });
      for (const path of GUARDED) await app.http.get(path).set(bearer(token)).expect(200, 'guarded');
    });

    it.each(['/public', '/class/public'])('@Public() is open: %s', async (path) => {
      const app = await start({ controllers, options });
      await app.http.get(path).expect(200, 'public');
    });

    it('sign-in and sign-out bring the guard along too', async () => {
      const app = await start({ controllers, options });
      const token = await signIn(app);
      await app.http.post('/logout').set(bearer(token)).expect(200);
      await app.http.get('/session').set(bearer(token)).expect(401);
      await app.http.post('/login').set('Host', 'app.example.com').send({ userId: 'ana' }).expect(403);
    });
  });

  describe.each([true, false])(
    'under a decorator that loses metadata, with globalGuard: %p,',
    (globalGuard) => {
      it('sign-in makes a session, or is refused, or the boot is stopped', async () => {
        const app = await startOrRefusal(BareController, globalGuard);
        if (app instanceof SessionDecoratorError) return;
        const login = await app.http.post('/wrapped-login');
        if (login.status === 201) expect(login.body.token).toMatch(/^sid_/);
      });

      it('sign-out ends the session, or is refused, or the boot is stopped', async () => {
        const app = await startOrRefusal(BareController, globalGuard);
        if (app instanceof SessionDecoratorError) return;
        const token = await signIn(app);
        const logout = await app.http.post('/wrapped-logout').set(bearer(token));
        if (logout.status === 201) expect(await app.sessions.list('ana')).toEqual([]);
      });
    },
  );

  it('a global guard of the application can read the session where SessionGuard is provided first', async () => {
    const seen: unknown[] = [];
    @Injectable()
    class TenantGuard implements CanActivate {
      canActivate(context: ExecutionContext): boolean {
        seen.push(sessionOf(context)?.userId ?? null);
        return true;
      }
    }
    const app = await start({
      controllers,
      options: { globalGuard: false },
      providers: [
        { provide: APP_GUARD, useExisting: SessionGuard },
        { provide: APP_GUARD, useClass: TenantGuard },
      ],
    });
    await app.http.get('/undecorated').expect(401);
    const token = await signIn(app);
    seen.length = 0;
    await app.http.get('/undecorated').set(bearer(token)).expect(200);
    await app.http.get('/role').set(bearer(token)).expect(403);
    expect(seen).toEqual(['ana']);
  });

  it('a guard of a controller can read the session with the global guard', async () => {
    const seen: unknown[] = [];
    @Injectable()
    class SpyGuard implements CanActivate {
      canActivate(context: ExecutionContext): boolean {
        seen.push(sessionOf(context)?.userId);
        return true;
      }
    }
    @UseGuards(SpyGuard)
    @Controller()
    class SpyController {
      @Get('spied') spied(): string {
        return 'spied';
      }
    }
    const app = await start({ controllers: [AccountController, SpyController] });
    await app.http
      .get('/spied')
      .set(bearer(await signIn(app)))
      .expect(200);
    expect(seen).toEqual(['ana']);
  });

  it('a request that passes the guard twice is judged and read once', async () => {
    const app = await start({ controllers });
    const token = await signIn(app, { userId: 'ana', roles: ['admin'] });
    await app.http.get('/role').set(bearer(token)).expect(200);
    app.queries.length = 0;
    await app.http.get('/role').set(bearer(token)).expect(200);
    expect(app.queries).toHaveLength(1);
  });
});
