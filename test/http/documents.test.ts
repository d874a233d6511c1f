import { Injectable, type INestApplication, type NestInterceptor, UseInterceptors } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  type ActiveSession,
  AllowAnonymous,
  Background,
  CurrentSession,
  EndSession,
  Public,
  RequireLevel,
  RequireRole,
  type SessionPrincipal,
  SessionService,
  StartSession,
} from 'nestjs-sessions';
import { recordSessionEvents, signInAs, TestClock } from 'nestjs-sessions/testing';
import { from, switchMap } from 'rxjs';
import { SessionCore } from '../../src/core/session-core.js';
import { fakeExchange } from '../support/fake-context.js';
import { startApp } from '../support/platforms.js';
import { asMutation, asQuery, resolverCaller } from '../support/resolver-calls.js';

let gate: Promise<void>;
let openGate: () => void;
let principal: SessionPrincipal | null;

/** Runs after the guard, and lets the handler wait. */
const Late: NestInterceptor = { intercept: (_, next) => from(gate).pipe(switchMap(() => next.handle())) };

@Injectable()
class BankResolver {
  @StartSession() @asMutation() signIn(): SessionPrincipal | null {
    return principal;
  }
  @EndSession() @asMutation() signOut(@CurrentSession('userId') userId: string | null): string | null {
    return userId;
  }
  @asMutation() rename(@CurrentSession('userId') userId: string): string {
    return userId;
  }
  @RequireLevel(2) @asMutation() transfer(@CurrentSession('userId') userId: string): string {
    return userId;
  }
  @RequireRole('admin') @asMutation() appoint(@CurrentSession('userId') userId: string): string {
    return userId;
  }
  @AllowAnonymous() @asMutation() visit(@CurrentSession('userId') userId: string | null): string | null {
    return userId;
  }
  /** Open, with a session or without. */
  @StartSession() @asMutation() again(@CurrentSession() session: ActiveSession | null): SessionPrincipal {
    return { userId: 'again', data: { before: session?.userId ?? null } };
  }
  @UseInterceptors(Late) @asQuery() late(@CurrentSession('userId') userId: string): string {
    return userId;
  }
  @Background() @asQuery() poll(@CurrentSession('userId') userId: string): string {
    return userId;
  }
  @asQuery() me(@CurrentSession('userId') userId: string): string {
    return userId;
  }
  @Public() @asQuery() hello(@CurrentSession() session: ActiveSession | null): string {
    return `hello ${session?.userId}`;
  }
}

const timeouts = { idle: '10d', absolute: '30d', renewal: '4h', reason: 'a test' } as const;
let app: INestApplication;
let clock: TestClock;
let call: ReturnType<typeof resolverCaller>;

beforeEach(async () => {
  gate = new Promise((resolve) => (openGate = resolve));
  clock = new TestClock();
  app = await startApp('express', { providers: [BankResolver], options: { clock: clock.now, timeouts } });
  call = resolverCaller(app, BankResolver);
});
afterEach(() => app.close());

async function waitUntil(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(setImmediate);
}

/** What becomes of these fields, one after the other: what they return, or the code of their refusal. */
async function run(context: object, ...fields: string[]): Promise<unknown[]> {
  const outcomes: unknown[] = [];
  for (const field of fields) {
    outcomes.push(await call(field, context).catch((error: { code?: string }) => error.code ?? error));
  }
  return outcomes;
}

type Exchange = ReturnType<typeof fakeExchange>;

/** Another request that shows the same. */
function again({ req: { headers } }: Pick<Exchange, 'req'>): Exchange {
  const { req, res } = fakeExchange({ method: 'POST' });
  return { req: Object.assign(req, { headers }), res };
}

describe.each(['bearer', 'cookie'] as const)('a document that shows a session by %s', (transport) => {
  async function show(shown: SessionPrincipal) {
    const { session, ...headers } = await signInAs(app, shown);
    const { req, res } = fakeExchange({ method: 'POST', headers: { ...headers[transport] } });
    return { session, context: { req, res } };
  }

  it('is judged on the new session after a sign-in', async () => {
    const { context } = await show({ userId: 'ana', level: 3, roles: ['admin'] });
    principal = { userId: 'bob' };
    const [before, , ...after] = await run(context, 'transfer', 'signIn', 'transfer', 'appoint', 'rename');
    expect(before).toBe('ana');
    expect(after).toEqual(['reauthentication_required', 'role_required', 'bob']);
  });

  it('can do after a sign-in what it could not do before', async () => {
    const { context } = await show({ userId: 'ana' });
    principal = { userId: 'ana', level: 2, roles: ['admin'] };
    const outcomes = await run(context, 'transfer', 'signIn', 'transfer', 'appoint');
    expect(outcomes).toEqual(['reauthentication_required', expect.anything(), 'ana', 'ana']);
  });

  it('stays who it is after a sign-in that failed', async () => {
    const { context } = await show({ userId: 'ana', level: 2 });
    principal = null;
    expect(await run(context, 'signIn', 'transfer')).toEqual(['sign_in_failed', 'ana']);
  });

  it('has no session after a sign-out', async () => {
    const { context } = await show({ userId: 'ana', level: 3 });
    const outcomes = await run(context, 'rename', 'signOut', 'rename', 'transfer', 'visit', 'signOut');
    const refused = Array.from({ length: 3 }, () => 'session_required');
    expect(outcomes).toEqual(['ana', 'ana', ...refused, null]);
  });

  it('has no session after a sign-out of a session that had been ended meanwhile', async () => {
    const { context, session } = await show({ userId: 'ana', level: 3 });
    await run(context, 'rename');
    await app.get(SessionService).revoke(session.id);
    const outcomes = await run(context, 'signOut', 'rename', 'transfer');
    expect(outcomes).toEqual([null, 'session_required', 'session_required']);
  });

  it.each<[string, (sessions: SessionService, id: string) => Promise<unknown>]>([
    ['revoke', (sessions, id) => sessions.revoke(id)],
    ['revokeAll', (sessions) => sessions.revokeAll('ana')],
    ['revokeEveryone', (sessions) => sessions.revokeEveryone()],
  ])('is let in to nothing more once a handler has called %s', async (_, end) => {
    const { context, session } = await show({ userId: 'ana', level: 3 });
    await run(context, 'transfer');
    await end(app.get(SessionService), session.id);
    const outcomes = await run(context, 'rename', 'transfer', 'me', 'again');
    expect(outcomes.slice(0, 3)).toEqual(Array.from({ length: 3 }, () => 'session_invalid'));
    expect((await app.get(SessionService).list('again'))[0]?.data).toEqual({ before: null });
  });

  it('has the roles that a handler has set by hand', async () => {
    const { context } = await show({ userId: 'ana', roles: ['admin'] });
    await run(context, 'appoint');
    await app.get(SessionService).setRoles('ana', []);
    expect(await run(context, 'appoint', 'rename')).toEqual(['role_required', 'ana']);
    await app.get(SessionService).setRoles('ana', ['admin']);
    expect(await run(context, 'appoint')).toEqual(['ana']);
  });

  it('goes on after a handler has ended the other sessions and replaced the token by hand', async () => {
    const { context, session } = await show({ userId: 'ana' });
    await show({ userId: 'ana' });
    await run(context, 'rename');
    const sessions = app.get(SessionService);
    await sessions.rotate(session.id);
    expect(await sessions.revokeAll('ana', { except: session.id })).toBe(1);
    expect(await run(context, 'rename', 'me')).toEqual(['ana', 'ana']);
    expect(await sessions.get(session.id)).not.toBeNull();
  });

  it('keeps for a handler what it was let in on, though its session has been ended since', async () => {
    const { context, session } = await show({ userId: 'ana' });
    const late = call('late', context, 'query');
    await new Promise(setImmediate);
    await app.get(SessionService).revoke(session.id);
    expect(await run(context, 'rename')).toEqual(['session_invalid']);
    openGate();
    expect(await late).toBe('ana');
  });

  it('is refused in the name of whom it was judged as, though somebody has signed in beside it', async () => {
    const { context } = await show({ userId: 'ana' });
    await run(context, 'rename');
    clock.advance('4h');
    const due = again(context);
    const renewal = app.get(SessionCore).rotation;
    const renew = jest.spyOn(renewal, 'renew').mockImplementation(() => gate.then(() => null));
    const recorder = recordSessionEvents(app);
    const refused = expect(call('appoint', due)).rejects.toMatchObject({ code: 'role_required' });
    await waitUntil(() => renew.mock.calls.length > 0);
    principal = { userId: 'bob' };
    await run(due, 'signIn');
    openGate();
    await refused;
    expect(recorder.of('refused')).toMatchObject([{ code: 'role_required', userId: 'ana' }]);
  });

  it('hands an open handler no session after a sign-out', async () => {
    const { context } = await show({ userId: 'ana' });
    const [, started] = await run(context, 'signOut', 'again');
    const { session } = started as { session: ActiveSession };
    const { data } = (await app.get(SessionService).get(session.id)) ?? {};
    expect(data).toEqual({ before: null });
  });

  it('signs out of the session that it has started', async () => {
    const { context, session } = await show({ userId: 'ana' });
    principal = { userId: 'bob' };
    expect(await run(context, 'signIn', 'signOut', 'rename')).toEqual([
      expect.anything(),
      'bob',
      'session_required',
    ]);
    const sessions = app.get(SessionService);
    expect([await sessions.get(session.id), ...(await sessions.list('bob'))]).toEqual([null]);
  });

  it.each([
    ['signIn', 'bob'],
    ['signOut', null],
  ])('hands a handler what it was judged on, though %s came by', async (field, userId) => {
    const { context } = await show({ userId: 'ana' });
    principal = { userId: 'bob' };
    const late = call('late', context, 'query');
    await new Promise(setImmediate);
    await run(context, field);
    openGate();
    expect(await late).toBe('ana');
    expect(await run(context, 'rename')).toEqual([userId ?? 'session_required']);
  });

  it('hands a public handler no session', async () => {
    const { context } = await show({ userId: 'ana' });
    expect(await run(context, 'me', 'hello')).toEqual(['ana', 'hello undefined']);
  });

  it.each([
    [['poll', 'me'], true],
    [['me', 'poll'], true],
    [['poll', 'poll'], false],
    [['poll', 'poll', 'me', 'poll'], true],
  ])('with the fields %j is activity: %s', async (fields, isActivity) => {
    const { context, session } = await show({ userId: 'ana' });
    clock.advance('1h');
    await Promise.all(fields.map((field) => call(field, context, 'query')));
    const seen = (await app.get(SessionService).get(session.id))?.lastSeenAt.getTime();
    expect(seen).toBe(isActivity ? clock.now() : session.lastSeenAt.getTime());
  });

  it('answers one token where the old one was due and was replaced too', async () => {
    const { context } = await show({ userId: 'ana' });
    await run(context, 'me');
    clock.advance('4h');
    const due = again(context);
    principal = { userId: 'ana' };
    const [, body] = await run(due, 'me', 'signIn');
    due.res.writeHead(200);
    const text = JSON.stringify([body, due.res.getHeaders()]);
    const [token, ...others] = text.match(/sid_[\w-]{70}/g) ?? [];
    expect(others).toEqual([]);
    expect((await app.get(SessionService).validate(String(token))).session?.userId).toBe('ana');
  });
});

it('of two sign-ins the token of the first, which nobody had shown, is no sign of theft', async () => {
  const { bearer } = await signInAs(app, { userId: 'ana' });
  const context = fakeExchange({ method: 'POST', headers: { ...bearer } });
  principal = { userId: 'ana' };
  const [first, second] = (await run(context, 'signIn', 'signIn')) as { token: string }[];
  const sessions = app.get(SessionService);
  await sessions.validate(String(second?.token));
  clock.advance('1h');
  expect(await sessions.validate(String(first?.token))).toMatchObject({ session: null, reason: 'rotated' });
  expect((await sessions.validate(String(second?.token))).session?.userId).toBe('ana');
});

it('a link of a foreign page signs nobody out, by a field that a query leads to', async () => {
  const { cookie, session } = await signInAs(app, { userId: 'ana' });
  const headers = { ...cookie, 'sec-fetch-site': 'cross-site' };
  const context = fakeExchange({ method: 'GET', headers });
  await expect(call('signOut', context, 'query')).rejects.toMatchObject({ code: 'cross_origin' });
  expect(await app.get(SessionService).get(session.id)).not.toBeNull();
});

it('a document without a session is who has signed in, from then on', async () => {
  const context = fakeExchange({ method: 'POST' });
  principal = { userId: 'ana', roles: ['admin'] };
  const outcomes = await run(context, 'appoint', 'signIn', 'appoint');
  expect(outcomes).toEqual(['session_required', expect.anything(), 'ana']);
});

it('is kept by Apollo for one session only, unless it is public', async () => {
  const { bearer } = await signInAs(app, { userId: 'ana' });
  const hints: unknown[] = [];
  const cacheControl = { setCacheHint: (hint: unknown) => hints.push(hint) };
  await call('hello', fakeExchange({}), 'query', { cacheControl });
  expect(hints).toEqual([]);
  await call('me', fakeExchange({ headers: { ...bearer } }), 'query', { cacheControl });
  expect(hints).toEqual([{ scope: 'PRIVATE' }]);
});

describe('an operation over an upgraded connection', () => {
  it.each<[string, (exchange: Exchange) => object]>([
    ['the handshake alone', ({ req }) => ({ req: Object.assign(req, { upgrade: true }) })],
    ['the handshake and its answer', ({ req, res }) => ({ req: Object.assign(req, { upgrade: true }), res })],
    ['an empty answer', ({ req }) => ({ req, res: {} })],
    ['an empty reply', ({ req }) => ({ req, reply: { request: { raw: req } } })],
    ['functions in the place of an answer', ({ req }) => ({ req, res: { raw: {}, setHeader() {} } })],
    [
      'a reply of Mercurius',
      ({ req }) => ({ reply: { request: { raw: Object.assign(req, { upgrade: true }) } } }),
    ],
    ['what graphql-ws knows', ({ req, res }) => ({ req: { extra: { request: req } }, res })],
  ])('is refused where its WebSocket is not known, with %s', async (_, contextOf) => {
    const { bearer } = await signInAs(app, { userId: 'ana', level: 3 });
    const context = contextOf(fakeExchange({ headers: { ...bearer } }));
    for (const operation of ['query', 'mutation', 'subscription']) {
      await expect(call('me', context, operation)).rejects.toThrow('need the WebSocket');
    }
    expect(await call('hello', context, 'query')).toBe('hello undefined');
  });

  it('is what a subscription is without an answer', async () => {
    for (const context of [{}, { req: fakeExchange({}).req }])
      await expect(call('me', context, 'subscription')).rejects.toThrow('need the WebSocket');
  });
});

describe('a context that is one object for several requests', () => {
  const answered = ({ req, res }: Exchange) => (res.end(), { req, res });
  const beside = ({ req }: Exchange) => ({ req, res: fakeExchange({}).res });
  const reply = ({ req }: Exchange) => ({ req, reply: { request: { raw: req }, raw: fakeExchange({}).res } });
  it.each([
    ['the request that came first, and was answered', answered],
    ['the request that came first, and the answer of another', beside],
    ['the request that came first, and the reply of another', reply],
  ])('lets in nobody on %s', async (_, contextOf) => {
    const { bearer } = await signInAs(app, { userId: 'ana', level: 3 });
    const context = contextOf(fakeExchange({ headers: { ...bearer } }));
    await expect(call('me', context, 'query')).rejects.toThrow('makes a new object each time');
  });

  it('lets in nobody once it has had another request', async () => {
    const shared = {};
    expect(await call('hello', Object.assign(shared, fakeExchange({})), 'query')).toBe('hello undefined');
    const { bearer } = await signInAs(app, { userId: 'ana' });
    const ask = () => call('me', Object.assign(shared, fakeExchange({ headers: { ...bearer } })), 'query');
    expect(await ask()).toBe('ana');
    await expect(ask()).rejects.toThrow('makes a new object each time');
  });
});
