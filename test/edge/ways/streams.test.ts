import { Controller, Get, type INestApplication, Res, Sse, StreamableFile } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  Field,
  GraphQLSchemaHost,
  ObjectType,
  Query,
  ResolveField,
  Resolver,
  Subscription,
} from '@nestjs/graphql';
import { createHandler } from 'graphql-sse/lib/use/express';
import {
  CurrentSession,
  OptionalSession,
  Public,
  RequireLevel,
  RequireRecentAuth,
  RequireRole,
} from 'nestjs-sessions';
import { signInAs } from 'nestjs-sessions/testing';
import compression from 'compression';
import type { ServerResponse } from 'node:http';
import { PassThrough, type Readable } from 'node:stream';
import { connect } from 'node:http2';
import { map, Subject } from 'rxjs';
import { once } from 'node:events';
import { type EdgeApp, edgeApps } from '../support/edge-apps.js';
import { APOLLO, MERCURIUS } from '../support/graphql.js';
import { askByOldProtocol, connectGraphql, type GraphqlConnection } from '../support/graphql-ws.js';
import { HAS_OLD_PROTOCOL } from '../support/install.js';
import { noteRuns } from '../support/runs.js';

/* What goes on after the answer has begun. */

const { ran, note } = noteRuns();
const connections: GraphqlConnection[] = [];
let leaving: AbortController;
beforeEach(() => {
  leaving = new AbortController();
});
afterEach(async () => {
  leaving.abort();
  for (const connection of connections.splice(0)) await connection.close();
});
// After what closes connections, so that applications are closed last.
const start = edgeApps();

const events = new Subject<string>();

async function* fromNowOn(): AsyncGenerator<{ ticks: string }> {
  const next = () => new Promise<string>((resolve) => events.subscribe(resolve));
  for (;;) yield { ticks: await next() };
}

@Controller()
class Streams {
  @OptionalSession() @Sse('greeting') greeting(): Subject<string> {
    return events;
  }
  @RequireRecentAuth('5m') @Sse('recent') recent(): Subject<string> {
    return events;
  }
  @Get('file') file(): StreamableFile {
    return new StreamableFile(toReadable());
  }
  @Get('by-hand') byHand(@Res() response: Answer): void {
    const answer = 'raw' in response ? response.raw : response;
    answer.writeHead(200, { 'content-type': 'text/event-stream' });
    const stream = toReadable();
    stream.pipe(answer).once('close', () => stream.destroy());
  }
  @RequireRole('watcher') @Sse('stream') stream(): Subject<string> {
    return events;
  }
}

type Answer = ServerResponse | { readonly raw: ServerResponse };

/** What is told from now on. */
function toReadable(): Readable {
  const stream = new PassThrough();
  const telling = events.subscribe((event) => stream.write(event));
  return stream.once('close', () => telling.unsubscribe());
}

@Resolver()
class Ticker {
  @Public() @Query(() => String) hello(): string {
    return 'hello';
  }
  @Subscription(() => String) ticks(): AsyncGenerator<{ ticks: string }> {
    note('ticks');
    return fromNowOn();
  }
  @RequireLevel(2) @Subscription(() => String) async *secrets(): AsyncGenerator<{ secrets: string }> {
    yield { secrets: note('secret') };
  }
  @Subscription(() => String) async *plain(): AsyncGenerator<{ plain: string }> {
    yield { plain: note('plain') };
  }
  @Public() @Subscription(() => String) async *open(): AsyncGenerator<{ open: string }> {
    yield { open: 'open' };
  }
  @Query(() => String) me(): string {
    return note('me');
  }
  @Public()
  @Subscription(() => String, {
    filter: () => Boolean(note('filter')),
    resolve: ({ news }: { news: string }) => (note('resolve'), news),
  })
  async *news(): AsyncGenerator<{ news: string }> {
    yield { news: 'news' };
  }
}

@ObjectType()
class Change {
  @Field(() => String) readonly text: string = 'changed';
}

@Resolver(() => Change)
class Changes {
  @Public() @Query(() => String) hello(): string {
    return 'hello';
  }
  @Subscription(() => Change) async *changes(): AsyncGenerator<{ changes: Change }> {
    for (;;) {
      yield { changes: new Change() };
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
  @RequireRole('watcher') @ResolveField(() => String) secret(): string {
    return note('secret');
  }
}

/** The parts of an answer as they come. */
async function* readingOf(answer: Response): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  for await (const part of answer.body as unknown as AsyncIterable<Uint8Array>) yield decoder.decode(part);
}

/** Tells it again and again, until the reader has got it. */
async function reaches(reading: AsyncGenerator<string>, event: string): Promise<boolean> {
  const telling = setInterval(() => events.next(event), 5);
  try {
    // Not `for await`, which would close the answer.
    let part = await reading.next();
    while (!part.done && !part.value.includes(event)) part = await reading.next();
    return !part.done;
  } catch {
    return false;
  } finally {
    clearInterval(telling);
  }
}

/** Until it has ended; it goes on being told. */
async function endOf(reading: AsyncGenerator<string>): Promise<void> {
  while (await reaches(reading, 'more'));
}

describe.each(['express', 'fastify'] as const)('on %s', (platform) => {
  const begin = async (app: EdgeApp, path = 'stream') => {
    const { bearer, session } = await signInAs(app.app, { userId: 'ana', roles: ['watcher'] });
    // Nest sends the head of the answer with the first event.
    const telling = setInterval(() => events.next('first'), 5);
    const answer = await fetch(`${app.url}/${path}`, { headers: { ...bearer }, signal: leaving.signal });
    clearInterval(telling);
    return { reading: readingOf(answer), session };
  };

  it('server-sent events end with their session, and nobody goes on producing them', async () => {
    const app = await start({ platform, controllers: [Streams] });
    const { reading } = await begin(app);
    expect(await reaches(reading, 'second')).toBe(true);
    expect(events.observed).toBe(true);
    expect(await app.sessions.revokeAll('ana')).toBe(1);
    await endOf(reading);
    while (events.observed) await new Promise((resolve) => setTimeout(resolve, 5));
  });

  it('server-sent events with @OptionalSession() end with the session of who has one', async () => {
    const app = await start({ platform, controllers: [Streams] });
    const { reading } = await begin(app, 'greeting');
    expect(await reaches(reading, 'second')).toBe(true);
    expect(await app.sessions.revokeAll('ana')).toBe(1);
    await endOf(reading);
  });

  it.each(['file', 'by-hand'])('an answer that a handler streams by itself goes on: %p', async (path) => {
    const app = await start({ platform, controllers: [Streams] });
    expect((await fetch(`${app.url}/${path}`)).status).toBe(401);
    const { reading } = await begin(app, path);
    expect(await app.sessions.revokeAll('ana')).toBe(1);
    expect(await reaches(reading, 'after the end')).toBe(true);
  });

  it('server-sent events go on when their sign-in is not recent any more', async () => {
    const app = await start({ platform, controllers: [Streams] });
    const { reading } = await begin(app, 'recent');
    app.clock.advance('10m');
    expect(await reaches(reading, 'later')).toBe(true);
    const { bearer } = await signInAs(app.app, { userId: 'ana' });
    app.clock.advance('10m');
    const late = await fetch(`${app.url}/recent`, { headers: { ...bearer } });
    expect(late.status).toBe(401);
  });

  it('server-sent events end with the time and with the role of their session', async () => {
    const app = await start({ platform, controllers: [Streams] });
    const late = await begin(app);
    app.clock.advance('31m');
    await endOf(late.reading);
    const former = await begin(app);
    await app.sessions.setRoles('ana', []);
    await endOf(former.reading);
  });

  /** As Nest shows it: with the interceptors of an application, and the middleware that compresses answers. */
  it('server-sent events end behind interceptors and compression', async () => {
    const app = await start({
      platform,
      controllers: [Streams],
      configure: (nest) => {
        nest.use(compression({ threshold: 0 }));
        nest.useGlobalInterceptors({
          intercept: (_, next) => next.handle().pipe(map((event) => ({ data: `seen: ${String(event)}` }))),
        });
      },
    });
    const { bearer } = await signInAs(app.app, { userId: 'ana', roles: ['watcher'] });
    const telling = setInterval(() => events.next('first'), 5);
    const answer = await fetch(`${app.url}/stream`, { headers: { ...bearer }, signal: leaving.signal });
    await app.sessions.revokeAll('ana');
    clearInterval(telling);
    await endOf(readingOf(answer));
    while (events.observed) await new Promise((resolve) => setTimeout(resolve, 5));
  });
});

it('server-sent events over HTTP/2 end alone, and leave the connection to the others', async () => {
  const { app, url, sessions } = await start({ platform: 'fastify', isHttp2: true, controllers: [Streams] });
  const { bearer } = await signInAs(app, { userId: 'ana', roles: ['watcher'] });
  const { bearer: others } = await signInAs(app, { userId: 'ben', roles: ['watcher'] });
  const client = connect(url);
  const request = (headers: object) => client.request({ ':path': '/stream', ...headers });
  const [anas, bens] = [request(bearer), request(others)];
  const telling = setInterval(() => events.next('event'), 5);
  const heads = await Promise.all([once(anas, 'response'), once(bens, 'response')]);
  expect(heads.map(([head]) => (head as { ':status': number })[':status'])).toEqual([200, 200]);
  anas.resume();
  await Promise.all([once(anas, 'close'), sessions.revokeAll('ana')]);
  let later = '';
  bens.on('data', (part) => (later += String(part)));
  while (!later.includes('event')) await new Promise((resolve) => setTimeout(resolve, 5));
  clearInterval(telling);
  client.destroy();
});

const onConnect = (): boolean => Boolean(note('connect'));

describe.each([
  {
    name: 'Apollo with graphql-ws',
    leg: APOLLO,
    options: { subscriptions: { 'graphql-ws': { onConnect } } },
  },
  { name: 'Mercurius', leg: MERCURIUS, options: { subscription: { fullWsTransport: true, onConnect } } },
])('subscriptions of $name', ({ leg, options }) => {
  async function connect(globalGuard: boolean): Promise<GraphqlConnection> {
    const { platform, module } = leg;
    const imports = [module(options)];
    const { port } = await start({ platform, imports, providers: [Ticker], options: { globalGuard } });
    const connection = connectGraphql(port, {});
    connections.push(connection);
    return connection;
  }

  it('onConnect, and filter and resolve of a public subscription, run for everybody', async () => {
    const connection = await connect(true);
    expect((await connection.run('subscription { news }')).results).toEqual([{ news: 'news' }]);
    expect(ran).toEqual(['connect', 'filter', 'resolve']);
  });

  it('with globalGuard: false those without a decorator are open, and those with one are refused', async () => {
    const connection = await connect(false);
    expect((await connection.run('subscription { plain }')).results).toEqual([{ plain: 'plain' }]);
    expect((await connection.run('subscription { secrets }')).errors).toHaveLength(1);
    expect(ran).toEqual(['connect', 'plain']);
  });
});

/** Nest 12 has no subscriptions-transport-ws any more. */
const OLD_PROTOCOLS = [
  ...(HAS_OLD_PROTOCOL
    ? [{ name: 'Apollo', leg: APOLLO, options: { subscriptions: { 'subscriptions-transport-ws': true } } }]
    : []),
  { name: 'Mercurius', leg: MERCURIUS, options: { subscription: true } },
  {
    name: 'Mercurius, for all operations',
    leg: MERCURIUS,
    options: { subscription: { fullWsTransport: true } },
  },
];

it.each(OLD_PROTOCOLS)(
  'operations by the protocol of subscriptions-transport-ws are refused: $name',
  async ({ leg, options }) => {
    const { app, port } = await start({
      platform: leg.platform,
      imports: [leg.module(options)],
      providers: [Ticker],
    });
    const { bearer } = await signInAs(app, { userId: 'ana', level: 3 });
    for (const operation of ['subscription { secrets }', 'subscription { plain }', '{ me }'])
      await askByOldProtocol(port, operation, { ...bearer });
    expect(ran).toEqual([]);
    const { payload } = await askByOldProtocol(port, 'subscription { open }', {});
    expect(payload).toEqual({ data: { open: 'open' } });
  },
);

const GUARDED_FIELDS = { fieldResolverEnhancers: ['guards' as const] };

it('guarded fields of what a subscription sends are judged for each event, and end the WebSocket with their role', async () => {
  const { app, port, sessions } = await start({
    imports: [APOLLO.module({ subscriptions: { 'graphql-ws': true }, ...GUARDED_FIELDS })],
    providers: [Changes],
  });
  const { token: other } = await signInAs(app, { userId: 'ben' });
  const { token } = await signInAs(app, { userId: 'ana', roles: ['watcher'] });
  const [bens, anas] = [other, token].map((shown) =>
    connectGraphql(port, { connectionParams: { token: shown } }),
  ) as [GraphqlConnection, GraphqlConnection];
  connections.push(bens, anas);
  expect((await bens.run('subscription { changes { secret } }')).codes).toEqual(['role_required']);
  expect(ran).toEqual([]);
  await anas.subscribe('subscription { changes { secret } }').next();
  expect(ran).toContain('secret');
  await sessions.setRoles('ana', []);
  expect(await anas.ended).toEqual([4403, 'role_required']);
});

@ObjectType()
class Tick {
  @Field(() => Number) at!: number;
}

@Resolver(() => Tick)
class TicksOfSomebody {
  @Query(() => Tick) tick(): Tick {
    return { at: 0 };
  }
  @Subscription(() => Tick) async *ticks(): AsyncGenerator<{ ticks: Tick }> {
    yield { ticks: { at: 1 } };
  }
  @ResolveField(() => String) whose(@CurrentSession('userId') userId: string | null): string {
    return `of ${userId}`;
  }
}

it('a field without a guard knows of no session in what a subscription sends', async () => {
  const { app, port, url } = await start({
    imports: [APOLLO.module({ subscriptions: { 'graphql-ws': true } })],
    providers: [TicksOfSomebody],
    configure: streamGraphql,
  });
  const { token, bearer } = await signInAs(app, { userId: 'ana' });
  const connection = connectGraphql(port, { connectionParams: { token } });
  connections.push(connection);
  expect((await connection.run('{ tick { whose } }')).results).toEqual([{ tick: { whose: 'of ana' } }]);
  const query = 'subscription { ticks { whose } }';
  expect((await connection.run(query)).results).toEqual([{ ticks: { whose: 'of null' } }]);
  expect(await (await subscribeBySse(url, query, bearer)).text()).toContain('of null');
});

/** As applications put graphql-sse beside Nest's own server. */
function streamGraphql(app: INestApplication): void {
  app.use('/graphql/stream', (req: never, res: never) => {
    streaming = res;
    const { schema } = app.get(GraphQLSchemaHost);
    return createHandler({ schema, context: { req, res } as never })(req, res);
  });
}

let streaming: ServerResponse;

function subscribeBySse(url: string, query: string, headers: object): Promise<Response> {
  return fetch(`${url}/graphql/stream`, {
    method: 'POST',
    signal: leaving.signal,
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...headers },
    body: JSON.stringify({ query }),
  });
}

it('guarded fields of what graphql-sse sends leave nothing behind with each event', async () => {
  const { app, url, sessions } = await start({
    imports: [APOLLO.module(GUARDED_FIELDS)],
    providers: [Changes],
    configure: streamGraphql,
  });
  const { bearer } = await signInAs(app, { userId: 'ana', roles: ['watcher'] });
  const answer = await subscribeBySse(url, 'subscription { changes { secret } }', bearer);
  while (ran.length < 5) await new Promise(setImmediate);
  const listeners = streaming.listenerCount('close');
  while (ran.length < 20) await new Promise(setImmediate);
  expect(streaming.listenerCount('close')).toBe(listeners);
  await sessions.setRoles('ana', []);
  await endOf(readingOf(answer));
});

describe.each(['express', 'fastify'] as const)('on %s', (platform) => {
  it('subscriptions by graphql-sse end with their session', async () => {
    const { app, url, sessions } = await start({
      platform,
      imports: [APOLLO.module()],
      providers: [Ticker],
      configure: streamGraphql,
    });
    const subscribe = (headers: object) => subscribeBySse(url, 'subscription { ticks }', headers);
    expect(await (await subscribe({})).text()).toContain('Sign in first.');
    expect(ran).toEqual([]);
    const { bearer } = await signInAs(app, { userId: 'ana' });
    const reading = readingOf(await subscribe(bearer));
    expect(await reaches(reading, 'first')).toBe(true);
    expect(await sessions.revokeAll('ana')).toBe(1);
    await endOf(reading);
  });
});
