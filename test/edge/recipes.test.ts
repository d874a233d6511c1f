import type { Type } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Query, Resolver } from '@nestjs/graphql';
import { Public } from 'nestjs-sessions';
import { signInAs } from 'nestjs-sessions/testing';
import { pageAt } from '../docs/pages.js';
import { RunnablePage } from '../docs/running.js';
import { edgeApps } from './support/edge-apps.js';
import { APOLLO, ask, MERCURIUS } from './support/graphql.js';
import { INSTALL } from './support/install.js';

/* Recipes that need packages which the root does not have. A schema is made of all types of a process: one file for them. */

/** No schema is without a query. */
@Resolver()
class StatusResolver {
  @Public() @Query(() => String) status(): string {
    return 'up';
  }
}

const edge = edgeApps();
let page: RunnablePage;
let SignInResolver: Type;

beforeAll(async () => {
  page = await RunnablePage.of(pageAt('docs/recipes.md'), { install: INSTALL });
  SignInResolver = (await page.run<Record<string, Type>>('sign-in.resolver.ts'))['SignInResolver'] as Type;
});
afterAll(() => page.dispose());

describe.each([APOLLO, MERCURIUS])('by $name the recipe', (leg) => {
  it('for a sign-in answers with the types of the application', async () => {
    const providers = [SignInResolver, StatusResolver];
    const app = await edge({ platform: leg.platform, imports: [leg.module()], providers });
    const query = 'mutation { signIn(name: "ana") { token expiresAt session { id roles } user { name } } }';
    const { data, errors } = await ask(app, query);
    expect(errors).toBeUndefined();
    expect(data?.['signIn']).toEqual({
      token: expect.stringMatching(/^sid_/),
      expiresAt: expect.any(String),
      session: { id: expect.any(String), roles: [] },
      user: { name: 'ana' },
    });
    const { bearer } = await signInAs(app.app, { userId: 'ana' });
    const again = await ask(app, 'mutation { signIn(name: "ana") { user { name } } }', bearer);
    expect(again.data).toEqual({ signIn: { user: { name: 'ana' } } });
  });
});
