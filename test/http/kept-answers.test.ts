import {
  type CallHandler,
  Controller,
  type ExecutionContext,
  Get,
  Injectable,
  type NestInterceptor,
  Post,
  Scope,
  SetMetadata,
  type Type,
  UseInterceptors,
} from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { expect, it } from '@jest/globals';
import { CurrentSession, Public, SessionModule, StartSession } from 'nestjs-sessions';
import { InMemorySessionStore } from 'nestjs-sessions/testing';

/* The real interceptor is in `test/edge/ways/caching.test.ts`. */

@Injectable()
class CacheInterceptor implements NestInterceptor {
  trackBy(): string {
    return 'the URL';
  }
  isRequestCacheable(): boolean {
    return true;
  }
  intercept(_: ExecutionContext, next: CallHandler) {
    return next.handle();
  }
}

const CacheKey = (key: unknown) => SetMetadata('cache_module:cache_key', key);

class Renamed extends CacheInterceptor {}
class ByUser extends CacheInterceptor {
  override trackBy(): string {
    return 'the user';
  }
}
class ForWritesToo extends CacheInterceptor {
  protected allowedMethods = ['GET', 'POST'];
}
class ForGuests extends CacheInterceptor {
  override isRequestCacheable(): boolean {
    return false;
  }
}

/** As what measures how long methods take does. */
function wrapped(cache: CacheInterceptor): CacheInterceptor {
  const trackBy = cache.trackBy.bind(cache);
  return Object.assign(cache, { trackBy });
}

@Controller()
class Me {
  @Get('me') me(@CurrentSession() _session: object): void {}
}

function keeping(interceptor: Type | object, more: MethodDecorator = () => {}): Type {
  @Controller()
  class Keeping {
    @more @UseInterceptors(interceptor as Type) @Get('me') me(@CurrentSession() _session: object): void {}
  }
  return Keeping;
}

@Controller()
class Writing {
  @UseInterceptors(CacheInterceptor) @Post('me') me(@CurrentSession() _session: object): void {}
}

@Controller()
class Bound {
  constructor() {
    this.me = this.me.bind(this);
  }
  @Get('me') me(@CurrentSession() _session: object): void {}
}

@Controller()
class WritingWithKey {
  @CacheKey('me') @UseInterceptors(CacheInterceptor) @Post('me') me(
    @CurrentSession() _session: object,
  ): void {}
}

@Controller()
class SignInByGet {
  @StartSession() @UseInterceptors(ByUser) @Get('callback') callback() {
    return { userId: 'ana' };
  }
}

@Controller()
class ForEverybody {
  @UseInterceptors(CacheInterceptor) @Get('news') news(): void {}
}

async function boot(type: Type, { given, provided = [] }: { given?: object; provided?: object[] } = {}) {
  const builder = Test.createTestingModule({
    imports: [SessionModule.forRoot({ store: InMemorySessionStore })],
    controllers: [type],
    providers: provided as never,
  });
  const app = (await builder.compile()).createNestApplication({ logger: false });
  if (given) app.useGlobalInterceptors(given as NestInterceptor);
  try {
    await app.init();
  } finally {
    await app.close();
  }
}

const GLOBAL = { provide: APP_INTERCEPTOR, useClass: CacheInterceptor };

it.each<[string, Type, Parameters<typeof boot>[1]]>([
  ['on the method', keeping(CacheInterceptor), {}],
  ['as an instance', keeping(new CacheInterceptor()), {}],
  ['as a subclass', keeping(Renamed), {}],
  ['with a key of everybody', keeping(CacheInterceptor, CacheKey('me')), {}],
  ['with such a key on what is no GET', WritingWithKey, {}],
  ['a sign-in, by any key', SignInByGet, {}],
  ['for the whole application', Me, { provided: [GLOBAL] }],
  [
    'for the whole application, anew for each request',
    Me,
    { provided: [{ ...GLOBAL, scope: Scope.REQUEST }] },
  ],
  ['given to the application', Me, { given: new CacheInterceptor() }],
  ['for the whole application, of what the instance has bound', Bound, { provided: [GLOBAL] }],
  ['of a route for POST, by a subclass for these', Writing, { given: new ForWritesToo() }],
  ['whose methods something has wrapped', keeping(wrapped(new CacheInterceptor())), {}],
])('what is answered to one session is not kept for others: %s', async (_, type, options) => {
  await expect(boot(type, options)).rejects.toThrow(
    'answers each session by itself, and CacheInterceptor would give to all others what it has answered to one',
  );
});

it.each<[string, Type]>([
  ['with a key of its own', keeping(ByUser)],
  ['with a choice of its own', keeping(ForGuests)],
  [
    'with a key that a function makes',
    keeping(
      CacheInterceptor,
      CacheKey(() => 'the user'),
    ),
  ],
  ['where it is public', keeping(CacheInterceptor, Public())],
  ['where it is no GET', Writing],
  ['where it takes no session', ForEverybody],
])('a cache is left alone %s', async (_, type) => {
  await expect(boot(type)).resolves.toBeUndefined();
});
