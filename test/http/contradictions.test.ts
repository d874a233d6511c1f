import { All, Controller, Get, Head, Post, SetMetadata, type Type } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import {
  AllowAnonymous,
  Background,
  EndSession,
  EnsureSession,
  OptionalSession,
  Public,
  RequireLevel,
  RequireRecentAuth,
  RequireRole,
  RequireSession,
  SessionDecoratorError,
  StartSession,
  type StartSessionOptions,
} from 'nestjs-sessions';
import { PLATFORMS } from '../support/platforms.js';
import { appsOn } from '../support/test-app.js';

/** A controller with one method, decorated in ways that TypeScript may not allow. */
function controllerWith(onMethod: unknown[], onClass: unknown[] = [], verb: MethodDecorator = Post()): Type {
  @Controller()
  class OddController {
    handle(): null {
      return null;
    }
  }
  decorate([verb, ...onMethod], OddController);
  for (const decorator of onClass) (decorator as ClassDecorator)(OddController);
  return OddController;
}

function decorate(decorators: unknown[], { prototype }: Type): void {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, 'handle') as PropertyDescriptor;
  for (const decorator of decorators)
    (decorator as MethodDecorator)(prototype as object, 'handle', descriptor);
}

type Case = [contradiction: string, controller: () => Type, says: RegExp];

const REFUSED: Case[] = [
  [
    '@Public() and @RequireRole() on one method',
    () => controllerWith([Public(), RequireRole('admin')]),
    /OddController\.handle .*@Public\(\) and @RequireRole\(\)/,
  ],
  [
    '@Public() and @RequireSession() on one method',
    () => controllerWith([Public(), RequireSession()]),
    /OddController\.handle .*@Public\(\)/,
  ],
  [
    '@Public() and @RequireLevel() on one method',
    () => controllerWith([RequireLevel(2), Public()]),
    /OddController\.handle .*@Public\(\)/,
  ],
  [
    '@Public() and @RequireRecentAuth() on one method',
    () => controllerWith([RequireRecentAuth('5m'), Public()]),
    /OddController\.handle .*@Public\(\)/,
  ],
  [
    '@Public() and @AllowAnonymous() on one method',
    () => controllerWith([Public(), AllowAnonymous()]),
    /OddController\.handle .*@Public\(\)/,
  ],
  [
    '@Public() and @Background() on one method',
    () => controllerWith([Public(), Background()]),
    /OddController\.handle .*@Public\(\)/,
  ],
  [
    '@StartSession() and @EndSession() on one method',
    () => controllerWith([StartSession(), EndSession()]),
    /OddController\.handle .*@StartSession\(\).*@EndSession\(\)|@EndSession\(\).*@StartSession\(\)/,
  ],
  [
    '@StartSession() twice on one method',
    () => controllerWith([StartSession(), StartSession({ transport: 'cookie' })]),
    /OddController\.handle .*@StartSession\(\)/,
  ],
  [
    '@Public() and @StartSession() on one method',
    () => controllerWith([Public(), StartSession()]),
    /OddController\.handle .*@StartSession\(\)/,
  ],
  [
    '@EndSession() and @RequireRole() on one method',
    () => controllerWith([EndSession(), RequireRole('admin')]),
    /OddController\.handle .*@EndSession\(\)/,
  ],
  [
    '@AllowAnonymous() and @RequireRole() on one method',
    () => controllerWith([AllowAnonymous(), RequireRole('admin')]),
    /OddController\.handle .*@AllowAnonymous\(\) and @RequireRole\(\)/,
  ],
  [
    '@AllowAnonymous() on a method and @RequireRole() on its class',
    () => controllerWith([AllowAnonymous()], [RequireRole('admin')]),
    /OddController\.handle .*@AllowAnonymous\(\)/,
  ],
  [
    '@Public() on a class and @RequireRole() on its method',
    () => controllerWith([RequireRole('admin')], [Public()]),
    /OddController\.handle .*@Public\(\) and @RequireRole\(\)/,
  ],
  [
    '@Public() and @RequireRole() on one class, whatever stands on its methods',
    () => controllerWith([Public()], [Public(), RequireRole('admin')]),
    /OddController has @Public\(\) and @RequireRole\(\)/,
  ],
  [
    '@Public() and @OptionalSession() on one class',
    () => controllerWith([], [Public(), OptionalSession()]),
    /OddController has @Public\(\) and @OptionalSession\(\)/,
  ],
  [
    '@OptionalSession() and @RequireRole() on one method',
    () => controllerWith([OptionalSession(), RequireRole('admin')]),
    /OddController\.handle has @OptionalSession\(\) and @RequireRole\(\)/,
  ],
  [
    '@OptionalSession() and @RequireLevel() on one method',
    () => controllerWith([OptionalSession(), RequireLevel(2)]),
    /@OptionalSession\(\) and @RequireLevel\(\)/,
  ],
  [
    '@OptionalSession() and @RequireRecentAuth() on one method',
    () => controllerWith([OptionalSession(), RequireRecentAuth('5m')]),
    /@OptionalSession\(\) and @RequireRecentAuth\(\)/,
  ],
  [
    '@OptionalSession() and @RequireSession() on one method',
    () => controllerWith([OptionalSession(), RequireSession()]),
    /@OptionalSession\(\) and @RequireSession\(\)/,
  ],
  [
    '@OptionalSession() and @AllowAnonymous() on one method',
    () => controllerWith([OptionalSession(), AllowAnonymous()]),
    /@OptionalSession\(\) and @AllowAnonymous\(\)/,
  ],
  [
    '@OptionalSession() on a method and @RequireRole() on its class',
    () => controllerWith([OptionalSession()], [RequireRole('admin')]),
    /@OptionalSession\(\) and @RequireRole\(\)/,
  ],
  [
    '@OptionalSession() on a class and @RequireRole() on its method',
    () => controllerWith([RequireRole('admin')], [OptionalSession()]),
    /@OptionalSession\(\) and @RequireRole\(\)/,
  ],
  [
    '@OptionalSession() and @Public() on one method',
    () => controllerWith([OptionalSession(), Public()]),
    /@OptionalSession\(\) and @Public\(\)|@Public\(\) and @OptionalSession\(\)/,
  ],
  [
    '@OptionalSession() and @StartSession() on one method',
    () => controllerWith([OptionalSession(), StartSession()]),
    /@StartSession\(\)/,
  ],
  [
    '@OptionalSession() and @EndSession() on one method',
    () => controllerWith([OptionalSession(), EndSession()]),
    /@EndSession\(\)/,
  ],
  [
    '@EnsureSession() and @RequireRole() on one method',
    () => controllerWith([EnsureSession(), RequireRole('admin')]),
    /@EnsureSession\(\) and @RequireRole\(\)/,
  ],
  [
    '@EnsureSession() and @AllowAnonymous() on its class',
    () => controllerWith([EnsureSession()], [AllowAnonymous()]),
    /@EnsureSession\(\) and @AllowAnonymous\(\)/,
  ],
  [
    '@EnsureSession() and @OptionalSession() on one method',
    () => controllerWith([EnsureSession(), OptionalSession()]),
    /@EnsureSession\(\)/,
  ],
  [
    '@EnsureSession() on a class',
    () => controllerWith([], [EnsureSession()]),
    /@EnsureSession\(\) stands on the class OddController/,
  ],
  [
    '@EnsureSession() on GET',
    () => controllerWith([EnsureSession()], [], Get()),
    /@EnsureSession\(\).*GET.*@OptionalSession\(\)/,
  ],
  ['@EnsureSession() on all verbs', () => controllerWith([EnsureSession()], [], All()), /@EnsureSession\(\)/],
  [
    '@StartSession() on a class',
    () => controllerWith([], [StartSession()]),
    /@StartSession\(\) stands on the class OddController/,
  ],
  [
    '@EndSession() on a class',
    () => controllerWith([], [EndSession()]),
    /@EndSession\(\) stands on the class OddController/,
  ],
  [
    '@EndSession() on GET',
    () => controllerWith([EndSession()], [], Get()),
    /@EndSession\(\).*GET.*@Post\(\)/,
  ],
  ['@EndSession() on HEAD', () => controllerWith([EndSession()], [], Head()), /@EndSession\(\).*GET/],
  ['@EndSession() on all verbs', () => controllerWith([EndSession()], [], All()), /@EndSession\(\).*GET/],
];

const GET_WITH_COOKIE = /OddController\.handle has @StartSession\(\).*GET.*@Post\(\).*crossOrigin: true/;
const query = () => SetMetadata('graphql:resolver_type', 'Query');
const READING: [what: string, verb: () => MethodDecorator][] = [
  ['GET', () => Get()],
  ['HEAD', () => Head()],
  ['all verbs', () => All()],
  ['a query of GraphQL', query],
];
const BY_COOKIE: [how: string, start: StartSessionOptions, module: object][] = [
  ['by its own option', { transport: 'cookie' }, {}],
  ['by that of the module', {}, { transport: 'cookie' }],
];

const ROLES = { admin: ['support'] };
const UNKNOWN: Case[] = [
  [
    'on a method',
    () => controllerWith([RequireRole('admn')]),
    /OddController\.handle .*'admn'.*'admin', 'support'.*`roles`/,
  ],
  ['beside a known one', () => controllerWith([RequireRole('admin', 'suport')]), /'suport'/],
  ['on a class', () => controllerWith([], [RequireRole('Admin')]), /'Admin'/],
  ['by a name that every object has', () => controllerWith([RequireRole('constructor')]), /'constructor'/],
];

describe.each(PLATFORMS)(
  'on %s the boot is stopped, with a message that says what and where, by',
  (platform) => {
    const start = appsOn(platform);
    const bootError = (controller: Type, options = {}) =>
      start({ controllers: [controller], options }).then(
        () => null,
        (error: unknown) => error,
      );

    it.each(REFUSED)('%s', async (_, controller, says) => {
      const error = await bootError(controller());
      expect(error).toBeInstanceOf(SessionDecoratorError);
      expect((error as Error).message).toMatch(says);
    });

    it.each(UNKNOWN)('an unknown role %s', async (_, controller, says) => {
      const error = await bootError(controller(), { roles: ROLES });
      expect(error).toBeInstanceOf(SessionDecoratorError);
      expect((error as Error).message).toMatch(says);
    });

    it('any role at all where `roles` is empty', async () => {
      const error = await bootError(controllerWith([RequireRole('admin')]), { roles: {} });
      expect(error).toBeInstanceOf(SessionDecoratorError);
    });

    describe.each(BY_COOKIE)('@StartSession() with a cookie, %s,', (_, start, module) => {
      it.each(READING)('on %s', async (_verb, verb) => {
        const error = await bootError(controllerWith([StartSession(start)], [], verb()), module);
        expect(error).toBeInstanceOf(SessionDecoratorError);
        expect((error as Error).message).toMatch(GET_WITH_COOKIE);
      });

      it('but not where it says that it is a callback', async () => {
        const callback = controllerWith([StartSession({ ...start, crossOrigin: true })], [], Get());
        expect(await bootError(callback, module)).toBeNull();
      });
    });

    it.each<[string, () => MethodDecorator]>([
      ['@Public()', Public],
      ['@OptionalSession()', OptionalSession],
    ])('a requirement inherited by a method that %s opens', async (_, Open) => {
      class Base {
        @RequireRole('admin') handle(): null {
          return null;
        }
      }
      @Controller()
      class Derived extends Base {
        @Open() @Get() override handle(): null {
          return null;
        }
      }
      expect(await bootError(Derived)).toBeInstanceOf(SessionDecoratorError);
    });

    describe('a decorator that is given nonsense, where it stands:', () => {
      it.each<[string, () => unknown, RegExp]>([
        [
          '@RequireRole()',
          () => RequireRole(...([] as unknown as [string])),
          /RequireRole.*at least one role/,
        ],
        ["@RequireRole('')", () => RequireRole(''), /RequireRole/],
        ['@RequireRole(undefined)', () => RequireRole(undefined as never), /RequireRole/],
        ["@RequireRole(['admin'])", () => RequireRole(['admin'] as never), /RequireRole/],
        ['@RequireLevel(0)', () => RequireLevel(0 as never), /RequireLevel.*is 0.*1, 2 or 3/],
        ["@RequireLevel('2')", () => RequireLevel('2' as never), /RequireLevel/],
        ['@RequireRecentAuth(0)', () => RequireRecentAuth(0), /RequireRecentAuth/],
        ["@RequireRecentAuth('5')", () => RequireRecentAuth('5' as never), /RequireRecentAuth.*'5m'/],
        ['@RequireRecentAuth(-1)', () => RequireRecentAuth(-1), /RequireRecentAuth/],
        ['@RequireRecentAuth()', () => RequireRecentAuth(undefined as never), /RequireRecentAuth/],
      ])('%s', (_, decorate, says) => {
        expect(decorate).toThrow(says);
      });
    });

    it('nothing else: roles need no option, and what fits together boots', async () => {
      const fine = [
        controllerWith([RequireRole('anything')]),
        controllerWith([StartSession(), RequireLevel(2)]),
        controllerWith([Public()], [RequireRole('admin')]),
        controllerWith([RequireRole('admin'), Background()], [AllowAnonymous()]),
        controllerWith([EndSession()], [RequireRole('admin')]),
        controllerWith([AllowAnonymous(), Background()]),
        controllerWith([OptionalSession(), Background()]),
        controllerWith([OptionalSession()], [Background()]),
        controllerWith([OptionalSession()], [Public()]),
        controllerWith([StartSession()], [Public()]),
        controllerWith([EndSession()], [OptionalSession()]),
        controllerWith([EnsureSession()], [OptionalSession()]),
        controllerWith([Public()], [OptionalSession(), Background()]),
      ];
      for (const controller of fine) expect(await bootError(controller)).toBeNull();
      const known = controllerWith([RequireRole('support')]);
      expect(await bootError(known, { roles: ROLES })).toBeNull();
    });
  },
);
