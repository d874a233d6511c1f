import { Module } from '@nestjs/common';
import { expect, it } from '@jest/globals';
import { Field, ID, ObjectType, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { Public, RequireRole } from 'nestjs-sessions';
import { edgeApps } from '../support/edge-apps.js';
import { APOLLO, type GraphqlLeg, MERCURIUS } from '../support/graphql.js';
import { attempt } from '../support/outcomes.js';
import { noteRuns } from '../support/runs.js';

/* One application with two GraphQL modules, of which one runs guards before fields, and the other does not. */

const { ran, note } = noteRuns();
const start = edgeApps();

@ObjectType()
class Account {
  @Field(() => ID) id!: string;
}

@Resolver(() => Account)
class Guarded {
  @Public() @Query(() => Account) account(): Account {
    return { id: '1' };
  }
  @RequireRole('admin') @ResolveField(() => String) secret(): string {
    return note('secret');
  }
}

@Resolver()
class Plain {
  @Public() @Query(() => String) hello(): string {
    return 'hello';
  }
}

@Module({ providers: [Guarded] })
class Accounts {}

@Module({ providers: [Plain] })
class Greetings {}

const open = ({ platform, module }: GraphqlLeg, include: unknown[]) =>
  start({
    platform,
    imports: [
      Accounts,
      Greetings,
      module({ path: '/first', include: [Accounts], fieldResolverEnhancers: ['guards'] }),
      module({ path: '/second', include: include as never }),
    ],
  });

it('a field is guarded in the module that serves it', async () => {
  const { url } = await open(APOLLO, [Greetings]);
  for (const path of ['first', 'second']) {
    const answer = await fetch(`${url}/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ account { secret } }' }),
    });
    expect(await answer.json()).toHaveProperty('errors');
  }
  expect(ran).toEqual([]);
});

it.each([[[Accounts]], [[]]])('the boot stops where the other one serves it too: %p', async (include) => {
  expect(
    await attempt(
      () => open(APOLLO, include),
      async () => true,
    ),
  ).toBe('stops the boot');
});

it('two modules of Mercurius stop the boot', async () => {
  await expect(open(MERCURIUS, [Greetings])).rejects.toThrow('already been added');
});
