import {
  Controller,
  type ExecutionContext,
  Get,
  Inject,
  Injectable,
  Module,
  Scope,
  UseGuards,
} from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import { APP_GUARD, ContextIdFactory, type ContextIdStrategy, REQUEST } from '@nestjs/core';
import { Query, Resolver } from '@nestjs/graphql';
import { RequireSession, sessionOf } from 'nestjs-sessions';
import { signInAs } from 'nestjs-sessions/testing';
import { edgeApps } from '../support/edge-apps.js';
import { APOLLO, ask } from '../support/graphql.js';
import { noteRuns } from '../support/runs.js';

/* What Nest calls for a request before the guard, and so for everybody. */

const { ran, note } = noteRuns();
const start = edgeApps();

@Injectable({ scope: Scope.REQUEST })
class PerRequest {
  constructor() {
    note('provider');
  }
}

@Controller()
class OfRequest {
  constructor(@Inject(PerRequest) _provider: PerRequest, @Inject('made') _made: string) {
    note('controller');
  }
  @Get('scoped') scoped(): string {
    return note('scoped');
  }
}

@Injectable({ scope: Scope.REQUEST })
class Knower {
  constructor(@Inject(REQUEST) private readonly request: object) {
    note(`made for ${sessionOf(request)?.userId}`);
  }
  know(): string {
    return note(`handled for ${sessionOf(this.request)?.userId}`);
  }
}

@Controller()
class Knowing {
  constructor(@Inject(Knower) private readonly knower: Knower) {}
  @Get('knowing') knowing(): string {
    return this.knower.know();
  }
}

const MADE = { provide: 'made', scope: Scope.REQUEST, useFactory: () => note('factory') };

@Resolver()
class ScopedResolver {
  constructor(@Inject(PerRequest) _provider: PerRequest) {}
  @Query(() => String) scoped(): string {
    return note('scoped');
  }
}

@Injectable({ scope: Scope.REQUEST, durable: true })
class PerTenant {
  constructor() {
    note('durable provider');
  }
}

/** All contexts of the process are made by it from then on. */
const STRATEGY: ContextIdStrategy = {
  attach: (contextId) => {
    note('strategy');
    return { resolve: () => contextId, payload: { tenant: 'a' } };
  },
};
const USUAL: ContextIdStrategy = { attach: (contextId) => () => contextId };
afterEach(() => ContextIdFactory.apply(USUAL));

@Controller()
class OfTenant {
  constructor(@Inject(PerTenant) _provider: PerTenant) {}
  @Get('durable') durable(): string {
    return note('durable');
  }
}

function guardThatNotes(name: string) {
  @Injectable()
  class Guard {
    canActivate(): boolean {
      note(name);
      return true;
    }
  }
  return Guard;
}

const [OfRoot, OfModule, OfClass, OfMethod, Given] = [
  'guard of the root module',
  'guard of an imported module',
  'guard of the class',
  'guard of the method',
  'guard that was given',
].map(guardThatNotes) as [Guard, Guard, Guard, Guard, Guard];
type Guard = ReturnType<typeof guardThatNotes>;

@Module({ providers: [{ provide: APP_GUARD, useClass: OfModule }] })
class WithGuard {}

/** Says who the request is for it. */
@Injectable()
class Asking {
  canActivate(context: ExecutionContext): boolean {
    note(`guard for ${sessionOf(context)?.userId}`);
    return true;
  }
}

@Module({ providers: [{ provide: APP_GUARD, useClass: Asking }] })
class WithAsking {}

@Injectable({ scope: Scope.REQUEST })
class ScopedGuard {
  constructor() {
    note('constructor of a guard');
  }
  canActivate(): boolean {
    note('guard');
    return true;
  }
}

@UseGuards(OfClass)
@Controller()
class Guarded {
  @UseGuards(OfMethod) @Get('guarded') guarded(): string {
    return note('guarded');
  }
  @UseGuards(OfMethod) @RequireSession() @Get('decorated') decorated(): string {
    return note('decorated');
  }
}

describe.each(['express', 'fastify'] as const)('on %s', (platform) => {
  it('constructors and factories of a request run before the guard', async () => {
    const { url } = await start({ platform, controllers: [OfRequest], providers: [PerRequest, MADE] });
    expect(ran).toEqual([]);
    expect((await fetch(`${url}/scoped`)).status).toBe(401);
    expect(ran.toSorted()).toEqual(['controller', 'factory', 'provider']);
  });

  it('what is made for a request before the guard knows of no session', async () => {
    const { app, url } = await start({ platform, controllers: [Knowing], providers: [Knower] });
    const { bearer } = await signInAs(app, { userId: 'ana' });
    expect((await fetch(`${url}/knowing`, { headers: { ...bearer } })).status).toBe(200);
    expect(ran).toEqual(['made for undefined', 'handled for ana']);
  });

  it('a strategy for contexts, and the durable providers that it makes, run before the guard', async () => {
    ContextIdFactory.apply(STRATEGY);
    const { url } = await start({ platform, controllers: [OfTenant], providers: [PerTenant] });
    expect((await fetch(`${url}/durable`)).status).toBe(401);
    expect(ran).toEqual(['strategy', 'durable provider']);
  });

  it('of other guards only those of the root module run before it', async () => {
    const { url } = await start({
      platform,
      imports: [WithGuard],
      controllers: [Guarded],
      providers: [{ provide: APP_GUARD, useClass: OfRoot }],
      configure: (app) => app.useGlobalGuards(new Given()),
    });
    expect((await fetch(`${url}/guarded`)).status).toBe(401);
    expect(ran).toEqual(['guard of the root module']);
  });

  it('guards of modules that are imported before SessionModule run before it, and know of no session', async () => {
    const { app, url } = await start({ platform, importsBefore: [WithAsking], controllers: [Guarded] });
    expect((await fetch(`${url}/guarded`)).status).toBe(401);
    const { bearer } = await signInAs(app, { userId: 'ana' });
    expect((await fetch(`${url}/guarded`, { headers: { ...bearer } })).status).toBe(200);
    expect(ran.filter((one) => one.startsWith('guard for'))).toEqual(Array(2).fill('guard for undefined'));
  });

  it('of guards with Scope.REQUEST the constructor runs before it, and the guard after it', async () => {
    const { url } = await start({
      platform,
      controllers: [Guarded],
      providers: [{ provide: APP_GUARD, scope: Scope.REQUEST, useClass: ScopedGuard }],
    });
    expect((await fetch(`${url}/guarded`)).status).toBe(401);
    expect(ran).toEqual(['constructor of a guard']);
  });

  it('with globalGuard: false the decorator brings the guard, after those of the class', async () => {
    const { url } = await start({
      platform,
      imports: [WithGuard],
      controllers: [Guarded],
      options: { globalGuard: false },
      configure: (app) => app.useGlobalGuards(new Given()),
    });
    expect((await fetch(`${url}/decorated`)).status).toBe(401);
    expect(ran).toEqual(['guard of an imported module', 'guard that was given', 'guard of the class']);
  });
});

it('constructors of a request run before the guard of a resolver', async () => {
  const app = await start({ imports: [APOLLO.module()], providers: [ScopedResolver, PerRequest] });
  expect((await ask(app, '{ scoped }')).errors).toHaveLength(1);
  expect(ran).toEqual(['provider']);
});
