import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Mutation, Query, Resolver, Subscription } from '@nestjs/graphql';
import { CurrentSession, Public, RequireLevel } from 'nestjs-sessions';
import { signInAs } from 'nestjs-sessions/testing';
import type { IncomingMessage, Server } from 'node:http';
import { WebSocket, WebSocketServer } from 'ws';
import { once } from 'node:events';
import { type EdgeApp, edgeApps } from './support/edge-apps.js';
import { APOLLO, MERCURIUS } from './support/graphql.js';
import { connectGraphql, type GraphqlConnection } from './support/graphql-ws.js';

const ran: string[] = [];
const note = (what: string): string => (ran.push(what), what);
const connections: GraphqlConnection[] = [];

beforeEach(() => {
  ran.length = 0;
});
afterEach(async () => {
  for (const connection of connections.splice(0)) await connection.close();
});
// After what closes connections, so that applications are closed last.
const start = edgeApps();

@Resolver()
class Ticker {
  @Public() @Query(() => String) hello(): string {
    return 'hello';
  }

  @Query(() => String) me(@CurrentSession('userId') userId: string): string {
    return note(`me as ${userId}`);
  }

  @RequireLevel(2) @Mutation(() => String) transfer(): string {
    return note('transfer');
  }

  @Subscription(() => String) async *ticks(): AsyncGenerator<{ ticks: string }> {
    yield { ticks: note('tick') };
  }

  @Public() @Subscription(() => String) async *news(): AsyncGenerator<{ news: string }> {
    yield { news: 'news' };
  }
}

interface Arrival {
  readonly req?: IncomingMessage;
  readonly res?: object;
  readonly extra?: { readonly request: IncomingMessage };
  readonly connectionParams?: Readonly<Record<string, unknown>>;
}

/** What applications give as `context` for what comes over a socket. */
const CONTEXTS: Record<string, (request: IncomingMessage, parameters: object) => object> = {
  'the request alone': (req) => ({ req }),
  'an empty answer': (req) => ({ req, res: {} }),
  'a reply of its own': (req) => ({ req, reply: { request: { raw: req, ws: true }, raw: {} } }),
  'an empty answer at the request': (req) => ({ req: Object.assign(req, { res: {} }) }),
  'headers of its own': (req, { authorization }: { authorization?: string }) => ({
    req: Object.assign(req, { headers: { ...req.headers, authorization } }),
    res: {},
  }),
  'a request of its own': (req, { authorization }: { authorization?: string }) => ({
    req: {
      method: 'POST',
      headers: { host: '127.0.0.1', authorization },
      protocol: 'http',
      socket: req.socket,
    },
    res: { raw: {}, setHeader() {}, getHeader() {} },
  }),
};

const LEGS = [
  {
    name: 'Apollo with graphql-ws',
    leg: APOLLO,
    optionsFor: (contextOf: (typeof CONTEXTS)[string]) => ({
      subscriptions: { 'graphql-ws': true },
      context: ({ req, res, extra, connectionParams }: Arrival) =>
        extra ? contextOf(extra.request, connectionParams ?? {}) : { req, res },
    }),
  },
  {
    name: 'Mercurius',
    leg: MERCURIUS,
    optionsFor: (contextOf: (typeof CONTEXTS)[string]) => ({
      subscription: {
        fullWsTransport: true,
        context: (_: unknown, request: { raw: IncomingMessage; headers: { authorization?: string } }) =>
          contextOf(request.raw, request.headers),
      },
    }),
  },
];

describe.each(LEGS)('operations over an upgraded connection of $name', ({ leg, optionsFor }) => {
  const open = (context: string) =>
    start({
      platform: leg.platform,
      imports: [leg.module(optionsFor(CONTEXTS[context]!))],
      providers: [Ticker],
    });

  async function connect({ app, port }: EdgeApp): Promise<GraphqlConnection> {
    const { bearer } = await signInAs(app, { userId: 'ana', level: 3 });
    const connection = connectGraphql(port, { headers: { ...bearer }, connectionParams: { ...bearer } });
    connections.push(connection);
    return connection;
  }

  it.each(Object.keys(CONTEXTS))(
    'are refused where the context has no WebSocket, with %s',
    async (context) => {
      const connection = await connect(await open(context));
      for (const query of ['{ me }', 'mutation { transfer }', 'subscription { ticks }']) {
        const { errors } = await connection.run(query);
        expect(errors).toHaveLength(1);
      }
      expect(ran).toEqual([]);
    },
  );

  it('are refused after the end of the session that the handshake showed', async () => {
    const app = await open('an empty answer');
    const connection = await connect(app);
    await connection.run('{ me }');
    await app.sessions.revokeAll('ana');
    ran.length = 0;
    for (const query of ['{ me }', 'mutation { transfer }', 'subscription { ticks }'])
      await connection.run(query);
    expect(ran).toEqual([]);
  });

  it.each(Object.keys(CONTEXTS))('go on with @Public(), with %s', async (context) => {
    const connection = await connect(await open(context));
    expect(await connection.run('{ hello }')).toMatchObject({ results: [{ hello: 'hello' }] });
    expect(await connection.run('subscription { news }')).toMatchObject({ results: [{ news: 'news' }] });
  });
});

it('leaves the upgrades of others alone', async () => {
  const { app, port } = await start({ imports: [APOLLO.module()], providers: [Ticker] });
  const theirs = new WebSocketServer({ server: app.getHttpServer() as Server, path: '/own' });
  theirs.on('connection', (socket) => socket.on('message', (message) => socket.send(String(message))));
  const socket = new WebSocket(`ws://127.0.0.1:${port}/own`);
  await once(socket, 'open');
  socket.send('hello');
  const [echo] = (await once(socket, 'message')) as [Buffer];
  expect(String(echo)).toBe('hello');
  socket.terminate();
  theirs.close();
});
