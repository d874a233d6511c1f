import { Controller, Get, Injectable, Post, SetMetadata, type Type } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import {
  EndSession,
  OptionalSession,
  Public,
  RequireLevel,
  RequireRole,
  RequireSession,
  SessionDecoratorError,
  StartSession,
} from 'nestjs-sessions';
import { PLATFORMS, withSockets } from '../support/platforms.js';
import { AccountController, bearer, signIn } from '../support/sign-in.js';
import { appsOn } from '../support/test-app.js';

/* A class with @Public() opens what is written in that very class. Each of these tries to have something else opened. */

@Public()
@Controller('health')
class HealthController {
  @Get() read(): string {
    return 'up';
  }
  @Get(['live', 'ready']) async probe(): Promise<string> {
    return this.word();
  }
  @StartSession() @Post('in') in() {
    return { userId: 'ana' };
  }
  @EndSession() @Post('out') out(): string {
    return 'bye';
  }
  private word(): string {
    return 'ready';
  }
}

/** What others define, with routes and without. */
class Crud {
  @Get('list') list(): string {
    return 'list';
  }
}

/** A mixin: what it copies was not written in the class. */
function Mixin(source: Type): ClassDecorator {
  return ({ prototype }) => {
    for (const name of Object.getOwnPropertyNames(source.prototype)) {
      if (name === 'constructor') continue;
      Object.defineProperty(prototype, name, Object.getOwnPropertyDescriptor(source.prototype, name)!);
    }
  };
}

/** A decorator that puts another class in the place of the one that it stands on. */
const Replaced = (): ClassDecorator => ((type: Type) => class Replacement extends type {}) as ClassDecorator;

/** As above, with everything that stands on the first one. */
const ReplacedByCopy = (): ClassDecorator =>
  ((type: Type) => {
    class Copy {
      secret(): string {
        return 'secret';
      }
    }
    for (const key of Reflect.getMetadataKeys(type) as unknown[])
      Reflect.defineMetadata(key, Reflect.getMetadata(key, type), Copy);
    Get('secret')(Copy.prototype, 'secret', Object.getOwnPropertyDescriptor(Copy.prototype, 'secret')!);
    return Copy;
  }) as unknown as ClassDecorator;

/** A decorator of a method that puts a function of its own in its place, as for tracing. */
const Traced = (): MethodDecorator => (_, __, descriptor: PropertyDescriptor) => {
  const original = descriptor.value as (...args: unknown[]) => unknown;
  descriptor.value = function traced(this: object, ...args: unknown[]): unknown {
    return original.apply(this, args);
  };
};

/** A decorator that adds a second route beside the method that it stands on. */
const AlsoAt =
  (path: string): MethodDecorator =>
  (target, name) => {
    const descriptor = { value: () => 'added', configurable: true };
    Object.defineProperty(target, `${String(name)}Too`, descriptor);
    Get(path)(target, `${String(name)}Too`, descriptor as never);
  };

const LIST = 'list() { return 1; }';

/** A class with this text in it, as compilers would not leave it. */
function classOf(name: string, text: string): Type {
  return new Function(`return class ${name} {\n  ${text}\n}`)() as Type;
}

const NOT_OPENED = /@Public\(\) on the class \w+ does not open (\w+)\.(\w+): it opens what is written/;

/** `[what is tried, the controller, what is not opened]` */
const STOPPED: [attack: string, type: () => Type, named: string][] = [
  [
    'a method of its own in a class that extends it',
    () => {
      @Public()
      class Base {}
      @Controller('attack')
      class Derived extends Base {
        @Get('secret') secret(): void {}
      }
      return Derived;
    },
    'Derived.secret',
  ],
  [
    'an inherited method, by the class that inherits it',
    () => {
      @Public()
      @Controller('attack')
      class Base {
        @Get('open') open(): void {}
      }
      @Controller('attack')
      class Derived extends Base {}
      return Derived;
    },
    'Derived.open',
  ],
  [
    'the same, in two steps and from an abstract class',
    () => {
      @Public()
      abstract class Base {
        @Get('open') open(): void {}
      }
      abstract class Middle extends Base {}
      @Controller('attack')
      class Derived extends Middle {}
      return Derived;
    },
    'Derived.open',
  ],
  [
    'a method that overrides one of it',
    () => {
      @Public()
      class Base {
        @Get('open') open(): void {}
      }
      @Controller('attack')
      class Derived extends Base {
        @Get('open') override open(): void {}
      }
      return Derived;
    },
    'Derived.open',
  ],
  [
    'a method that the class inherits',
    () => {
      @Public()
      @Controller('attack')
      class Derived extends Crud {
        @Get('open') open(): void {}
      }
      return Derived;
    },
    'Derived.list',
  ],
  [
    'the same, where both classes are open',
    () => {
      @Public()
      class Base {
        @Get('list') list(): void {}
      }
      @Public()
      @Controller('attack')
      class Derived extends Base {}
      return Derived;
    },
    'Derived.list',
  ],
  [
    'what a mixin below it has copied',
    () => {
      @Public()
      @Mixin(Crud as Type)
      @Controller('attack')
      class Mixed {
        @Get('open') open(): void {}
      }
      return Mixed;
    },
    'Mixed.list',
  ],
  [
    'what a mixin below it has copied, and whose text is a part of a longer method',
    () => {
      class Source {
        @Get('list') list(): string {
          return 'list';
        }
      }
      @Public()
      @Mixin(Source as Type)
      @Controller('attack')
      class Mixed {
        @Get('open') relist(): string {
          return 'list';
        }
      }
      return Mixed;
    },
    'Mixed.list',
  ],
  ...['// ', '/* ', '/*\n', "static text = '", 'static '].map((before): (typeof STOPPED)[number] => [
    `what a mixin has copied, and whose text stands in the class after ${JSON.stringify(before)}`,
    () => {
      const after = before.startsWith('/*') ? '*/' : before.endsWith("'") ? "'" : '';
      const Source = classOf('Source', LIST);
      Get('list')(Source.prototype, 'list', Object.getOwnPropertyDescriptor(Source.prototype, 'list')!);
      const Mixed = classOf('Mixed', `${before}${LIST}${after}`);
      for (const decorate of [Controller('attack'), Mixin(Source), Public()]) decorate(Mixed);
      return Mixed;
    },
    'Mixed.list',
  ]),
  [
    'what a mixin above it has copied',
    () => {
      @Mixin(Crud as Type)
      @Public()
      @Controller('attack')
      class Mixed {}
      return Mixed;
    },
    'Mixed.list',
  ],
  [
    'another function that was put in the place of its method later',
    () => {
      @Public()
      @Controller('attack')
      class Late {
        @Get('open') open(): string {
          return 'open';
        }
      }
      const { list } = Crud.prototype;
      Get('secret')(Late.prototype, 'open', { value: list });
      Late.prototype.open = list;
      return Late;
    },
    'Late.open',
  ],
  [
    'a method that is added after it',
    () => {
      @Public()
      @Controller('attack')
      class Late {}
      const descriptor = { value: () => 'added' };
      Object.defineProperty(Late.prototype, 'added', descriptor);
      Get('added')(Late.prototype, 'added', descriptor);
      return Late;
    },
    'Late.added',
  ],
  [
    'a route that a decorator of a method has added',
    () => {
      @Public()
      @Controller('attack')
      class Doubled {
        @AlsoAt('too') @Get('open') open(): void {}
      }
      return Doubled;
    },
    'Doubled.openToo',
  ],
  [
    'what a decorator has put in the place of a method',
    () => {
      @Public()
      @Controller('attack')
      class Tracing {
        @Get('open') @Traced() open(): void {}
      }
      return Tracing;
    },
    'Tracing.open',
  ],
  [
    'a class that is put in the place of the one that it stands on, above it',
    () => {
      @Replaced()
      @Public()
      @Controller('attack')
      class Original {
        @Get('open') open(): void {}
      }
      return Original;
    },
    'Replacement.open',
  ],
  [
    'the same, below it',
    () => {
      @Public()
      @Replaced()
      @Controller('attack')
      class Original {
        @Get('open') open(): void {}
      }
      return Original;
    },
    'Replacement.open',
  ],
  [
    'a class to which what stands on it was copied',
    () => {
      @ReplacedByCopy()
      @Public()
      @Controller('attack')
      class Original {}
      return Original;
    },
    'Copy.secret',
  ],
  [
    'a class in a proxy, whose text nobody can read',
    () => {
      @Controller('attack')
      class Original {
        @Get('open') open(): void {}
      }
      const Hidden = new Proxy(Original, {});
      Reflect.defineMetadata('path', 'attack', Hidden);
      Reflect.defineMetadata('__controller__', true, Hidden);
      Public()(Hidden);
      return Hidden;
    },
    'Original.open',
  ],
  [
    'a class that says another text of itself',
    () => {
      @Public()
      @Mixin(Crud as Type)
      @Controller('attack')
      class Liar {
        static toString(): string {
          return `class Liar { ${Crud.prototype.list.toString()} }`;
        }
      }
      return Liar;
    },
    'Liar.list',
  ],
];

const CONTRADICTIONS: [what: string, type: () => Type, says: RegExp][] = [
  [
    'a requirement on one of its methods',
    () => {
      @Public()
      @Controller('attack')
      class Mixed {
        @RequireRole('admin') @Get('secret') secret(): void {}
        @Get('open') open(): void {}
      }
      return Mixed;
    },
    /Mixed\.secret has @Public\(\) and @RequireRole\(\)/,
  ],
  [
    'a step-up on one of its methods',
    () => {
      @Public()
      @Controller('attack')
      class Mixed {
        @RequireLevel(1) @Get('open') open(): void {}
      }
      return Mixed;
    },
    /Mixed\.open has @Public\(\) and @RequireLevel\(\)/,
  ],
  [
    'a requirement on its base',
    () => {
      @RequireRole('admin')
      class Base {}
      @Public()
      @Controller('attack')
      class Derived extends Base {
        @Get('open') open(): void {}
      }
      return Derived;
    },
    /Derived has @Public\(\) and @RequireRole\(\)/,
  ],
  [
    'a requirement on the method of its base that it overrides',
    () => {
      class Base {
        @RequireRole('admin') @Get('secret') secret(): void {}
      }
      @Public()
      @Controller('attack')
      class Derived extends Base {
        @Get('secret') override secret(): void {}
      }
      return Derived;
    },
    /Derived\.secret has @Public\(\) and @RequireRole\(\)/,
  ],
  [
    'a requirement and @Public() on a base, whatever its subclass says',
    () => {
      @Public()
      @RequireRole('admin')
      class Base {}
      @RequireSession()
      @Controller('attack')
      class Derived extends Base {
        @Get('secret') secret(): void {}
      }
      return Derived;
    },
    /Base has @Public\(\) and @RequireRole\(\)|Base has @RequireRole\(\) and @Public\(\)/,
  ],
  [
    'no handler at all: a service',
    () => {
      @Public()
      @Injectable()
      @Controller('attack')
      class Idle {
        work(): void {}
      }
      return Idle;
    },
    /The class Idle has session decorators, but is nothing that Nest calls/,
  ],
];

/* What the packages for messages and GraphQL leave behind; the real ones are in `test/edge`. */
const Resolver = () => SetMetadata('graphql:resolver_type', 'Query');
const WebSocketGateway = () => SetMetadata('websockets:is_gateway', true);
const SubscribeMessage = () => SetMetadata('websockets:message_mapping', true);

describe.each(PLATFORMS)('@Public() on a class, on %s,', (platform) => {
  const start = appsOn(platform);
  const bootError = (controllers: Type[], providers: Type[] = []) =>
    start({ controllers, providers, configure: withSockets }).then(
      () => null,
      (error: unknown) => error,
    );

  it('opens the handlers that the class defines, and none of another class', async () => {
    @Controller('beside')
    class Beside {
      @Get() read(): string {
        return 'closed';
      }
    }
    const app = await start({ controllers: [AccountController, HealthController, Beside] });
    app.queries.length = 0;
    await app.http.get('/health').expect(200, 'up');
    for (const path of ['live', 'ready']) {
      await app.http.get(`/health/${path}`).set(bearer('garbage')).expect(200, 'ready');
    }
    expect(app.queries).toEqual([]);
    await app.http.get('/beside').expect(401);
    await app.http.get('/me').expect(401);
  });

  it('leaves a sign-in and a sign-out what they are', async () => {
    const app = await start({ controllers: [AccountController, HealthController] });
    const { body } = await app.http.post('/health/in').expect(201);
    await app.http
      .get('/me')
      .set(bearer(body.token as string))
      .expect(200);
    await app.http
      .post('/health/out')
      .set(bearer(body.token as string))
      .expect(201, 'bye');
    await app.http
      .get('/me')
      .set(bearer(body.token as string))
      .expect(401);
  });

  it.each(STOPPED)('stops the boot, and does not open %s', async (_, type, named) => {
    const error = await bootError([type()]);
    expect(error).toBeInstanceOf(SessionDecoratorError);
    const [, className, method] = NOT_OPENED.exec((error as Error).message) ?? [];
    expect(`${className}.${method}`).toBe(named);
  });

  it.each(CONTRADICTIONS)('stops the boot where there is %s', async (_, type, says) => {
    const error = await bootError([type()]);
    expect(error).toBeInstanceOf(SessionDecoratorError);
    expect((error as Error).message).toMatch(says);
  });

  it('opens nothing of a class that extends it and says what it needs', async () => {
    @Public()
    @Controller('base')
    class Base {
      @Get('open') open(): string {
        return 'open';
      }
    }
    @RequireSession()
    @Controller('derived')
    class Derived extends Base {
      @Get('secret') secret(): string {
        return 'secret';
      }
    }
    @Controller('single')
    class Single extends Base {
      @RequireRole('admin') override open(): string {
        return 'mine';
      }
      @Public() @Get('free') free(): string {
        return 'free';
      }
    }
    Get('open')(Single.prototype, 'open', Object.getOwnPropertyDescriptor(Single.prototype, 'open')!);
    const app = await start({ controllers: [AccountController, Base, Derived, Single] });
    await app.http.get('/base/open').expect(200, 'open');
    await app.http.get('/single/free').expect(200, 'free');
    for (const path of ['/derived/open', '/derived/secret', '/single/open'])
      await app.http.get(path).expect(401);
    const token = await signIn(app);
    await app.http.get('/derived/open').set(bearer(token)).expect(200, 'open');
    await app.http.get('/derived/secret').set(bearer(token)).expect(200, 'secret');
    await app.http.get('/single/open').set(bearer(token)).expect(403);
  });

  it('opens nothing that is named by a symbol, an accessor or a function of its constructor', async () => {
    @Public()
    @Controller('odd')
    class Odd {
      readonly held = (): string => 'held';
      @Get() open(): string {
        return 'open';
      }
      get gotten(): () => string {
        return () => 'gotten';
      }
      [Symbol.iterator](): string {
        return 'symbol';
      }
    }
    const { gotten } = Odd.prototype;
    Get('gotten')(Odd.prototype, 'gotten', { value: gotten });
    const app = await start({ controllers: [Odd] });
    await app.http.get('/odd').expect(200, 'open');
    for (const path of ['gotten', 'held', 'symbol']) await app.http.get(`/odd/${path}`).expect(404);
  });

  it('holds for a handler that the class has bound', async () => {
    @Public()
    @Controller('bound')
    class Bound {
      constructor() {
        this.open = this.open.bind(this);
      }
      @Get() open(): string {
        return 'open';
      }
    }
    const app = await start({ controllers: [Bound] });
    await app.http.get('/bound').expect(200, 'open');
  });

  it('holds for resolvers and gateways, and their base classes open nothing', async () => {
    class Base {
      @SetMetadata('graphql:resolver_type', 'Query') secret(): void {}
    }
    @Public()
    @Resolver()
    class Derived extends Base {}
    class Messages {
      @SubscribeMessage() message(): void {}
    }
    @Public()
    @WebSocketGateway()
    @Injectable()
    class Gateway extends Messages {}
    for (const type of [Derived, Gateway]) {
      const error = await bootError([], [type]);
      expect(error).toBeInstanceOf(SessionDecoratorError);
      expect((error as Error).message).toMatch(NOT_OPENED);
    }
    @Public()
    @Resolver()
    class Own {
      @SetMetadata('graphql:resolver_type', 'Query') open(): void {}
    }
    expect(await bootError([], [Own])).toBeNull();
  });

  it('has @OptionalSession() beside it, by the same rules', async () => {
    @OptionalSession()
    @Controller('attack')
    class Derived extends Crud {}
    const error = await bootError([Derived]);
    expect((error as Error).message).toMatch(
      /@OptionalSession\(\) on the class Derived does not open Derived\.list/,
    );
  });
});
