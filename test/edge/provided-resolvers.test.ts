import { describe, expect, it } from '@jest/globals';
import { Query, Resolver } from '@nestjs/graphql';
import { Public, RequireRole } from 'nestjs-sessions';
import { signInAs } from 'nestjs-sessions/testing';
import { edgeApps } from './support/edge-apps.js';
import { APOLLO, ask, MERCURIUS } from './support/graphql.js';
import { noteRuns } from './support/runs.js';

const { ran, note } = noteRuns();
const start = edgeApps();

/** No schema is without a query. */
@Resolver()
class StatusResolver {
  @Public() @Query(() => String) status(): string {
    return 'up';
  }
}

@Resolver()
class PlainResolver {
  @Query(() => String) plain(): string {
    return note('plain');
  }
}

@Resolver()
class BaseResolver {
  @RequireRole('staff') @Query(() => String) shared(): string {
    return note('base');
  }
}

@Resolver()
class NarrowResolver extends BaseResolver {
  @RequireRole('admin') @Query(() => String) override shared(): string {
    return note('narrow');
  }
}

describe.each([APOLLO, MERCURIUS])('by $name', (leg) => {
  it.each([
    ['a factory', { provide: 'plain', useFactory: () => new PlainResolver() }],
    ['a value', { provide: 'plain', useValue: new PlainResolver() }],
    ['its class by another token', { provide: 'plain', useClass: PlainResolver }],
  ])('a resolver that is provided by %s is closed', async (_, provider) => {
    const providers = [provider, StatusResolver];
    const app = await start({ platform: leg.platform, imports: [leg.module()], providers });
    expect((await ask(app, '{ plain }')).errors).toMatchObject([{ message: 'Sign in first.' }]);
    expect(ran).toEqual([]);
  });

  it.each([
    ['narrow', [BaseResolver, NarrowResolver], 'admin'],
    ['base', [NarrowResolver, BaseResolver], 'staff'],
  ])(
    'of two resolvers of one field the last is called, by its own rules: %s',
    async (name, classes, role) => {
      const providers = [...classes, StatusResolver];
      const app = await start({ platform: leg.platform, imports: [leg.module()], providers });
      const shared = async (...roles: string[]) =>
        (await ask(app, '{ shared }', (await signInAs(app.app, { userId: 'ana', roles })).bearer)).data?.[
          'shared'
        ];
      expect(await shared()).toBeUndefined();
      // A rule of the base class holds for its subclass too.
      expect(await shared(role)).toBe(name === 'narrow' ? undefined : 'base');
      expect(await shared('staff', 'admin')).toBe(name);
    },
  );
});
