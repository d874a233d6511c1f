import { Controller, Get, Post } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import {
  AllowAnonymous,
  Public,
  RequireLevel,
  RequireRecentAuth,
  RequireRole,
  StartSession,
} from 'nestjs-sessions';
import { TestClock } from 'nestjs-sessions/testing';
import { PLATFORMS } from '../support/platforms.js';
import { AccountController, bearer, signIn } from '../support/sign-in.js';
import { appsOn, sharedAppOn, type TestApp } from '../support/test-app.js';
import { Wrapped } from '../support/wrapped.decorator.js';

@Controller()
class SeveralController {
  @RequireRole('admin') @RequireRole('auditor') @Get('both') both(): string {
    return 'both';
  }
  @RequireLevel(1) @RequireLevel(3) @Get('levels') levels(): string {
    return 'levels';
  }
  @RequireRecentAuth('1h') @RequireRecentAuth('5m') @Get('ages') ages(): string {
    return 'ages';
  }
}

@RequireRole('staff')
@Controller('staff')
class StaffController {
  @Get() list(): string {
    return 'list';
  }
  @RequireRole('admin') @Get('admin') admin(): string {
    return 'admin';
  }
  @Public() @Get('public') public(): string {
    return 'public';
  }
  @StartSession() @Post('login') login() {
    return { userId: 'ana' };
  }
  @RequireRole('admin') @Wrapped() @Get('wrapped-below') wrappedBelow(): string {
    return 'wrapped';
  }
  @Wrapped() @RequireRole('admin') @Get('wrapped-above') wrappedAbove(): string {
    return 'wrapped';
  }
  @Get('wrapped-bare') @Wrapped({ losesMetadata: true }) @RequireRole('admin') wrappedBare(): string {
    return 'wrapped';
  }
}

@RequireRole('base')
class BaseController {
  @RequireRole('inherited') @Get('inherited') inherited(): string {
    return 'inherited';
  }
  @RequireRole('overridden') @Get('overridden') overridden(): string {
    return 'overridden';
  }
  @Public() @Get('opened') opened(): string {
    return 'opened';
  }
  @Public() @Get('closed-again') closedAgain(): string {
    return 'open';
  }
}

@RequireRole('one')
@Controller('one')
class OneController extends BaseController {
  @RequireRole('override') @Get('overridden') override overridden(): string {
    return 'overridden by one';
  }
  @Get('closed-again') override closedAgain(): string {
    return 'closed';
  }
}

@Controller('two')
class TwoController extends BaseController {}

@AllowAnonymous()
@Controller('shop')
class ShopController {
  @Get() browse(): string {
    return 'browse';
  }
  @RequireRole('customer') @Get('orders') orders(): string {
    return 'orders';
  }
}

const controllers = [
  AccountController,
  SeveralController,
  StaffController,
  OneController,
  TwoController,
  ShopController,
];

async function statusFor(app: TestApp, path: string, roles: string[]): Promise<number> {
  const token = await signIn(app, { userId: 'ana', roles });
  return (await app.http.get(path).set(bearer(token))).status;
}

describe.each(PLATFORMS)('on %s', (platform) => {
  const startApp = appsOn(platform);
  const start = sharedAppOn(platform, { controllers });

  describe('requirements add up:', () => {
    it.each<[string, string, string[][], string[][]]>([
      ['several on one method', '/both', [['admin', 'auditor']], [['admin'], ['auditor']]],
      ['the class', '/staff', [['staff']], [[], ['admin']]],
      ['class and method', '/staff/admin', [['staff', 'admin']], [['staff'], ['admin']]],
      [
        'with a function in the place of the method, below',
        '/staff/wrapped-below',
        [['staff', 'admin']],
        [['staff']],
      ],
      [
        'with a function in the place of the method, above',
        '/staff/wrapped-above',
        [['staff', 'admin']],
        [['staff']],
      ],
      [
        'with a function in the place of the method, without its metadata',
        '/staff/wrapped-bare',
        [['staff', 'admin']],
        [['staff']],
      ],
      [
        'inherited method, its class and the subclass',
        '/one/inherited',
        [['inherited', 'base', 'one']],
        [
          ['inherited', 'base'],
          ['inherited', 'one'],
          ['base', 'one'],
        ],
      ],
      [
        'overridden method and its base',
        '/one/overridden',
        [['override', 'overridden', 'base', 'one']],
        [
          ['override', 'base', 'one'],
          ['overridden', 'base', 'one'],
          ['override', 'overridden', 'one'],
        ],
      ],
      [
        'the same inherited method in another controller',
        '/two/inherited',
        [['inherited', 'base']],
        [['base']],
      ],
      [
        'an overridden method where it is not',
        '/two/overridden',
        [['overridden', 'base']],
        [['base', 'one']],
      ],
    ])('%s', async (_, path, enough, tooLittle) => {
      const app = start();
      for (const roles of enough) expect([roles, await statusFor(app, path, roles)]).toEqual([roles, 200]);
      for (const roles of tooLittle) expect([roles, await statusFor(app, path, roles)]).toEqual([roles, 403]);
      await app.http.get(path).expect(401);
    });

    it('the highest level and the shortest age count', async () => {
      const clock = new TestClock();
      const app = await startApp({ controllers, options: { clock: clock.now } });
      const token = await signIn(app, { userId: 'ana', level: 2 });
      clock.advance('6m');
      const [level, age] = [
        await app.http.get('/levels').set(bearer(token)),
        await app.http.get('/ages').set(bearer(token)),
      ];
      expect(level.headers['www-authenticate']).toContain('acr_values="3"');
      expect(age.headers['www-authenticate']).toContain('max_age="300"');
    });

    it('a method may be stricter than @AllowAnonymous() on its class', async () => {
      const app = start();
      const { token } = await app.sessions.createAnonymous();
      await app.http.get('/shop').set(bearer(token)).expect(200);
      await app.http.get('/shop/orders').set(bearer(token)).expect(401);
      expect(await statusFor(app, '/shop/orders', ['customer'])).toBe(200);
    });
  });

  describe('only what stands on the method lifts the requirements of the class:', () => {
    it('@Public() and @StartSession()', async () => {
      const app = start();
      await app.http.get('/staff/public').expect(200);
      await app.http.post('/staff/login').expect(201);
    });

    it('an inherited method stays open', async () => {
      const app = start();
      await app.http.get('/one/opened').expect(200);
      await app.http.get('/two/closed-again').expect(200);
    });

    it('an overriding method is closed unless it is opened itself', async () => {
      const app = start();
      await app.http.get('/one/closed-again').expect(401);
      expect(await statusFor(app, '/one/closed-again', ['base', 'one'])).toBe(200);
    });
  });
});
