import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  Directive,
  Field,
  ID,
  ObjectType,
  Query,
  ResolveField,
  ResolveReference,
  Resolver,
} from '@nestjs/graphql';
import { CurrentSession, Public, RequireRole } from 'nestjs-sessions';
import { signInAs } from 'nestjs-sessions/testing';
import { type EdgeApp, edgeApps } from './support/edge-apps.js';
import { APOLLO, ask, MERCURIUS, subgraph } from './support/graphql.js';
import { attempt } from './support/outcomes.js';

const ENHANCED = { fieldResolverEnhancers: ['guards' as const, 'interceptors' as const] };

const ran: string[] = [];
const note = (what: string): string => (ran.push(what), what);
const start = edgeApps();

beforeEach(() => {
  ran.length = 0;
});

@ObjectType()
class Account {
  @Field(() => ID) id!: string;
}

@Resolver(() => Account)
class AccountResolver {
  @Public() @Query(() => Account) account(): Account {
    return { id: '1' };
  }

  @RequireRole('admin') @ResolveField(() => String) secret(): string {
    return note('secret');
  }

  @RequireRole('admin') @ResolveField(() => String) owner(@CurrentSession('userId') userId: string): string {
    return note(`owner for ${userId}`);
  }
}

@Resolver(() => Account)
class PlainResolver {
  @Public() @Query(() => Account) account(): Account {
    return { id: '1' };
  }

  @ResolveField(() => String) name(): string {
    return note('name');
  }

  @Public() @ResolveField(() => String) logo(): string {
    return note('logo');
  }
}

/** What somebody without a session, and somebody without the role, gets to run. */
async function reaches(app: EdgeApp, query: string): Promise<boolean> {
  const customer = await signInAs(app.app, { userId: 'ana', roles: ['customer'] });
  await ask(app, query);
  await ask(app, query, customer.bearer);
  return ran.length > 0;
}

describe.each([APOLLO, MERCURIUS])('fields of $name', ({ platform, module }) => {
  const open = (providers: (typeof AccountResolver | typeof PlainResolver)[], options = {}) =>
    start({ platform, imports: [module(options)], providers });

  it.each(['secret', 'owner'])('are never open where a decorator stands on them: %s', async (field) => {
    const outcome = await attempt(
      () => open([AccountResolver]),
      (app) => reaches(app, `{ account { ${field} } }`),
    );
    expect(outcome).not.toBe('open');
  });

  it.each(['secret', 'owner'])('are guarded where the module enables guards for them: %s', async (field) => {
    const app = await open([AccountResolver], ENHANCED);
    expect(await reaches(app, `{ account { ${field} } }`)).toBe(false);
    const admin = await signInAs(app.app, { userId: 'bob', roles: ['admin'] });
    expect((await ask(app, `{ account { ${field} } }`, admin.bearer)).errors).toBeUndefined();
    expect(ran).toEqual([field === 'secret' ? 'secret' : 'owner for bob']);
  });

  it('without a decorator are as open as what leads to them, without guards', async () => {
    const app = await open([PlainResolver]);
    expect((await ask(app, '{ account { name logo } }')).errors).toBeUndefined();
  });

  it('without a decorator need a session where the module enables guards for them', async () => {
    const app = await open([PlainResolver], ENHANCED);
    await ask(app, '{ account { name } }');
    expect(ran).toEqual([]);
    await ask(app, '{ account { logo } }');
    expect(ran).toEqual(['logo']);
  });
});

@ObjectType()
@Directive('@key(fields: "id")')
class User {
  @Field(() => ID) id!: string;
}

@Resolver(() => User)
class DecoratedUsers {
  @Public() @Query(() => User) user(): User {
    return { id: '1' };
  }

  @RequireRole('admin') @ResolveReference() reference({ id }: User): User {
    return { id: note(id) };
  }
}

@Resolver(() => User)
class UndecoratedUsers {
  @Public() @Query(() => User) user(): User {
    return { id: '1' };
  }

  @ResolveReference() reference({ id }: User): User {
    return { id: note(id) };
  }
}

@Resolver(() => User)
class PublicUsers {
  @Public() @Query(() => User) user(): User {
    return { id: '1' };
  }

  @Public() @ResolveReference() reference({ id }: User): User {
    return { id: note(id) };
  }
}

describe('references of a federated entity', () => {
  const ENTITIES = '{ _entities(representations: [{ __typename: "User", id: "7" }]) { ... on User { id } } }';

  it.each([DecoratedUsers, UndecoratedUsers])('are never open: %p', async (users) => {
    const outcome = await attempt(
      () => start({ imports: [subgraph()], providers: [users] }),
      async (app) => (await ask(app, ENTITIES), ran.length > 0),
    );
    expect(outcome).not.toBe('open');
  });

  it('need the role, where the module enables guards for them', async () => {
    const app = await start({ imports: [subgraph(ENHANCED)], providers: [DecoratedUsers] });
    expect(await reaches(app, ENTITIES)).toBe(false);
    const admin = await signInAs(app.app, { userId: 'bob', roles: ['admin'] });
    expect(await ask(app, ENTITIES, admin.bearer)).toEqual({ data: { _entities: [{ id: '7' }] } });
  });

  it('tell who has no session so, where the module enables guards for them', async () => {
    const app = await start({ imports: [subgraph(ENHANCED)], providers: [DecoratedUsers] });
    const { errors } = await ask(app, ENTITIES);
    expect(errors?.map(({ message }) => message)).toEqual(['Sign in first.']);
  });

  it('need a session without a decorator, where the module enables guards for them', async () => {
    const app = await start({ imports: [subgraph(ENHANCED)], providers: [UndecoratedUsers] });
    await ask(app, ENTITIES);
    expect(ran).toEqual([]);
    const ana = await signInAs(app.app, { userId: 'ana' });
    expect(await ask(app, ENTITIES, ana.bearer)).toEqual({ data: { _entities: [{ id: '7' }] } });
  });

  it.each([{}, ENHANCED])('are open with @Public(): %p', async (options) => {
    const app = await start({ imports: [subgraph(options)], providers: [PublicUsers] });
    expect(await ask(app, ENTITIES)).toEqual({ data: { _entities: [{ id: '7' }] } });
  });
});
