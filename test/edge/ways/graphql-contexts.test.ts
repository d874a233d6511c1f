import type { INestApplication } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { GraphQLSchemaHost, Query, Resolver } from '@nestjs/graphql';
import { graphql } from 'graphql';
import { CurrentSession } from 'nestjs-sessions';
import { signInAs } from 'nestjs-sessions/testing';
import { type EdgeApp, edgeApps } from '../support/edge-apps.js';
import { APOLLO, ask, MERCURIUS } from '../support/graphql.js';
import { noteRuns } from '../support/runs.js';

/* The request that sessions are about is found in what an application gives as `context`. */

const { ran, note } = noteRuns();
const start = edgeApps();

@Resolver()
class Account {
  @Query(() => String) me(@CurrentSession('userId') userId: string): string {
    return note(userId);
  }
}

/** Made anew for each test, as applications make them once. */
const SHARED: Record<string, () => unknown> = {
  'one object': () => ({ tenant: 'a' }),
  'a function that returns one object': () => {
    const shared = { tenant: 'a' };
    return () => shared;
  },
  'a function that puts each request into one object': () => {
    const shared = {};
    return (first: { req?: object; res?: object }, reply: object) =>
      Object.assign(shared, first.req ? { req: first.req, res: first.res } : { req: first, reply });
  },
  'a function that puts each answer into one object': () => {
    const shared = {};
    return (first: { res?: object }, reply: object) => Object.assign(shared, { res: first.res ?? reply });
  },
};

/** What comes to two people, one after the other, the first of whom has a session. */
async function askInTurn(app: EdgeApp): Promise<void> {
  const { bearer } = await signInAs(app.app, { userId: 'ana' });
  await ask(app, '{ me }', bearer);
  await ask(app, '{ me }');
}

describe.each([APOLLO, MERCURIUS])('by $name', ({ platform, module }) => {
  const open = (options = {}) => start({ platform, imports: [module(options)], providers: [Account] });

  it('a context without a request gets it from Nest', async () => {
    const app = await open({ context: () => ({ tenant: 'a' }) });
    await askInTurn(app);
    expect(ran).toEqual(['ana']);
  });

  it('a context with the request and without its answer gets that from Nest', async () => {
    const only = (first: { req?: object }) => ({ req: first.req ?? first });
    const app = await open({ context: only });
    await askInTurn(app);
    expect(ran).toEqual(['ana']);
  });

  it.each(Object.keys(SHARED))('nobody comes in on the request of another, with %s', async (context) => {
    const app = await open({ context: SHARED[context]!() });
    await askInTurn(app);
    expect(ran.slice(1)).toEqual([]);
    const { errors } = await ask(app, '{ me }');
    expect(errors).toHaveLength(1);
  });

  it('what the application runs on the schema, without a request, is refused', async () => {
    const { app } = await open();
    const { errors } = await graphql({ schema: schemaOf(app), source: '{ me }', contextValue: {} });
    expect(errors?.[0]?.message).toContain('Sessions need the request');
    expect(ran).toEqual([]);
  });
});

function schemaOf(app: INestApplication) {
  return app.get(GraphQLSchemaHost).schema;
}
