import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { YogaDriver } from '@graphql-yoga/nestjs';
import { useDeferStream } from '@graphql-yoga/plugin-defer-stream';
import {
  Field,
  GraphQLModule,
  ID,
  ObjectType,
  Query,
  ResolveField,
  Resolver,
  Subscription,
} from '@nestjs/graphql';
import { RequireRole } from 'nestjs-sessions';
import { signInAs } from 'nestjs-sessions/testing';
import { Subject } from 'rxjs';
import { type EdgeApp, edgeApps } from '../support/edge-apps.js';
import { ask } from '../support/graphql.js';
import { connectGraphql } from '../support/graphql-ws.js';
import { noteRuns } from '../support/runs.js';

/* GraphQL by Yoga, whose answers may come in parts. It is for Nest 11 alone. */

const { ran, note } = noteRuns();
let leaving: AbortController;
beforeEach(() => {
  leaving = new AbortController();
});
afterEach(() => leaving.abort());
// After what leaves, so that applications are closed last.
const start = edgeApps();

const events = new Subject<string>();

@ObjectType()
class Account {
  @Field(() => ID) id!: string;
}

@Resolver(() => Account)
class Accounts {
  @Query(() => Account) account(): Account {
    return { id: note('account') };
  }
  @RequireRole('admin') @ResolveField(() => String, { nullable: true }) secret(): string {
    return note('secret');
  }
  @Subscription(() => String) async *ticks(): AsyncGenerator<{ ticks: string }> {
    note('ticks');
    for (;;) yield { ticks: await new Promise<string>((resolve) => events.subscribe(resolve)) };
  }
}

describe.each(['express', 'fastify'] as const)('Yoga on %s', (platform) => {
  const open = (more: object = {}) => {
    const options = { driver: YogaDriver, autoSchemaFile: true, logging: false, plugins: [useDeferStream()] };
    const graphql = GraphQLModule.forRoot({
      ...options,
      fieldResolverEnhancers: ['guards'],
      ...more,
    } as never);
    return start({ platform, imports: [graphql], providers: [Accounts] });
  };

  const request = ({ url }: EdgeApp, query: string, headers: object): Promise<Response> =>
    fetch(`${url}/graphql`, {
      method: 'POST',
      signal: leaving.signal,
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query }),
    });

  it('queries and fields are closed', async () => {
    const app = await open();
    expect((await ask(app, '{ account { id } }')).errors).toHaveLength(1);
    expect(ran).toEqual([]);
    const { bearer } = await signInAs(app.app, { userId: 'ana', roles: ['customer'] });
    expect((await ask(app, '{ account { secret } }', bearer)).errors).toHaveLength(1);
    expect(ran).toEqual(['account']);
  });

  it('plugins run before the guard', async () => {
    const plugin = {
      onRequest: () => void note('onRequest'),
      onExecute: () => void note('onExecute'),
    };
    const app = await open({ plugins: [plugin] });
    expect((await ask(app, '{ account { id } }')).errors).toHaveLength(1);
    expect(ran).toEqual(['onRequest', 'onExecute']);
  });

  it('subscriptions by server-sent events end with their session', async () => {
    const app = await open();
    const subscribe = (headers: object) =>
      request(app, 'subscription { ticks }', { accept: 'text/event-stream', ...headers });
    expect(await (await subscribe({})).text()).toContain('Sign in first.');
    expect(ran).toEqual([]);
    const { bearer } = await signInAs(app.app, { userId: 'ana' });
    const answer = await subscribe(bearer);
    expect(ran).toEqual(['ticks']);
    const telling = setInterval(() => events.next('tick'), 5);
    expect(await app.sessions.revokeAll('ana')).toBe(1);
    // Ends.
    await answer.text().catch(() => {});
    clearInterval(telling);
  });

  it('operations over a WebSocket are closed, and end with their session', async () => {
    const app = await open({ subscriptions: { 'graphql-ws': true } });
    const nobody = connectGraphql(app.port, {});
    for (const operation of ['subscription { ticks }', '{ account { id } }'])
      expect((await nobody.run(operation)).codes).toEqual(['session_required']);
    expect(ran).toEqual([]);
    const { token } = await signInAs(app.app, { userId: 'ana' });
    const anas = connectGraphql(app.port, { connectionParams: { token } });
    const telling = setInterval(() => events.next('tick'), 5);
    await anas.subscribe('subscription { ticks }').next();
    expect(ran).toEqual(['ticks']);
    await app.sessions.revokeAll('ana');
    expect(await anas.ended).toEqual([4401, 'session_invalid']);
    clearInterval(telling);
    await nobody.close();
  });

  it('subscriptions in parts (multipart) are answered by none', async () => {
    const app = await open();
    const { bearer } = await signInAs(app.app, { userId: 'ana' });
    const answer = await request(app, 'subscription { ticks }', { accept: 'multipart/mixed', ...bearer });
    expect(answer.status).toBe(406);
    expect(ran).toEqual([]);
  });

  it('what is deferred is judged by itself', async () => {
    const app = await open();
    const { bearer } = await signInAs(app.app, { userId: 'ana', roles: ['customer'] });
    const query = '{ account { id ... @defer { secret } } }';
    const answer = await request(app, query, { accept: 'multipart/mixed', ...bearer });
    expect(await answer.text()).toContain('You are not allowed to do this.');
    expect(ran).toEqual(['account']);
  });
});
