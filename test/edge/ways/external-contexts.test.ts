import { Controller, Get, Injectable, Post, SetMetadata, type Type } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { ExternalContextCreator } from '@nestjs/core';
import { Query, Resolver } from '@nestjs/graphql';
import {
  OptionalSession,
  Public,
  RequireRole,
  RequireSession,
  type SessionPrincipal,
  StartSession,
} from 'nestjs-sessions';
import { signInAs } from 'nestjs-sessions/testing';
import { type EdgeApp, type EdgeAppOptions, edgeApps } from '../support/edge-apps.js';
import { APOLLO } from '../support/graphql.js';
import { attempt } from '../support/outcomes.js';
import { noteRuns } from '../support/runs.js';

/*
 * Libraries for bots, queues and the like find methods by a decorator of theirs, and call them with the guards of Nest,
 * by its `ExternalContextCreator`.
 */

const { ran, note } = noteRuns();
const start = edgeApps();

/** Their decorator. */
const OnCommand = () => SetMetadata('bot:command', true);

@Injectable()
class Undecorated {
  @OnCommand() command(): string {
    return note('command');
  }
}

@Injectable()
class Open {
  @Public() @OnCommand() command(): string {
    return note('command');
  }
}

@Injectable()
class Decorated {
  @RequireRole('admin') @OnCommand() command(): string {
    return note('command');
  }
}

@RequireSession()
@Injectable()
class DecoratedClass {
  @OnCommand() command(): string {
    return note('command');
  }
}

/** As a library does it. Of those that name no type of context, Nest says `http`. */
function command(
  { app }: EdgeApp,
  type: Type<{ command(): string }>,
  [contextType, ...args]: readonly [string | undefined, ...unknown[]],
  options?: { guards: boolean; interceptors: boolean; filters: boolean },
): Promise<unknown> {
  const instance = app.get(type);
  const call = app
    .get(ExternalContextCreator)
    .create(
      instance,
      instance.command,
      'command',
      undefined,
      undefined,
      undefined,
      undefined,
      options,
      contextType as 'http',
    );
  return call(...args);
}

const FORGED = { protocol: 'https', headers: { host: 'example.com' }, socket: {}, method: 'POST' };

describe.each<[string | undefined, ...unknown[]]>([
  ['bot', { text: '/command' }],
  ['rmq', { text: '/command' }, { properties: {} }],
  [undefined, { text: '/command' }],
  [undefined],
  [undefined, FORGED],
  [undefined, FORGED, undefined],
])('what a library calls in a context of %p with %p', (...call) => {
  it('is closed without a decorator', async () => {
    const app = await start({ providers: [Undecorated] });
    await expect(command(app, Undecorated, call)).rejects.toThrow('Forbidden resource');
    expect(ran).toEqual([]);
  });

  it('is open with @Public()', async () => {
    const app = await start({ providers: [Open] });
    expect(await command(app, Open, call)).toBe('command');
  });

  it('is open without a decorator with globalGuard: false', async () => {
    const app = await start({ providers: [Undecorated], options: { globalGuard: false } });
    expect(await command(app, Undecorated, call)).toBe('command');
  });
});

@Controller()
class Commands {
  @RequireRole('admin') @Get('command') @OnCommand() command(): string {
    return note('command');
  }
}

@Controller()
class OptionalCommands {
  @OptionalSession() @Get('command') @OnCommand() command(): string {
    return note('command');
  }
}

@Controller()
class SignInCommands {
  @StartSession() @Post('command') @OnCommand() command(): SessionPrincipal {
    return { userId: note('command') };
  }
}

it.each([Commands, OptionalCommands, SignInCommands])(
  'a route with a decorator that a library calls too is refused there: %p',
  async (type) => {
    for (const globalGuard of [true, false]) {
      const app = await start({ controllers: [type], options: { globalGuard } });
      await expect(
        command(app, type as Type<{ command(): string }>, ['bot', { text: '/command' }]),
      ).rejects.toBeDefined();
    }
    expect(ran).toEqual([]);
  },
);

@Resolver()
class Queries {
  @Query(() => String) @OnCommand() command(): string {
    return note('command');
  }
}

@Resolver()
class GuardedQueries {
  @RequireRole('admin') @Query(() => String) @OnCommand() command(): string {
    return note('command');
  }
}

it.each<[Type<{ command(): string }>, boolean[]]>([
  [Queries, [true]],
  [GuardedQueries, [true, false]],
])('a query that a library calls too is refused there: %p', async (type, guards) => {
  for (const globalGuard of guards) {
    const app = await start({ providers: [type], imports: [APOLLO.module()], options: { globalGuard } });
    await expect(command(app, type, ['bot', { text: '/command' }])).rejects.toBeDefined();
    await expect(command(app, type, ['graphql', {}, {}, {}, {}])).rejects.toBeDefined();
  }
  expect(ran).toEqual([]);
});

it('what a library calls without the guards of Nest is open without a decorator', async () => {
  const app = await start({ providers: [Undecorated] });
  const options = { guards: false, interceptors: true, filters: true };
  expect(await command(app, Undecorated, ['bot', {}], options)).toBe('command');
});

it('what a library calls with a request of Nest is let in with a session', async () => {
  const app = await start({ providers: [Undecorated] });
  const { bearer } = await signInAs(app.app, { userId: 'ana' });
  const request = { ...FORGED, headers: { ...FORGED.headers, ...bearer } };
  const head = { req: request, setHeader() {}, getHeader() {}, writeHead() {}, headersSent: false };
  expect(await command(app, Undecorated, [undefined, request, head])).toBe('command');
});

it.each([Decorated, DecoratedClass])(
  'another decorator on what a library calls stops the boot: %p',
  async (type) => {
    const outcome = await attempt(
      () => start({ providers: [type] }),
      async () => true,
    );
    expect(outcome).toBe('stops the boot');
  },
);

@RequireRole('admin')
@Controller()
class CommandsBesideRoutes {
  @Get('route') route(): void {}
  @OnCommand() command(): string {
    return note('command');
  }
}

@RequireRole('admin')
@Resolver()
class CommandsBesideQueries {
  @Query(() => String) query(): string {
    return '';
  }
  @OnCommand() command(): string {
    return note('command');
  }
}

it.each<[Type<{ command(): string }>, EdgeAppOptions]>([
  [CommandsBesideRoutes, { controllers: [CommandsBesideRoutes] }],
  [CommandsBesideQueries, { providers: [CommandsBesideQueries], imports: [APOLLO.module()] }],
])(
  'what a library calls in a class of handlers has the decorators of that class: %p',
  async (type, types) => {
    for (const globalGuard of [true, false]) {
      const app = await start({ ...types, options: { globalGuard } });
      await expect(command(app, type, ['bot', { text: '/command' }])).rejects.toBeDefined();
    }
    expect(ran).toEqual([]);
  },
);
