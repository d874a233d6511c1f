import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { Mutation, Query, Resolver, Subscription } from '@nestjs/graphql';
import {
  AllowAnonymous,
  Background,
  CurrentSession,
  EnsureSession,
  OptionalSession,
  Public,
  RequireLevel,
  RequireRole,
  StartSession,
} from 'nestjs-sessions';
import { signInAs } from 'nestjs-sessions/testing';
import { pageAt } from '../docs/pages.js';
import { RunnablePage } from '../docs/running.js';
import { type EdgeApp, type EdgeAppOptions, edgeApps } from './support/edge-apps.js';
import { APOLLO, type GraphqlLeg, MERCURIUS } from './support/graphql.js';
import {
  askByOldProtocol,
  connectGraphql,
  type GraphqlConnection,
  type GraphqlVisit,
} from './support/graphql-ws.js';
import { INSTALL } from './support/install.js';
import { noteRuns } from './support/runs.js';

/* With the options that the page shows. */

const page = await RunnablePage.of(pageAt('docs/websockets.md'), { install: INSTALL });
const { apollo } = await page.run<{ apollo: object }>('apollo.ts');
const { mercurius } = await page.run<{ mercurius: { subscription: object } }>('mercurius.ts');
afterAll(() => page.dispose());

const { ran, note } = noteRuns();
const connections: GraphqlConnection[] = [];
afterEach(async () => {
  for (const connection of connections.splice(0)) await connection.close();
});
// After what closes connections, so that applications are closed last.
const start = edgeApps();

/** Until its client leaves, or is sent away. */
async function* endless(field: string): AsyncGenerator<Record<string, string>> {
  try {
    for (let at = 0; ; at++) {
      yield { [field]: `${at}` };
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  } finally {
    if (field === 'alarms') note('alarms stopped');
  }
}

@Resolver()
class Account {
  @Query(() => String) me(@CurrentSession('userId') userId: string): string {
    return note(`me as ${userId}`);
  }
  @Background() @Query(() => String) poll(): string {
    return 'polled';
  }
  @Public() @Query(() => String) hello(): string {
    return 'hello';
  }
  @OptionalSession() @Query(() => String) who(@CurrentSession('userId') userId: string | null): string {
    return userId ?? 'nobody';
  }
  @RequireLevel(2) @Mutation(() => String) transfer(): string {
    return note('transfer');
  }
  @StartSession() @Mutation(() => String) signIn(): { userId: string } {
    note('sign-in');
    return { userId: 'ana' };
  }
  @EnsureSession() @Mutation(() => String) add(): string {
    return note('add');
  }
  @OptionalSession() @Subscription(() => String) news(@CurrentSession('userId') userId: string | null) {
    note(`news for ${userId}`);
    return endless('news');
  }
  @AllowAnonymous() @Subscription(() => String) offers(@CurrentSession('userId') userId: string | null) {
    note(`offers for ${userId}`);
    return endless('offers');
  }
  @Subscription(() => String) ticks(@CurrentSession('userId') userId: string) {
    note(`ticks as ${userId}`);
    return endless('ticks');
  }
  @RequireRole('admin') @Subscription(() => String) alarms() {
    return endless('alarms');
  }
}

const ofApollo: GraphqlLeg['module'] = (options) => APOLLO.module({ ...apollo, ...options });

const LEGS: readonly GraphqlLeg[] = [
  { name: 'Apollo on Express', platform: 'express', module: ofApollo },
  { name: 'Apollo on Fastify', platform: 'fastify', module: ofApollo },
  {
    name: 'Apollo on Express, with a context',
    platform: 'express',
    module: (options) =>
      ofApollo({ context: ({ req, res }: { req: object; res: object }) => ({ req, res }), ...options }),
  },
  {
    name: 'Mercurius on Fastify',
    platform: 'fastify',
    module: (options) =>
      MERCURIUS.module({
        ...mercurius,
        subscription: { ...mercurius.subscription, fullWsTransport: true },
        ...options,
      }),
  },
];

function connect({ port }: EdgeApp, visit: GraphqlVisit): GraphqlConnection {
  const connection = connectGraphql(port, visit);
  connections.push(connection);
  return connection;
}

describe.each(LEGS)('operations over a WebSocket of $name', ({ platform, module }) => {
  const open = (options: EdgeAppOptions = {}) =>
    start({ platform, imports: [module()], providers: [Account], ...options });

  it('know whose they are by cookie, header, protocol and `connectionParams`', async () => {
    const app = await open();
    const { bearer, cookie, token } = await signInAs(app.app, { userId: 'ana' });
    const visits: GraphqlVisit[] = [
      { headers: { ...bearer } },
      { headers: { ...cookie } },
      { protocols: [`bearer.${token}`] },
      { connectionParams: { token } },
    ];
    for (const visit of visits) {
      const connection = connect(app, visit);
      expect(await connection.run('{ me who }')).toMatchObject({
        results: [{ me: 'me as ana', who: 'ana' }],
      });
      const { value } = await connection.subscribe('subscription { ticks }').next();
      expect(value).toMatchObject({ data: { ticks: '0' } });
    }
    expect(ran.filter((what) => what !== 'me as ana')).toEqual(visits.map(() => 'ticks as ana'));
  });

  it('are refused as requests are, and say why', async () => {
    const app = await open();
    const nobody = connect(app, {});
    expect(await nobody.run('{ me }')).toMatchObject({ codes: ['session_required'] });
    expect(await nobody.run('subscription { ticks }')).toMatchObject({ codes: ['session_required'] });
    expect(await nobody.run('{ hello who }')).toMatchObject({ results: [{ hello: 'hello', who: 'nobody' }] });
    const { token } = await signInAs(app.app, { userId: 'ana' });
    const anas = connect(app, { connectionParams: { token } });
    expect(await anas.run('mutation { transfer }')).toMatchObject({ codes: ['reauthentication_required'] });
    expect(await anas.run('subscription { alarms }')).toMatchObject({ codes: ['role_required'] });
    for (const mutation of ['mutation { signIn }', 'mutation { add }'])
      expect(await anas.run(mutation)).toMatchObject({ codes: [expect.not.stringContaining('_')] });
    expect(ran).toEqual([]);
  });

  it('may be subscriptions that ask for less', async () => {
    const app = await open();
    const nobody = connect(app, {});
    await nobody.subscribe('subscription { news }').next();
    expect(await nobody.run('subscription { offers }')).toMatchObject({ codes: ['session_required'] });
    const { token } = await app.sessions.createAnonymous();
    await connect(app, { connectionParams: { token } }).subscribe('subscription { offers }').next();
    expect(ran).toEqual(['news for null', 'offers for null']);
  });

  it('end their WebSocket where what it shows is no good', async () => {
    const app = await open();
    const [ana, ben] = await Promise.all([
      signInAs(app.app, { userId: 'ana' }),
      signInAs(app.app, { userId: 'ben' }),
    ]);
    await app.sessions.revokeAll('ben');
    const headers = { ...ana.cookie, origin: 'https://elsewhere.example' };
    const visits: [GraphqlVisit, string, number][] = [
      [{ headers: { ...ben.bearer } }, 'session_invalid', 4401],
      [{ connectionParams: { token: ben.token } }, 'session_invalid', 4401],
      [{ connectionParams: { token: { $ne: '' } } }, 'session_invalid', 4401],
      [{ headers: { ...ben.bearer }, connectionParams: { token: ana.token } }, 'session_invalid', 4401],
      [{ headers }, 'cross_origin', 4403],
      // Mercurius puts these among the headers of the request.
      [{ headers, connectionParams: { 'sec-fetch-site': 'same-origin' } }, 'cross_origin', 4403],
      [{ headers, connectionParams: { headers: { 'sec-fetch-site': 'none' } } }, 'cross_origin', 4403],
    ];
    for (const [visit, code, closing] of visits) {
      const connection = connect(app, visit);
      expect(await connection.run('subscription { ticks }')).toMatchObject({ codes: [code] });
      expect(await connection.ended).toEqual([closing, code]);
    }
    expect(ran).toEqual([]);
  });

  it('end with their session, and nobody goes on producing for them', async () => {
    const app = await open();
    const ends: [string, (id: string) => unknown, number, string][] = [
      ['revocation', (id) => app.sessions.revoke(id), 4401, 'session_invalid'],
      ['another token', (id) => app.sessions.rotate(id), 4401, 'session_invalid'],
      ['another role', () => app.sessions.setRoles('another role', []), 4403, 'role_required'],
      ['time', () => app.clock.advance('31m'), 4401, 'session_expired'],
    ];
    for (const [userId, end, code, reason] of ends) {
      const { token, session } = await signInAs(app.app, { userId, roles: ['admin'] });
      const connection = connect(app, { connectionParams: { token } });
      await connection.subscribe('subscription { alarms }').next();
      await end(session.id);
      expect(await connection.ended).toEqual([code, reason]);
      while (ran.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      expect(ran.splice(0)).toEqual(['alarms stopped']);
    }
  });

  it('are judged anew, each by itself', async () => {
    const app = await open();
    const { token } = await signInAs(app.app, { userId: 'ana', roles: ['admin'] });
    const connection = connect(app, { connectionParams: { token } });
    await connection.run('{ me }');
    await app.sessions.setRoles('ana', []);
    expect(await connection.run('subscription { alarms }')).toMatchObject({ codes: ['role_required'] });
    expect(await connection.run('{ me }')).toMatchObject({ results: [{ me: 'me as ana' }] });
  });

  it('are activity, but for subscriptions and what is in the background', async () => {
    const app = await open();
    const { token, session } = await signInAs(app.app, { userId: 'ana' });
    app.clock.advance('10m');
    const connection = connect(app, { connectionParams: { token } });
    await connection.run('{ poll }');
    await connection.subscribe('subscription { ticks }').next();
    const seen = async () => (await app.sessions.get(session.id))?.lastSeenAt.getTime();
    expect(await seen()).toBe(app.clock.now() - 600_000);
    await connection.run('{ me }');
    expect(await seen()).toBe(app.clock.now());
  });

  it('are those of nobody else where applications share a context', async () => {
    const shared = {};
    const app = await open({ imports: [module({ context: () => shared })] });
    const { token } = await signInAs(app.app, { userId: 'ana' });
    const anas = connect(app, { connectionParams: { token } });
    await anas.run('{ me }');
    ran.length = 0;
    await connect(app, {}).run('{ me }');
    expect(ran).toEqual([]);
  });
});

it('subscriptions by the older protocol are judged too, where Mercurius gives the WebSocket', async () => {
  const imports = [MERCURIUS.module(mercurius)];
  const { app, port } = await start({ platform: 'fastify', imports, providers: [Account] });
  const { bearer } = await signInAs(app, { userId: 'ana' });
  const ticks = (headers: Record<string, string>) =>
    askByOldProtocol(port, 'subscription { ticks }', headers);
  expect(await ticks({ ...bearer })).toMatchObject({ payload: { data: { ticks: '0' } } });
  expect(JSON.stringify(await ticks({}))).toContain('session_required');
});
