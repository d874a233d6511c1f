import type { Type } from '@nestjs/common';
import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  Directive,
  Field,
  ID,
  Mutation,
  ObjectType,
  Query,
  ResolveField,
  ResolveReference,
  Resolver,
} from '@nestjs/graphql';
import {
  AllowAnonymous,
  type AnonymousSession,
  CurrentSession,
  EndSession,
  EnsureSession,
  OptionalSession,
  Public,
  RequireRole,
  type SessionPrincipal,
  StartSession,
} from 'nestjs-sessions';
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

@RequireRole('admin')
@Resolver(() => Account)
class ClosedAsAWhole {
  @Public() @Query(() => Account) account(): Account {
    return { id: '1' };
  }

  @ResolveField(() => String) secret(): string {
    return note('secret');
  }
}

@Public()
@Resolver(() => Account)
class OpenAsAWhole {
  @Query(() => Account) account(): Account {
    return { id: '1' };
  }

  @ResolveField(() => String) logo(): string {
    return note('logo');
  }
}

@ObjectType()
class Answer {
  @Field(() => String, { nullable: true }) token?: string | null;
}

@Resolver(() => Account)
class Doors {
  @Public() @Mutation(() => Account) account(): Account {
    return { id: '1' };
  }
  @Query(() => String) me(@CurrentSession('userId') userId: string): string {
    return userId;
  }

  @StartSession() @ResolveField(() => Answer) signIn(): SessionPrincipal {
    return { userId: 'ana' };
  }
  @EndSession() @ResolveField(() => String) signOut(): string {
    return note('out');
  }
}

@Resolver(() => Account)
class Openings {
  @Query(() => String) me(): string {
    return note('me');
  }
  @Public() @Mutation(() => Account) account(): Account {
    return { id: '1' };
  }

  @OptionalSession() @ResolveField(() => String) optional(
    @CurrentSession('userId') userId: string | null,
  ): string {
    return note(`optional of ${userId}`);
  }
  @AllowAnonymous() @ResolveField(() => String) anonymous(
    @CurrentSession('userId') userId: string | null,
  ): string {
    return note(`anonymous of ${userId}`);
  }
  @EnsureSession() @ResolveField(() => String) ensured(@CurrentSession() session: AnonymousSession): string {
    return note(`ensured of ${session.userId}`);
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
  const open = (providers: Type[], options = {}) =>
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

  it('have what stands on their class: the boot stops without guards for them', async () => {
    const boot = () => open([ClosedAsAWhole]);
    expect(await attempt(boot, async () => true)).toBe('stops the boot');
    const app = await open([ClosedAsAWhole], ENHANCED);
    expect(await reaches(app, '{ account { secret } }')).toBe(false);
    const admin = await signInAs(app.app, { userId: 'bob', roles: ['admin'] });
    expect((await ask(app, '{ account { secret } }', admin.bearer)).errors).toBeUndefined();
  });

  it.each([{}, ENHANCED])('are open with @Public() on them or their class: %p', async (options) => {
    for (const resolver of [PlainResolver, OpenAsAWhole]) {
      ran.length = 0;
      expect((await ask(await open([resolver], options), '{ account { logo } }')).errors).toBeUndefined();
      expect(ran).toEqual(['logo']);
    }
  });

  it('may be a sign-in and a sign-out: the boot stops without interceptors for them', async () => {
    const boot = () => open([Doors], { fieldResolverEnhancers: ['guards'] });
    expect(await attempt(boot, async () => true)).toBe('stops the boot');
    const app = await open([Doors], ENHANCED);
    const { data } = await ask(app, 'mutation { account { signIn { token } } }');
    const { token } = (data as { account: { signIn: { token: string } } }).account.signIn;
    const bearer = { authorization: `Bearer ${token}` };
    expect((await ask(app, '{ me }', bearer)).data).toEqual({ me: 'ana' });
    await ask(app, 'mutation { account { signOut } }', bearer);
    expect(ran).toEqual(['out']);
    expect((await ask(app, '{ me }', bearer)).errors).toHaveLength(1);
  });

  it('may ask for less: the boot stops without guards and interceptors for them', async () => {
    const boot = () => open([Openings], { fieldResolverEnhancers: ['guards'] });
    expect(await attempt(boot, async () => true)).toBe('stops the boot');
    const app = await open([Openings], ENHANCED);
    await ask(app, 'mutation { account { optional } }');
    await ask(app, 'mutation { account { anonymous } }');
    await ask(app, 'mutation { account { ensured } }');
    const { token } = await app.sessions.createAnonymous();
    await ask(app, 'mutation { account { anonymous } }', { authorization: `Bearer ${token}` });
    expect(ran).toEqual(['optional of null', 'ensured of null', 'anonymous of null']);
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

@ObjectType()
@Directive('@key(fields: "id", resolvable: false)')
class Author {
  @Field(() => ID) id!: string;
}

@Resolver(() => Author)
class Authors {
  @Public() @Query(() => Author) author(): Author {
    return { id: '1' };
  }

  @ResolveField(() => String) posts(): string {
    return note('posts');
  }
}

@Resolver(() => User)
class UndecoratedFields {
  @Public() @Query(() => User) user(): User {
    return { id: '1' };
  }

  @ResolveField(() => String) posts(): string {
    return note('posts');
  }
}

@Resolver(() => User)
class DecoratedFields {
  @Public() @Query(() => User) user(): User {
    return { id: '1' };
  }

  @RequireRole('admin') @ResolveField(() => String) posts(): string {
    return note('posts');
  }
}

function usersWith(decorator: MethodDecorator): Type {
  @Resolver(() => User)
  class Users {
    @Public() @Query(() => User) user(): User {
      return { id: '1' };
    }

    @decorator @ResolveReference() reference({ id }: User): User {
      return { id: note(id) };
    }
  }
  return Users;
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

  it.each([
    ['@OptionalSession()', OptionalSession(), ['7', '7']],
    ['@EnsureSession()', EnsureSession(), ['7', '7']],
    ['@AllowAnonymous()', AllowAnonymous(), ['7']],
  ])('may ask for less, where the module enables guards and interceptors: %p', async (_, decorator, runs) => {
    const users = usersWith(decorator);
    const boot = () => start({ imports: [subgraph()], providers: [users] });
    expect(await attempt(boot, async () => true)).toBe('stops the boot');
    const app = await start({ imports: [subgraph(ENHANCED)], providers: [users] });
    await ask(app, ENTITIES);
    const { token } = await app.sessions.createAnonymous();
    await ask(app, ENTITIES, { authorization: `Bearer ${token}` });
    expect(ran).toEqual(runs);
  });
});

describe('fields of a federated entity that has no reference', () => {
  const ENTITIES =
    '{ _entities(representations: [{ __typename: "User", id: "7" }]) { ... on User { posts } } }';

  it('are open without a decorator, as anybody can name the entity', async () => {
    const app = await start({ imports: [subgraph()], providers: [UndecoratedFields] });
    expect(await ask(app, ENTITIES)).toEqual({ data: { _entities: [{ posts: 'posts' }] } });
  });

  it('need a session without a decorator, where the module enables guards for them', async () => {
    const app = await start({ imports: [subgraph(ENHANCED)], providers: [UndecoratedFields] });
    await ask(app, ENTITIES);
    expect(ran).toEqual([]);
    const ana = await signInAs(app.app, { userId: 'ana' });
    expect(await ask(app, ENTITIES, ana.bearer)).toEqual({ data: { _entities: [{ posts: 'posts' }] } });
  });

  it('are open so too where its key is not resolvable: that is for the gateway', async () => {
    const app = await start({ imports: [subgraph()], providers: [Authors, UndecoratedFields] });
    const { data } = await ask(app, ENTITIES.replaceAll('User', 'Author'));
    expect(data).toEqual({ _entities: [{ posts: 'posts' }] });
  });

  it('are never open with a decorator', async () => {
    const boot = () => start({ imports: [subgraph()], providers: [DecoratedFields] });
    expect(await attempt(boot, async () => true)).toBe('stops the boot');
    const app = await start({ imports: [subgraph(ENHANCED)], providers: [DecoratedFields] });
    expect(await reaches(app, ENTITIES)).toBe(false);
    const admin = await signInAs(app.app, { userId: 'bob', roles: ['admin'] });
    expect(await ask(app, ENTITIES, admin.bearer)).toEqual({ data: { _entities: [{ posts: 'posts' }] } });
  });
});
