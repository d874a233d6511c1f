import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { SessionEvent, SessionModuleOptions } from 'nestjs-sessions';
import { TestClock } from 'nestjs-sessions/testing';
import { concatMap, filter, map, Observable, share, switchMap, tap } from 'rxjs';
import { PLATFORMS } from '../support/platforms.js';
import { AccountController, bearer, signIn } from '../support/sign-in.js';
import { appsOn, type TestApp } from '../support/test-app.js';

const controllers = [AccountController];
const BOOM = new Error('boom of a subscriber');

type Subscribe = (events: Observable<SessionEvent>) => unknown;

const THROWING: readonly [string, Subscribe][] = [
  ['in next', (events) => events.subscribe(boom)],
  ['in an observer', (events) => events.subscribe({ next: boom })],
  ['in an observer with an error handler', (events) => events.subscribe({ next: boom, error: () => {} })],
  [
    'in an observer whose error handler throws too',
    (events) => events.subscribe({ next: boom, error: boom }),
  ],
  ['in an async function', (events) => events.subscribe(async () => boom())],
  ['in an async function, later', (events) => events.subscribe(async () => wait(1).then(boom))],
  ['in tap', (events) => events.pipe(tap(boom)).subscribe()],
  [
    'in tap, with an error handler that throws',
    (events) => events.pipe(tap(boom)).subscribe({ error: boom }),
  ],
  ['in map', (events) => events.pipe(map(boom)).subscribe(() => {})],
  ['in filter', (events) => events.pipe(filter(() => boom())).subscribe(() => {})],
  [
    'behind operators',
    (events) =>
      events
        .pipe(
          filter(() => true),
          map(String),
        )
        .subscribe(boom),
  ],
  ['behind share', (events) => events.pipe(share()).subscribe(boom)],
  ['in concatMap, async', (events) => events.pipe(concatMap(async () => boom())).subscribe()],
  ['in switchMap', (events) => events.pipe(switchMap(() => boom() as never)).subscribe()],
  ['in forEach', (events) => void events.forEach(boom).catch(() => {})],
];

function boom(): boolean {
  throw BOOM;
}

describe.each(PLATFORMS)('on %s', (platform) => {
  const startApp = appsOn(platform);

  async function start(options: SessionModuleOptions = {}) {
    const clock = new TestClock();
    const app = await startApp({ controllers, options: { clock: clock.now, ...options } });
    return { app, clock, sessions: app.sessions };
  }
  const last = ({ events }: TestApp) => events.at(-1);

  describe('an event is told, with time, session and user,', () => {
    it('when a session is created', async () => {
      const { app, clock } = await start();
      const answer = await app.http.post('/login').set('User-Agent', 'app/1').send({ userId: 'ana' });
      expect(app.events).toEqual([
        {
          type: 'created',
          at: new Date(clock.now()),
          sessionId: answer.body.session.id,
          userId: 'ana',
          client: { ip: '127.0.0.1', userAgent: 'app/1', label: null },
          origin: 'own',
        },
      ]);
    });

    it('when an anonymous session is created: of nobody', async () => {
      const { app, sessions } = await start();
      const { session } = await sessions.createAnonymous();
      expect(last(app)).toMatchObject({ type: 'created', sessionId: session.id, userId: null });
    });

    it('when somebody signs in on it, and at a step-up', async () => {
      const { app, sessions } = await start();
      const visit = await sessions.createAnonymous();
      const answer = await app.http.post('/login').set(bearer(visit.token)).send({ userId: 'ana' });
      const authenticated = { type: 'authenticated', sessionId: visit.session.id, userId: 'ana' };
      expect(last(app)).toMatchObject(authenticated);
      await app.http
        .post('/login')
        .set(bearer(answer.body.token as string))
        .send({ userId: 'ana' });
      expect(app.events.filter(({ type }) => type === 'authenticated')).toHaveLength(2);
    });

    it('when a token is renewed, and when it is rotated', async () => {
      const { app, clock, sessions } = await start({ timeouts: { idle: '10h', reason: 'a test' } });
      const { session, token } = await sessions.create({ userId: 'ana' });
      clock.advance('5h');
      await app.http.get('/me').set(bearer(token)).expect(200);
      const about = { at: new Date(clock.now()), sessionId: session.id, userId: 'ana' };
      expect(last(app)).toMatchObject({ type: 'renewed', ...about });
      await sessions.rotate(session.id);
      expect(last(app)).toMatchObject({ type: 'rotated', ...about });
    });

    it('when data or roles change, the roles without a single session', async () => {
      const { app, sessions } = await start();
      const { session } = await sessions.create({ userId: 'ana' });
      await sessions.update(session.id, () => ({ a: 1 }));
      expect(last(app)).toMatchObject({ type: 'updated', sessionId: session.id, userId: 'ana' });
      await sessions.setRoles('ana', ['admin']);
      expect(last(app)).toMatchObject({
        type: 'roles-changed',
        sessionId: null,
        userId: 'ana',
        roles: ['admin'],
        count: 1,
      });
    });

    it.each<[string, SessionModuleOptions, (app: TestApp, token: string, id: string) => Promise<unknown>]>([
      ['sign-out', {}, async ({ http }, token) => http.post('/logout').set(bearer(token)).expect(200)],
      ['revoked', {}, async ({ sessions }, _, id) => sessions.revoke(id)],
      ['revoked', {}, async ({ sessions }) => sessions.revokeAll('ana')],
      [
        'replaced',
        {},
        async ({ http }, token) => http.post('/login').set(bearer(token)).send({ userId: 'bo' }),
      ],
      ['limit', { maxSessionsPerUser: 1 }, async ({ sessions }) => sessions.create({ userId: 'ana' })],
    ])('when a session is revoked: %s', async (reason, options, revoke) => {
      const { app, sessions } = await start(options);
      const { session, token } = await sessions.create({ userId: 'ana' });
      await revoke(app, token, session.id);
      const revoked = app.events.filter(({ type }) => type === 'revoked');
      expect(revoked).toEqual([
        expect.objectContaining({
          reason,
          sessionIds: [session.id],
          sessionId: session.id,
          userId: 'ana',
          at: expect.any(Date),
        }),
      ]);
    });

    it('when several are revoked: once, with the ids of all', async () => {
      const { app, sessions } = await start();
      const [one, two] = [await sessions.create({ userId: 'ana' }), await sessions.create({ userId: 'ana' })];
      await sessions.revokeAll('ana');
      expect(app.events.filter(({ type }) => type === 'revoked')).toEqual([
        expect.objectContaining({
          sessionIds: expect.arrayContaining([one.session.id, two.session.id]),
          sessionId: null,
          userId: 'ana',
          client: null,
        }),
      ]);
    });

    it('when all are revoked: of nobody, with their number', async () => {
      const { app, sessions } = await start();
      await sessions.create({ userId: 'ana' });
      await sessions.create({ userId: 'bo' });
      await sessions.revokeEveryone();
      const everyone = { sessionIds: [], sessionId: null, userId: null, count: 2 };
      expect(last(app)).toMatchObject({ type: 'revoked', ...everyone });
    });

    it('when a token is refused as expired, with the refusal after it', async () => {
      const { app, clock, sessions } = await start();
      const { session, token } = await sessions.create({ userId: 'ana' });
      clock.advance('31m');
      await app.http.get('/me').set(bearer(token)).expect(401);
      const about = { sessionId: session.id, userId: 'ana', at: new Date(clock.now()) };
      expect(app.events.slice(-2)).toMatchObject([
        { type: 'expired', ...about },
        { type: 'refused', code: 'session_expired', ...about },
      ]);
    });

    it('when the purge removes rows, with their number, and not when there are none', async () => {
      const { app, clock, sessions } = await start({ purge: false });
      await sessions.create({ userId: 'ana' });
      clock.advance('91m'); // what has expired is purged at the end of that hour
      await sessions.purgeExpired();
      await sessions.purgeExpired();
      expect(app.events.filter(({ type }) => type === 'purged')).toEqual([
        expect.objectContaining({ count: 1, sessionId: null, userId: null, at: new Date(clock.now()) }),
      ]);
    });

    it('when a dead token is used, and the session ended', async () => {
      const { app, clock, sessions } = await start();
      const { session, token } = await sessions.create({ userId: 'ana' });
      await app.http.get('/me').set(bearer(token)).expect(200);
      const rotated = await sessions.rotate(session.id);
      await app.http.get('/me').set(bearer(rotated.token)).expect(200);
      clock.advance('31s');
      await app.http.get('/me').set(bearer(token)).expect(401);
      const about = { sessionId: session.id, userId: 'ana' };
      expect(app.events.slice(-3)).toMatchObject([
        { type: 'reuse-detected', ...about },
        { type: 'revoked', reason: 'reuse', ...about },
        { type: 'refused', code: 'session_invalid', ...about },
      ]);
    });

    it('when a request is refused, about the session if there is one', async () => {
      const { app, sessions } = await start();
      const { session, token } = await sessions.create({ userId: 'ana' });
      await app.http.get('/admin').set(bearer(token)).expect(403);
      expect(last(app)).toMatchObject({ type: 'refused', code: 'role_required', sessionId: session.id });
      await app.http.get('/me').expect(401);
      expect(last(app)).toMatchObject({
        type: 'refused',
        code: 'session_required',
        sessionId: null,
        userId: null,
      });
    });
  });

  it('nothing is told of what did not happen', async () => {
    const { app, clock, sessions } = await start();
    const { session, token } = await sessions.create({ userId: 'ana' });
    await sessions.revoke(session.id, { userId: 'bo' });
    await sessions.revokeAll('bo');
    await sessions.update(session.id, (data) => data);
    await sessions.get(session.id);
    await app.http.get('/me').set(bearer(token)).expect(200);
    clock.advance('31m');
    await sessions.revoke(session.id);
    await sessions.revokeAll('ana');
    expect(app.events.map(({ type }) => type)).toEqual(['created']);
  });

  it('no event holds a token, its secret or a hash', async () => {
    const { app, clock, sessions } = await start({ maxSessionsPerUser: 2 });
    const token = await signIn(app);
    const stepUp = await app.http
      .post('/login')
      .set(bearer(token))
      .send({ userId: 'ana', data: { a: 1 } });
    const { session } = await sessions.create({ userId: 'ana' });
    await sessions.rotate(session.id);
    clock.advance('5h');
    await app.http.get('/me').set(bearer(stepUp.body.token as string));
    await app.http.get('/me').set(bearer('garbage'));
    const told = JSON.stringify(app.events);
    expect(app.events.length).toBeGreaterThan(5);
    expect(told).not.toMatch(/sid_|[0-9a-f]{64}|[Hh]ash|successor/);
    for (const secret of [token, stepUp.body.token as string])
      expect(told).not.toContain(secret.slice(4, 40));
  });

  describe('a subscriber that throws', () => {
    it.each(THROWING)(
      '%s harms neither the request, nor other subscribers, nor the process',
      async (_, subscribe) => {
        const { app, sessions } = await start();
        const heard: string[] = [];
        subscribe(sessions.events);
        sessions.events.subscribe(({ type }) => heard.push(type));
        const token = await signIn(app);
        await app.http.get('/admin').set(bearer(token)).expect(403);
        await app.http.post('/logout').set(bearer(token)).expect(200);
        await wait(20); // an uncaught exception or rejection by then would fail this test
        expect(heard).toEqual(['created', 'refused', 'revoked']);
        expect(app.events.map(({ type }) => type)).toEqual(heard);
      },
    );

    it('is told in the log', async () => {
      const { app, sessions } = await start();
      sessions.events.subscribe(boom);
      await signIn(app);
      expect(app.logs.texts('error').join()).toContain(BOOM.message);
    });

    it('hears the next event all the same', async () => {
      const { app, sessions } = await start();
      let calls = 0;
      sessions.events.subscribe(() => {
        calls++;
        boom();
      });
      await signIn(app);
      await signIn(app);
      expect(calls).toBe(2);
    });
  });

  it('a subscriber that leaves hears nothing more, and one that is slow holds up nobody', async () => {
    const { app, sessions } = await start();
    let calls = 0;
    const subscription = sessions.events.subscribe(() => calls++);
    sessions.events.subscribe(async () => wait(60_000, undefined, { ref: false }));
    await signIn(app);
    subscription.unsubscribe();
    await signIn(app);
    expect(calls).toBe(1);
  });
});
