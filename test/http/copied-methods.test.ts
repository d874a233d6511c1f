import { Controller, Get, Post, Scope, SetMetadata, type Type } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { Public, RequireRole, RequireSession, SessionDecoratorError, StartSession } from 'nestjs-sessions';
import { PLATFORMS } from '../support/platforms.js';
import { AccountController, bearer, signIn } from '../support/sign-in.js';
import { appsOn } from '../support/test-app.js';

/* What stands on a function goes with it to other names and classes. Classes are made anew, as functions are marked. */

function source(): Type {
  @Controller('source')
  class Source {
    @RequireRole('admin') @Get('secret') secret(): string {
      return 'secret';
    }
    @Get('plain') plain(): string {
      return 'plain';
    }
  }
  return Source;
}

function put(target: Type, name: string, from: Type, original = name): PropertyDescriptor {
  const descriptor = Object.getOwnPropertyDescriptor(from.prototype, original)!;
  Object.defineProperty(target.prototype, name, descriptor);
  return descriptor;
}

/** A decorator that adds a second route, with a function of its own. */
function AlsoAt(path: string, decorate: readonly MethodDecorator[] = []): MethodDecorator {
  return (target, name, { value }) => {
    const descriptor = {
      value(this: object, ...args: unknown[]): unknown {
        return (value as unknown as (...all: unknown[]) => unknown).apply(this, args);
      },
    };
    Object.defineProperty(target, `${String(name)}Too`, descriptor);
    for (const decorator of [Get(path), ...decorate]) {
      decorator(target, `${String(name)}Too`, descriptor as never);
    }
  };
}

const REFUSED: [what: string, maker: () => Type, says: RegExp][] = [
  [
    'a guarded method in another class',
    () => {
      class Mixed {}
      put(Mixed, 'secret', source());
      return Mixed;
    },
    /Mixed\.secret is a function with @RequireRole\(\).*copied/,
  ],
  [
    'a guarded method under a second name',
    () => {
      const type = source();
      Get('second')(type.prototype as object, 'second', put(type, 'second', type, 'secret'));
      return type;
    },
    /Source\.second is a function with @RequireRole\(\).*two names/,
  ],
  [
    'an undecorated method with @Public() on its second name',
    () => {
      const type = source();
      Public()(type.prototype as object, 'open', put(type, 'open', type, 'plain'));
      return type;
    },
    /Source\.plain is a function with @Public\(\)/,
  ],
  [
    'another function in the place of a method that is open',
    () => {
      class Mixed {
        @Public() @Get('plain') plain(): string {
          return 'open';
        }
      }
      put(Mixed, 'plain', source());
      return Mixed;
    },
    /Mixed\.plain has @Public\(\), but another function/,
  ],
  [
    'a route that a decorator has added below the rules',
    () => {
      class Doubled {
        @RequireRole('admin') @AlsoAt('second') @Get('secret') secret(): string {
          return 'secret';
        }
      }
      return Doubled;
    },
    /Doubled\.secretToo was added by a decorator of the method 'secret'/,
  ],
  [
    'the function of another method in an instance',
    () => {
      class Foreign {
        constructor() {
          this.secret = Foreign.prototype.open;
        }
        @Public() @Get('open') open(): string {
          return 'open';
        }
        @RequireRole('admin') @Get('secret') secret(): string {
          return 'secret';
        }
      }
      return Foreign;
    },
    /Foreign\.\w+/,
  ],
  [
    'a guarded method, bound, in the place of one that is open',
    () => {
      class Foreign {
        constructor() {
          this.open = this.secret.bind(this);
        }
        @Public() @Get('open') open(): string {
          return 'open';
        }
        @RequireRole('admin') @Get('secret') secret(): string {
          return 'secret';
        }
      }
      return Foreign;
    },
    /Foreign\.secret and Foreign\.open are one function/,
  ],
  [
    'a guarded method of another class in the place of one that is open',
    () => {
      class Foreign {
        constructor() {
          this.open = source().prototype.secret as () => string;
        }
        @Public() @Get('open') open(): string {
          return 'open';
        }
      }
      return Foreign;
    },
    /Foreign\.open is a function with @RequireRole\(\)/,
  ],
];

@Controller('bound')
class BoundController {
  readonly word = 'bound';

  constructor() {
    this.open = this.open.bind(this);
    this.secret = this.secret.bind(this);
    this.login = this.login.bind(this);
  }
  @Public() @Get('open') open(): string {
    return this.word;
  }
  @RequireRole('admin') @Get('secret') secret(): string {
    return this.word;
  }
  @Post('login') login(): string {
    return this.word;
  }
}

@Controller('doubled')
class DoubledController {
  @AlsoAt('second', [RequireSession()]) @RequireRole('admin') @Get('secret') secret(): string {
    return 'secret';
  }
  @AlsoAt('also-plain') @Get('plain') plain(): string {
    return 'plain';
  }
}

describe.each(PLATFORMS)('on %s', (platform) => {
  const start = appsOn(platform);
  const bootError = (controllers: Type[], options = {}) =>
    start({ controllers, options }).then(
      () => null,
      (error: unknown) => error,
    );

  describe('the boot is stopped by', () => {
    it.each(REFUSED)('%s', async (_, maker, says) => {
      const type = maker();
      Controller('mixed')(type);
      const error = await bootError([type]);
      // One function under two names is one route twice, which Fastify does not take anyhow.
      if (error instanceof Error && error.name === 'FastifyError') return;
      expect(error).toBeInstanceOf(SessionDecoratorError);
      expect((error as Error).message).toMatch(says);
    });

    it('bound handlers that have lost the guard or the interceptor that decorators bring along', async () => {
      class Lost {
        constructor() {
          this.login = this.login.bind(this);
        }
        @StartSession() @Post('login') login() {
          return { userId: 'ana' };
        }
      }
      Controller('lost')(Lost);
      expect(await bootError([Lost])).toBeInstanceOf(SessionDecoratorError);
      expect(await bootError([BoundController], { globalGuard: false })).toBeInstanceOf(
        SessionDecoratorError,
      );
    });
  });

  it('a bound handler of messages stops the boot, as no guard is found on it', async () => {
    class BoundMessages {
      constructor() {
        this.message = this.message.bind(this);
      }
      @SetMetadata('microservices:handler_type', 1) message(): void {}
    }
    Controller()(BoundMessages);
    const error = await bootError([BoundMessages]);
    expect(error).toBeInstanceOf(SessionDecoratorError);
    expect((error as Error).message).toMatch(/BoundMessages\.message .*do not bind it/);
  });

  it('bound handlers keep what stands on their methods', async () => {
    const app = await start({ controllers: [AccountController, BoundController] });
    await app.http.get('/bound/open').expect(200, 'bound');
    await app.http.get('/bound/secret').expect(401);
    await app.http.post('/bound/login').expect(401);
    const token = await signIn(app, { userId: 'ana', roles: ['customer'] });
    await app.http.get('/bound/secret').set(bearer(token)).expect(403);
    await app.http.post('/bound/login').set(bearer(token)).expect(201, 'bound');
  });

  it('bound handlers are refused where each request has a controller of its own', async () => {
    class Scoped {
      constructor() {
        this.open = this.open.bind(this);
        this.secret = this.secret.bind(this);
      }
      @Public() @Get('open') open(): string {
        return 'open';
      }
      @Get('secret') secret(): string {
        return 'secret';
      }
    }
    Controller({ path: 'scoped', scope: Scope.REQUEST })(Scoped);
    const app = await start({ controllers: [AccountController, Scoped] });
    const token = await signIn(app);
    for (const path of ['open', 'secret']) {
      await app.http.get(`/scoped/${path}`).expect(500);
      await app.http.get(`/scoped/${path}`).set(bearer(token)).expect(500);
    }
  });

  it('bound handlers are refused there too where their decorators bring the guard along', async () => {
    class Scoped {
      constructor() {
        this.secret = this.secret.bind(this);
      }
      @RequireRole('admin') @Get('secret') secret(): string {
        return 'secret';
      }
      @RequireRole('admin') @Get('other') other(): string {
        return 'other';
      }
    }
    Controller({ path: 'scoped', scope: Scope.REQUEST })(Scoped);
    const app = await start({
      controllers: [AccountController, Scoped],
      options: { globalGuard: false },
    });
    await app.http.get('/scoped/secret').expect(500);
    const token = await signIn(app, { userId: 'ana', roles: ['admin'] });
    await app.http.get('/scoped/other').set(bearer(token)).expect(200, 'other');
  });

  it('an added route has the rules that the decorator gives it', async () => {
    const app = await start({ controllers: [AccountController, DoubledController] });
    for (const path of ['secret', 'second', 'plain', 'also-plain'])
      await app.http.get(`/doubled/${path}`).expect(401);
    const token = await signIn(app, { userId: 'ana' });
    await app.http.get('/doubled/secret').set(bearer(token)).expect(403);
    for (const path of ['second', 'plain', 'also-plain']) {
      await app.http.get(`/doubled/${path}`).set(bearer(token)).expect(200);
    }
  });
});
