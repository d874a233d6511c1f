import { type INestApplication, Injectable } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { YogaDriver } from '@graphql-yoga/nestjs';
import { useDeferStream } from '@graphql-yoga/plugin-defer-stream';
import { Field, GraphQLModule, ID, ObjectType, Query, ResolveField, Resolver, Subscription } from '@nestjs/graphql';
import { EndSession, Public, RequireRole, RequireSession } from 'nestjs-sessions';
import { signInAs } from 'nestjs-sessions/testing';
import { Subject } from 'rxjs';
import { edgeApps } from '../support/edge-apps.js';
import { ask } from '../support/graphql.js';
import { noteRuns } from '../support/runs.js';

/* GraphQL by Yoga, whose answers may come in parts. It is for Nest 11 only. */

const { ran, note } = noteRuns();
let leaving: AbortController;
beforeEach(() => {
  leaving = new AbortController();
});
afterEach(() => leaving.abort());
const start = edgeApps();

const events = new Subject<string>();

@ObjectType()
class Account {
  @Field(() => ID) id!: string;
}

@Injectable()
@Resolver(() => Account)
class Accounts {
  @Query(() => Account) account(): Account {
    return { id: note('account') };
  }
  @Public() @Query(() => Account) open(): Account {
    return { id: '1' };
  }
  @RequireRole('admin') @ResolveField(() => String, { nullable: true }) async secret(): Promise<string> {
    return note('secret');
  }
  @Subscription(() => String) async *ticks(): AsyncGenerator<{ ticks: string }> {
    note('ticks');
    for (;;) yield { ticks: await new Promise<string>((resolve) => events.subscribe(resolve)) };
  }
}
void [EndSession, RequireSession];

const open = (platform: 'express' | 'fastify') =>
  start({
    platform,
    imports: [
      GraphQLModule.forRoot({
        driver: YogaDriver as never,
        autoSchemaFile: true,
        fieldResolverEnhancers: ['guards'],
        plugins: [useDeferStream()],
        logging: false,
      } as never),
    ],
    providers: [Accounts],
    configure: (_: INestApplication) => {},
  });

describe.each(['express', 'fastify'] as const)('Yoga on %s', (platform) => {
  it('queries and fields are closed', async () => {
    const app = await open(platform);
    console.log(JSON.stringify(await ask(app, '{ account { id } }')));
    console.log(JSON.stringify(await ask(app, '{ open { secret } }')));
    expect(ran).toEqual([]);
    const { bearer } = await signInAs(app.app, { userId: 'ana', roles: ['admin'] });
    console.log(JSON.stringify(await ask(app, '{ account { id secret } }', bearer)));
    expect(ran).toEqual(['account', 'secret']);
  });

  it.each(['text/event-stream', 'multipart/mixed'])('subscriptions by %s', async (accept) => {
    const { app, url, sessions } = await open(platform);
    const subscribe = (headers: object) =>
      fetch(`${url}/graphql`, {
        method: 'POST',
        signal: leaving.signal,
        headers: { 'content-type': 'application/json', accept, ...headers },
        body: JSON.stringify({ query: 'subscription { ticks }' }),
      });
    console.log(accept, await (await subscribe({})).text());
    expect(ran).toEqual([]);
    const { bearer } = await signInAs(app, { userId: 'ana' });
    const answer = await subscribe(bearer);
    console.log(answer.status, ran);
    setTimeout(() => events.next('first'), 50);
    const reader = answer.body!.getReader();
    console.log(String(Buffer.from((await reader.read()).value!)));
    await sessions.revokeAll('ana');
    const telling = setInterval(() => events.next('more'), 5);
    let parts = 0;
    try {
      for (let part = await reader.read(); !part.done && parts < 200; part = await reader.read()) parts++;
    } catch (e) {
      console.log(String(e));
    } finally {
      clearInterval(telling);
    }
    console.log('ended after', parts);
    expect(parts).toBeLessThan(200);
  });

  it('what is deferred is judged when it runs', async () => {
    const { app, url } = await open(platform);
    for (const roles of [[], ['admin']]) {
      const { bearer } = await signInAs(app, { userId: `ana${roles.length}`, roles });
      const answer = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'multipart/mixed', ...bearer },
        body: JSON.stringify({ query: '{ account { id ... @defer { secret } } }' }),
      });
      console.log(await answer.text(), ran);
    }
  });
});
