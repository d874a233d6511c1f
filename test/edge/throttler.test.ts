import type { Type } from '@nestjs/common';
import { afterAll, describe, expect, it } from '@jest/globals';
import { Args, Field, Mutation, ObjectType, Query, Resolver } from '@nestjs/graphql';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { Public, type SessionPrincipal, StartSession } from 'nestjs-sessions';
import { signInAs } from 'nestjs-sessions/testing';
import { pageAt } from '../docs/pages.js';
import { RunnablePage } from '../docs/running.js';
import { type EdgeApp, type EdgeAppOptions, edgeApps } from './support/edge-apps.js';
import { APOLLO, ask, type GraphqlLeg, MERCURIUS, refusalOf } from './support/graphql.js';
import { connectGraphql } from './support/graphql-ws.js';
import { INSTALL } from './support/install.js';
import { WS } from './support/socket-clients.js';

interface Recipe {
  readonly LimitsModule: Type;
  readonly LimitedSignInController: Type;
  readonly Accounts: Type;
}

const start = edgeApps();
const page = await RunnablePage.of(pageAt('docs/recipes.md'), { install: INSTALL });
const { LimitAttempts } = await page.run<{ LimitAttempts(): MethodDecorator }>('sign-in-limit.ts');
const { LimitsModule, LimitedSignInController, Accounts } = await page.run<Recipe>('limited-sign-in.ts');
afterAll(() => page.dispose());

/** Whose passwords were looked at. */
let looked: string[];

function verify(username: string, password: string): Promise<SessionPrincipal | null> {
  looked.push(username);
  return Promise.resolve(password === 'right' ? { userId: username } : null);
}

function startLimited(options: EdgeAppOptions = {}): Promise<EdgeApp> {
  looked = [];
  return start({
    importsBefore: [LimitsModule],
    controllers: [LimitedSignInController],
    ...options,
    providers: [
      { provide: Accounts, useValue: { verify, verifyById: verify } },
      ...(options.providers ?? []),
    ],
  });
}

function post({ url }: EdgeApp, path: string, body: object, headers: object = {}): Promise<Response> {
  return fetch(`${url}/auth/${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

async function statusesOf(answers: readonly Promise<Response>[]): Promise<number[]> {
  return (await Promise.all(answers)).map(({ status }) => status);
}

describe('the recipe for a limit of attempts', () => {
  it('refuses the sixth attempt for a name, however it is spelled and whichever route it takes', async () => {
    const app = await startLimited();
    for (const path of ['sign-in', 'browser/sign-in', 'sign-in', 'browser/sign-in', 'sign-in'])
      expect((await post(app, path, { username: 'ana', password: 'wrong' })).status).toBe(401);
    const refused = await post(app, 'sign-in', { username: ' ANA ', password: 'right' });
    expect(refused.status).toBe(429);
    expect(refused.headers.has('Retry-After-name')).toBe(true);
    expect(looked).toHaveLength(5);
    expect((await post(app, 'sign-in', { username: 'ben', password: 'right' })).status).toBe(201);
  });

  it('refuses the twenty-first attempt of an address, whatever the names', async () => {
    const app = await startLimited();
    for (let count = 0; count < 20; count++)
      expect((await post(app, 'sign-in', { username: `user-${count}`, password: 'wrong' })).status).toBe(401);
    const refused = await post(app, 'sign-in', { username: 'another', password: 'right' });
    expect(refused.status).toBe(429);
    expect(refused.headers.has('Retry-After-address')).toBe(true);
    expect(looked).toHaveLength(20);
  });

  it('counts a name that is no text as well', async () => {
    const app = await startLimited();
    const statuses = [];
    for (const username of [1, null, {}, [], true, 2])
      statuses.push((await post(app, 'sign-in', { username, password: 'wrong' })).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
  });

  it('counts step-ups of each person apart, whatever name is typed, and lets everybody sign out', async () => {
    const app = await startLimited();
    const people = ['ana', 'ben', 'cleo', 'dan', 'eve', 'fay'];
    const signedIn = await Promise.all(people.map((userId) => signInAs(app.app, { userId })));
    const stepUps = signedIn.map(({ bearer }) => post(app, 'step-up', { password: 'wrong' }, bearer));
    expect(await statusesOf(stepUps)).toEqual(people.map(() => 401));
    const { bearer } = signedIn[0]!;
    for (const username of ['one', 'two', 'three', 'four'])
      expect((await post(app, 'step-up', { username, password: 'wrong' }, bearer)).status).toBe(401);
    const refused = await post(app, 'step-up', { username: 'five', password: 'right' }, bearer);
    expect(refused.status).toBe(429);
    expect(refused.headers.has('Retry-After-user')).toBe(true);
    expect(looked).toHaveLength(10);
    const signOuts = signedIn.map((person) => post(app, 'sign-out', {}, person.bearer));
    expect(await statusesOf(signOuts)).toEqual(people.map(() => 201));
  });

  it('has a general limit beside it, which refuses before a session is looked for', async () => {
    const app = await startLimited();
    const { bearer } = await signInAs(app.app, { userId: 'ana' });
    const first = await post(app, 'step-up', { password: 'wrong' }, bearer);
    expect(first.headers.get('X-RateLimit-Limit')).toBe('300');
    expect(first.headers.get('X-RateLimit-Limit-user')).toBe('5');
    const strangers = Array.from({ length: 299 }, () => post(app, 'step-up', {}));
    expect(new Set(await statusesOf(strangers))).toEqual(new Set([401]));
    const refused = await post(app, 'step-up', {}, bearer);
    expect(refused.status).toBe(429);
    expect(refused.headers.has('Retry-After')).toBe(true);
  });

  it('leaves messages of gateways alone', async () => {
    @Public()
    @WebSocketGateway()
    class EchoGateway {
      @SubscribeMessage('echo') echo(): object {
        return { event: 'echo', data: 'heard' };
      }
    }
    const app = await startLimited({
      providers: [EchoGateway],
      configure: (nest) => nest.useWebSocketAdapter(WS.adapter(nest)),
    });
    expect(await WS.send(app.port, 'echo')).toEqual({ event: 'echo', data: 'heard' });
  });
});

@ObjectType()
class SignedIn {
  @Field() token!: string;
}

@Resolver()
class LimitedResolver {
  @Public() @Query(() => String) status(): string {
    return 'up';
  }

  @LimitAttempts()
  @Public()
  @Mutation(() => Boolean)
  async check(@Args('username') username: string): Promise<boolean> {
    return (await verify(username, 'right')) !== null;
  }

  @LimitAttempts()
  @StartSession()
  @Mutation(() => SignedIn, { nullable: true })
  signIn(@Args('username') username: string, @Args('password') password: string) {
    return verify(username, password);
  }
}

const LEGS: readonly [GraphqlLeg, Record<string, unknown>][] = [
  [APOLLO, {}],
  [MERCURIUS, { context: (req: unknown, res: unknown) => ({ req, res }) }],
];

describe.each(LEGS)('the recipe for a limit of attempts by GraphQL', (leg, options) => {
  it(`counts by the name in the arguments, on ${leg.name}`, async () => {
    const app = await startLimited({
      platform: leg.platform,
      imports: [leg.module(options)],
      providers: [LimitedResolver],
    });
    expect(await ask(app, '{ status }')).toEqual({ data: { status: 'up' } });
    const attempt = (field: string, name: string, password: string) =>
      `${field}: signIn(username: "${name}", password: "${password}") { token }`;
    const five = ['a', 'b', 'c', 'd', 'e'];
    const wrong = five.map((field) => attempt(field, 'ana', 'wrong')).join(' ');
    await ask(app, `mutation { ${wrong} }`);
    expect(looked).toHaveLength(5);
    const sixth = await ask(app, `mutation { ${attempt('f', ' ANA ', 'right')} }`);
    expect(refusalOf(sixth, 'f')).toMatch(/Too Many Requests/);
    expect(looked).toHaveLength(5);
    const other = await ask(app, `mutation { ${attempt('g', 'ben', 'right')} }`);
    expect(other.data).toEqual({ g: { token: expect.stringMatching(/^sid_/) } });
  });
});

it('by the recipe an attempt over a WebSocket of GraphQL fails, and other operations do not', async () => {
  const app = await startLimited({
    imports: [APOLLO.module({ subscriptions: { 'graphql-ws': true } })],
    providers: [LimitedResolver],
  });
  const connection = connectGraphql(app.port, {});
  expect(await connection.run('{ status }')).toMatchObject({ results: [{ status: 'up' }], errors: [] });
  const { errors } = await connection.run('mutation { check(username: "ana") }');
  expect(errors).toHaveLength(1);
  expect(looked).toEqual([]);
  expect((await ask(app, 'mutation { check(username: "ana") }')).data).toEqual({ check: true });
  await connection.close();
});
