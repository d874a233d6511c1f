import 'reflect-metadata';
import { Controller, Get, Post, type Type } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { Public, RequireRole, RequireSession } from 'nestjs-sessions';
import { signInAs } from 'nestjs-sessions/testing';
import { type EdgeApp, edgeApps } from './support/edge-apps.js';
import { attempt } from './support/outcomes.js';

/*
 * Nest keeps a route on the function, the library its rules at the prototype and the name. Classes are made anew for
 * each test, as what is done to a method's function here is done to all that share it.
 */
const start = edgeApps();

function descriptorOf(type: Type, name: string): PropertyDescriptor {
  return Object.getOwnPropertyDescriptor(type.prototype, name)!;
}

/** As mixin helpers do it: <https://www.typescriptlang.org/docs/handbook/mixins.html>. */
function applyMixin(target: Type, source: Type): void {
  for (const name of Object.getOwnPropertyNames(source.prototype)) {
    if (name !== 'constructor') Object.defineProperty(target.prototype, name, descriptorOf(source, name));
  }
}

/** A decorator that answers under a second path: with a function of its own, which bears what the first one does. */
function AlsoAt(path: string): MethodDecorator {
  return (target, name, descriptor) => {
    const { value } = descriptor as { value?: (...args: unknown[]) => unknown };
    const second = function (this: unknown, ...args: unknown[]): unknown {
      return value!.apply(this, args);
    };
    for (const key of Reflect.getMetadataKeys(value!)) {
      Reflect.defineMetadata(key, Reflect.getMetadata(key, value!), second);
    }
    const copy = { value: second, configurable: true, writable: true };
    Object.defineProperty(target, `${String(name)}Too`, copy);
    Get(path)(target, `${String(name)}Too`, copy);
  };
}

/** The same with the very function, so that it has two names. */
function alias(type: Type, name: string, second: string, decorate: readonly MethodDecorator[]): void {
  const descriptor = descriptorOf(type, name);
  Object.defineProperty(type.prototype, second, descriptor);
  for (const decorator of decorate) decorator(type.prototype as object, second, descriptor);
}

function sources(): Type {
  class Source {
    @RequireRole('admin') @Get('secret') secret(): string {
      return 'secret';
    }
  }
  return Source;
}

const MAKERS: Record<string, () => Type> = {
  'a mixin that copies a guarded method': () => {
    class Mixed {}
    applyMixin(Mixed, sources());
    Controller()(Mixed);
    return Mixed;
  },
  'a mixin beside other rules': () => {
    class Mixed {
      @RequireSession() @Get('other') other(): string {
        return 'other';
      }
    }
    applyMixin(Mixed, sources());
    Controller()(Mixed);
    return Mixed;
  },
  'a mixin over a method with rules of its own': () => {
    class Mixed {
      @RequireSession() secret(): string {
        return 'other';
      }
    }
    applyMixin(Mixed, sources());
    Controller()(Mixed);
    return Mixed;
  },
  'a mixin under another name': () => {
    class Mixed {}
    Object.defineProperty(Mixed.prototype, 'renamed', descriptorOf(sources(), 'secret'));
    Controller()(Mixed);
    return Mixed;
  },
  'a copy of the guarded method with @Public() on it': () => {
    class Mixed {}
    const descriptor = descriptorOf(sources(), 'secret');
    Object.defineProperty(Mixed.prototype, 'secret', descriptor);
    Public()(Mixed.prototype, 'secret', descriptor);
    Controller()(Mixed);
    return Mixed;
  },
  'an alias with a route of its own': () => {
    const type = sources();
    Controller()(type);
    alias(type, 'secret', 'second', [Get('second')]);
    return type;
  },
  'an alias with @Public()': () => {
    const type = sources();
    Controller()(type);
    alias(type, 'secret', 'second', [Public()]);
    return type;
  },
  'an alias with @Public() and a route of its own': () => {
    const type = sources();
    Controller()(type);
    alias(type, 'secret', 'second', [Public(), Get('second')]);
    return type;
  },
  'a weaker rule on an alias': () => {
    const type = sources();
    Controller()(type);
    alias(type, 'secret', 'second', [RequireSession(), Get('second')]);
    return type;
  },
  'a decorator that adds a route, above': () => {
    @Controller()
    class Doubled {
      @AlsoAt('second') @RequireRole('admin') @Get('secret') secret(): string {
        return 'secret';
      }
    }
    return Doubled;
  },
  'a decorator that adds a route, below': () => {
    @Controller()
    class Doubled {
      @RequireRole('admin') @AlsoAt('second') @Get('secret') secret(): string {
        return 'secret';
      }
    }
    return Doubled;
  },
  'a foreign function with the name of an open handler': () => {
    @Controller()
    class Foreign {
      constructor() {
        this.secret = function open(): string {
          return 'secret';
        };
      }
      @Public() @Get('open') open(): string {
        return 'open';
      }
      @RequireRole('admin') @Get('secret') secret(): string {
        return 'never';
      }
    }
    return Foreign;
  },
  'an instance that has the function of an open handler in the place of a guarded one': () => {
    @Controller()
    class Foreign {
      constructor() {
        const { open } = this;
        this.secret = open;
      }
      @Public() @Get('open') open(): string {
        return 'secret';
      }
      @RequireRole('admin') @Get('secret') secret(): string {
        return 'never';
      }
    }
    return Foreign;
  },
};

describe.each(Object.keys(MAKERS))('%s', (what) => {
  it('stops the boot', async () => {
    const outcome = await attempt(
      () => start({ controllers: [MAKERS[what]!()] }),
      (app) => reaches(app),
    );
    expect(outcome).toBe('stops the boot');
  });
});

it('closes what a mixin has copied without any decorator of ours', async () => {
  class Source {
    @Get('secret') secret(): string {
      return 'secret';
    }
  }
  class Mixed {}
  applyMixin(Mixed, Source);
  Controller()(Mixed);
  const { url } = await start({ controllers: [Mixed] });
  expect((await fetch(`${url}/secret`)).status).toBe(401);
});

it('leaves the route alone from which a mixin has copied', async () => {
  const source = sources();
  class Mixed {}
  applyMixin(Mixed, source);
  Controller('mixed')(Mixed);
  Controller()(source);
  const outcome = await attempt(
    () => start({ controllers: [source, Mixed] }),
    (app) => reaches(app),
  );
  expect(outcome).not.toBe('open');
});

it('goes on with a class that inherits, and with one function that is a route of two classes by inheritance', async () => {
  class Parent {
    @RequireRole('admin') @Get('secret') secret(): string {
      return 'secret';
    }
    @Public() @Post('open') open(): string {
      return 'open';
    }
  }
  class First extends Parent {}
  class Second extends Parent {}
  Controller('first')(First);
  Controller('second')(Second);
  const app = await start({ controllers: [First, Second] });
  for (const path of ['first', 'second']) {
    expect((await fetch(`${app.url}/${path}/open`, { method: 'POST' })).status).toBe(201);
    expect((await fetch(`${app.url}/${path}/secret`)).status).toBe(401);
  }
});

/** Whether anybody without the role reads the secret, by any of the paths. */
async function reaches({ app, url }: EdgeApp): Promise<boolean> {
  const { bearer } = await signInAs(app, { userId: 'ana', roles: ['customer'] });
  for (const path of ['secret', 'second', 'mixed/secret']) {
    for (const headers of [{}, bearer]) {
      const answer = await fetch(`${url}/${path}`, { headers: { ...headers } });
      if ((await answer.text()) === 'secret') return true;
    }
  }
  return false;
}
