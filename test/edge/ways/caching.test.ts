import {
  Controller,
  createParamDecorator,
  type ExecutionContext,
  Get,
  Injectable,
  type INestApplication,
  Post,
  type Provider,
  type Type,
  UseInterceptors,
} from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { CacheInterceptor, CacheKey, CacheModule } from '@nestjs/cache-manager';
import responseCachePlugin from '@apollo/server-plugin-response-cache';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { Info, Query, Resolver } from '@nestjs/graphql';
import { WsAdapter } from '@nestjs/platform-ws';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  CurrentSession,
  OptionalSession,
  Public,
  type SessionPrincipal,
  sessionOf,
  StartSession,
} from 'nestjs-sessions';
import { signInAs } from 'nestjs-sessions/testing';
import { pageAt } from '../../docs/pages.js';
import { RunnablePage } from '../../docs/running.js';
import { edgeApps } from '../support/edge-apps.js';
import { APOLLO, ask } from '../support/graphql.js';
import { INSTALL } from '../support/install.js';
import { attempt } from '../support/outcomes.js';
import { noteRuns } from '../support/runs.js';

/* What Nest's `CacheInterceptor` keeps. */

const { ran, note } = noteRuns();
const start = edgeApps();
const imports = [CacheModule.register({ ttl: 60_000 })];

const UserId = createParamDecorator((_, context: ExecutionContext) => sessionOf(context)?.userId ?? 'nobody');

@Controller()
class Keeping {
  @UseInterceptors(CacheInterceptor) @Get('report') report(@UserId() userId: string): string {
    return note(`for ${userId}`);
  }
  @OptionalSession() @UseInterceptors(CacheInterceptor) @Get('greeting') greeting(
    @UserId() userId: string,
  ): string {
    return note(`hello ${userId}`);
  }
}

@Controller()
class OnMethod {
  @UseInterceptors(CacheInterceptor) @Get('me') me(@CurrentSession('userId') userId: string): string {
    return userId;
  }
}

@UseInterceptors(CacheInterceptor)
@Controller()
class OnClass {
  @OptionalSession() @Get('me') me(@CurrentSession('userId') userId: string | null): string {
    return userId ?? 'nobody';
  }
}

@Controller()
class Plain {
  @Get('me') me(@CurrentSession('userId') userId: string): string {
    return note(userId);
  }
}

@Controller()
class Keyed {
  @CacheKey('me') @UseInterceptors(CacheInterceptor) @Get('me') me(
    @CurrentSession('userId') userId: string,
  ): string {
    return userId;
  }
}

@Injectable()
class CacheOfWrites extends CacheInterceptor {
  protected override allowedMethods = ['GET', 'POST'];
}

@Controller()
class Writing {
  @Post('me') me(@CurrentSession('userId') userId: string): string {
    return userId;
  }
}

@Controller()
class WritingWithKey {
  @CacheKey('me') @UseInterceptors(CacheInterceptor) @Post('me') me(
    @CurrentSession('userId') userId: string,
  ): string {
    return userId;
  }
}

@Resolver()
class QueryWithKey {
  @CacheKey('me') @UseInterceptors(CacheInterceptor) @Query(() => String) me(
    @CurrentSession('userId') userId: string,
  ): string {
    return userId;
  }
}

@WebSocketGateway()
class MessageWithKey {
  @CacheKey('me') @UseInterceptors(CacheInterceptor) @SubscribeMessage('me') me(
    @CurrentSession('userId') userId: string,
  ): string {
    return userId;
  }
}

@Controller()
class SignInByGet {
  @StartSession() @Get('callback') callback(): SessionPrincipal {
    return { userId: 'ana' };
  }
}

const GLOBAL = { provide: APP_INTERCEPTOR, useClass: CacheInterceptor };

describe.each(['express', 'fastify'] as const)('on %s', (platform) => {
  it('CacheInterceptor gives what it has kept for one to all who are let in', async () => {
    const { app, url } = await start({ platform, imports, controllers: [Keeping] });
    const text = async (path: string, headers: Record<string, string> = {}) => {
      const answer = await fetch(`${url}/${path}`, { headers });
      return answer.ok ? answer.text() : answer.status;
    };
    const [ana, ben] = [await signInAs(app, { userId: 'ana' }), await signInAs(app, { userId: 'ben' })];
    expect(await text('report', { ...ana.bearer })).toBe('for ana');
    expect(await text('report', { ...ben.bearer })).toBe('for ana');
    expect(await text('report')).toBe(401);
    expect(await text('greeting', { ...ana.bearer })).toBe('hello ana');
    expect(await text('greeting')).toBe('hello ana');
  });
});

it.each<[string, Type, Provider[]]>([
  ['on the method', OnMethod, []],
  ['on its class', OnClass, []],
  ['with a key', Keyed, []],
  ['with a key, of a route for POST', WritingWithKey, []],
  ['as APP_INTERCEPTOR', Plain, [GLOBAL]],
  ['of a subclass, for POST too', Writing, [{ provide: APP_INTERCEPTOR, useClass: CacheOfWrites }]],
  ['as APP_INTERCEPTOR before a sign-in by GET', SignInByGet, [GLOBAL]],
])('CacheInterceptor before what is for one session stops the boot: %p', async (_, type, providers) => {
  const outcome = await attempt(
    () => start({ imports, controllers: [type], providers }),
    async () => true,
  );
  expect(outcome).toBe('stops the boot');
});

it.each([QueryWithKey, MessageWithKey])(
  'CacheInterceptor with a key before a query or a message that is for one session stops the boot: %p',
  async (type) => {
    const configure = (app: INestApplication) => app.useWebSocketAdapter(new WsAdapter(app));
    const outcome = await attempt(
      () => start({ imports: [...imports, APOLLO.module()], providers: [Queries, type], configure }),
      async () => true,
    );
    expect(outcome).toBe('stops the boot');
  },
);

interface Hinting {
  readonly cacheControl: { setCacheHint(hint: { maxAge: number }): void };
}

@Resolver()
class Queries {
  @Query(() => String) report(
    @CurrentSession('userId') userId: string,
    @Info() { cacheControl }: Hinting,
  ): string {
    cacheControl.setCacheHint({ maxAge: 60 });
    return note(`for ${userId}`);
  }
  @Public() @Query(() => String) news(@Info() { cacheControl }: Hinting): string {
    cacheControl.setCacheHint({ maxAge: 60 });
    return note('news');
  }
}

type Asking = { readonly request: { readonly http?: { readonly headers: Map<string, string> } } };

/** As its documentation has it. */
const sessionId = async ({ request }: Asking) => request.http?.headers.get('authorization') ?? null;

describe('the response cache of Apollo', () => {
  // Where it is not told of sessions it warns that it does not keep what is private.
  beforeAll(() => void jest.spyOn(console, 'warn').mockReturnValue());
  afterAll(() => void jest.restoreAllMocks());

  const open = (options = {}) =>
    start({
      imports: [APOLLO.module({ plugins: [responseCachePlugin(options as never)] })],
      providers: [Queries],
    });

  it('keeps nothing that is guarded, unless it is told of sessions', async () => {
    const app = await open();
    for (const _ of ['made', 'kept']) await ask(app, '{ news }');
    expect(ran.splice(0)).toEqual(['news']);
    for (const userId of ['ana', 'ana', 'ben']) {
      const { bearer } = await signInAs(app.app, { userId });
      expect((await ask(app, '{ report }', { ...bearer })).data).toEqual({ report: `for ${userId}` });
    }
    expect((await ask(app, '{ report }')).errors).toHaveLength(1);
    expect(ran).toEqual(['for ana', 'for ana', 'for ben']);
  });

  it('keeps what is guarded for each session where it is told of them, and asks nobody whether that has ended', async () => {
    const app = await open({ sessionId });
    const [ana, ben] = [
      await signInAs(app.app, { userId: 'ana' }),
      await signInAs(app.app, { userId: 'ben' }),
    ];
    const report = async (headers: Record<string, string>) => (await ask(app, '{ report }', headers)).data;
    for (const _ of ['made', 'kept']) expect(await report({ ...ana.bearer })).toEqual({ report: 'for ana' });
    expect(await report({ ...ben.bearer })).toEqual({ report: 'for ben' });
    expect(ran).toEqual(['for ana', 'for ben']);
    expect(await report({})).toBeNull();
    await app.sessions.revokeAll('ana');
    expect(await report({ ...ana.bearer })).toEqual({ report: 'for ana' });
  });

  it('of Apollo, what is guarded is private to other caches too', async () => {
    const app = await open();
    const { bearer } = await signInAs(app.app, { userId: 'ana' });
    const cacheControl = async (query: string) => {
      const headers = { 'content-type': 'application/json', ...bearer };
      const body = JSON.stringify({ query });
      const answer = await fetch(`${app.url}/graphql`, { method: 'POST', headers, body });
      return answer.headers.get('cache-control');
    };
    expect(await cacheControl('{ news }')).toBe('max-age=60, public');
    expect(await cacheControl('{ report }')).toBe('max-age=60, private');
  });
});

describe('the recipe', () => {
  let page: RunnablePage;
  let SessionCacheInterceptor: Type;
  beforeAll(async () => {
    page = await RunnablePage.of(pageAt('docs/recipes.md'), { install: INSTALL });
    ({ SessionCacheInterceptor } = (await page.run('session-cache.interceptor.ts')) as Record<
      string,
      Type
    > & {
      SessionCacheInterceptor: Type;
    });
  });
  afterAll(() => page.dispose());

  it('with the session in its key, CacheInterceptor keeps an answer for each', async () => {
    const providers = [{ provide: APP_INTERCEPTOR, useClass: SessionCacheInterceptor }];
    const { app, url } = await start({ imports, controllers: [Plain], providers });
    for (const userId of ['ana', 'ben']) {
      const { bearer } = await signInAs(app, { userId });
      for (const _ of ['made', 'kept'])
        expect(await (await fetch(`${url}/me`, { headers: { ...bearer } })).text()).toBe(userId);
    }
    expect(ran).toEqual(['ana', 'ben']);
  });
});
