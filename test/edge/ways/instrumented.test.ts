import { Controller, Get, type INestApplication, Module, Post, Scope, type Type } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import { CacheInterceptor, CacheModule } from '@nestjs/cache-manager';
import { APP_INTERCEPTOR, NestFactory } from '@nestjs/core';
import { Query, Resolver } from '@nestjs/graphql';
import { MessagePattern } from '@nestjs/microservices';
import { WsAdapter } from '@nestjs/platform-ws';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  CurrentSession,
  Public,
  RequireRole,
  SessionDecoratorError,
  SessionModule,
  type SessionPrincipal,
  StartSession,
} from 'nestjs-sessions';
import { InMemorySessionStore, signInAs } from 'nestjs-sessions/testing';
import { APOLLO } from '../support/graphql.js';
import { noteRuns } from '../support/runs.js';
import { WS } from '../support/socket-clients.js';

/* The option `instrument` of Nest puts a proxy around each instance, which may wrap its methods. */

const { ran, note } = noteRuns();
const running: INestApplication[] = [];
afterEach(async () => {
  for (const app of running.splice(0)) await app.close();
});

type Method = (...args: unknown[]) => unknown;

const wrapped = (method: Method): Method =>
  function (this: unknown, ...args) {
    return method.apply(this, args);
  };

const wrappers = new WeakMap<Method, Method>();
function wrappedOnce(method: Method): Method {
  const wrapper = wrappers.get(method) ?? wrapped(method);
  wrappers.set(method, wrapper);
  return wrapper;
}

/** With what stands on the method. */
function copied(method: Method): Method {
  const wrapper = wrappedOnce(method);
  for (const key of Reflect.getMetadataKeys(method))
    Reflect.defineMetadata(key, Reflect.getMetadata(key, method), wrapper);
  return wrapper;
}

/** What belongs to its class. The methods of a `Map`, such as one of Nest itself, cannot be called on a proxy. */
function instrumentedBy(wrap: (method: Method) => Method) {
  return (instance: unknown): unknown => {
    if (typeof instance !== 'object' || instance === null || instance instanceof Map) return instance;
    return new Proxy(instance, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key);
        const isMethod = typeof value === 'function' && key !== 'constructor' && !Object.hasOwn(target, key);
        return isMethod ? wrap(value as Method) : value;
      },
    });
  };
}

/** Made anew, as what is done to a class is done to all applications with it. */
const makers = {
  routes(scope = Scope.DEFAULT): Type {
    @Controller({ scope })
    class Routes {
      @Get('plain') plain(): string {
        return note('plain');
      }
      @RequireRole('admin') @Get('admin') admin(): string {
        return note('admin');
      }
      @Public() @Get('open') open(): string {
        return note('open');
      }
    }
    return Routes;
  },
  signIns(): Type {
    @Controller()
    class SignIns {
      @StartSession() @Post('sign-in') signIn(): SessionPrincipal {
        return { userId: note('ana') };
      }
    }
    return SignIns;
  },
  messages(): Type {
    @Controller()
    class Messages {
      @MessagePattern('message') message(): string {
        return note('message');
      }
    }
    return Messages;
  },
};

@Controller()
class Me {
  @Get('me') me(@CurrentSession('userId') userId: string): string {
    return userId;
  }
}

@Resolver()
class Queries {
  @Query(() => String) plain(): string {
    return note('query');
  }
  @RequireRole('admin') @Query(() => String) admin(): string {
    return note('query of admins');
  }
}

@WebSocketGateway()
class Gateway {
  @SubscribeMessage('plain') plain(): string {
    return note('message');
  }
  @RequireRole('admin') @SubscribeMessage('admin') admin(): string {
    return note('message of admins');
  }
}

interface Parts {
  readonly controllers?: Type[];
  readonly globalGuard?: boolean;
  readonly isCached?: boolean;
}

async function start(wrap: (method: Method) => Method, parts: Parts) {
  const { controllers = [], globalGuard = true, isCached = false } = parts;
  const sessions = SessionModule.forRoot({ store: InMemorySessionStore, globalGuard });
  const providers = [Queries, Gateway];
  const cache = { provide: APP_INTERCEPTOR, useClass: CacheInterceptor };
  @Module(
    isCached
      ? { imports: [sessions, CacheModule.register()], controllers, providers: [cache] }
      : { imports: [sessions, APOLLO.module()], controllers, providers },
  )
  class Root {}
  const instrument = { instanceDecorator: instrumentedBy(wrap) };
  const app = await NestFactory.create(Root, { logger: false, abortOnError: false, instrument });
  running.push(app);
  await app.useWebSocketAdapter(new WsAdapter(app)).listen(0, '127.0.0.1');
  const url = await app.getUrl();
  const status = async (path: string, headers: object = {}) =>
    (await fetch(`${url}/${path}`, { headers: { ...headers } })).status;
  const visit = async (headers: Record<string, string> = {}) => {
    for (const path of ['plain', 'admin', 'open']) await status(path, headers);
    for (const query of ['plain', 'admin'])
      await status(`graphql?query={${query}}`, { ...headers, 'apollo-require-preflight': 'yes' });
    for (const message of ['plain', 'admin']) await WS.send(Number(new URL(url).port), message, headers);
    return ran.splice(0);
  };
  return { app, status, visit };
}

const GUESTS = ['open'];
const USERS = ['plain', 'open', 'query', 'message'];
const ADMINS = ['plain', 'admin', 'open', 'query', 'query of admins', 'message', 'message of admins'];

it.each([
  ['as they are', (method: Method) => method],
  ['wrapped', wrappedOnce],
  ['wrapped, with what stands on them', copied],
])('methods of instrumented instances are guarded as ever: %p', async (_, wrap) => {
  const { app, visit } = await start(wrap, { controllers: [makers.routes()] });
  const ana = await signInAs(app, { userId: 'ana', roles: ['customer'] });
  const bob = await signInAs(app, { userId: 'bob', roles: ['admin'] });
  expect(await visit().catch(() => ran.splice(0))).toEqual(GUESTS);
  expect(await visit({ ...ana.bearer })).toEqual(USERS);
  expect(await visit({ ...bob.bearer })).toEqual(ADMINS);
});

it.each([
  ['where they are wrapped anew at each reading', wrapped, Scope.DEFAULT],
  ['where each request has a controller of its own', wrappedOnce, Scope.REQUEST],
])('instrumented routes are refused %s', async (_, wrap, scope) => {
  const { app, status } = await start(wrap, { controllers: [makers.routes(scope)] });
  const { bearer } = await signInAs(app, { userId: 'bob', roles: ['admin'] });
  for (const path of ['plain', 'admin', 'open']) expect(await status(path, bearer)).toBe(500);
  expect(ran).toEqual([]);
});

describe('the boot stops', () => {
  it.each<[string, () => Parts]>([
    ['of a sign-in', () => ({ controllers: [makers.signIns()] })],
    ['of a message', () => ({ controllers: [makers.messages()] })],
    [
      'of a decorator without the global guard',
      () => ({ controllers: [makers.routes()], globalGuard: false }),
    ],
  ])('where the method %p is wrapped without what stands on it', async (_, parts) => {
    await expect(start(wrappedOnce, parts())).rejects.toThrow(SessionDecoratorError);
    await expect(start(copied, parts())).resolves.toBeDefined();
  });

  it.each([
    ['wrapped', wrappedOnce],
    ['wrapped with what stands on them', copied],
  ])('before what is for one session, where methods of CacheInterceptor are %p', async (_, wrap) => {
    const boot = start(wrap, { controllers: [Me], isCached: true }).then(() => 'started');
    await expect(boot).rejects.toThrow('answers each session by itself');
  });
});
