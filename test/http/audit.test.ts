import { describe, expect, it, jest } from '@jest/globals';
import { ConsoleLogger } from '@nestjs/common';
import type { AuditEntry, SessionModuleOptions } from 'nestjs-sessions';
import { TestClock } from 'nestjs-sessions/testing';
import { inspect } from 'node:util';
import { TokenFormat } from '../../src/core/token/token.js';
import { PLATFORMS } from '../support/platforms.js';
import { AccountController, bearer, signIn, signInByCookie } from '../support/sign-in.js';
import { appsOn, type TestApp } from '../support/test-app.js';

const controllers = [AccountController];

describe.each(PLATFORMS)('the audit trail on %s', (platform) => {
  const startApp = appsOn(platform);
  const clock = new TestClock();
  const start = (options: SessionModuleOptions = {}) =>
    startApp({ controllers, options: { clock: clock.now, ...options } });
  const told = ({ logs }: TestApp) => logs.audit.map(({ level, entry }) => `${level} ${entry.event}`);

  it('goes to the logger of Nest, as objects, at the level that they deserve', async () => {
    const app = await start();
    const token = await signIn(app, { userId: 'ana', roles: ['customer'] });
    await app.http.get('/admin').set(bearer(token)).expect(403);
    await app.http.post('/logout').set(bearer(token)).expect(200);
    await app.http.get('/me').set(bearer(token)).expect(401);
    expect(told(app)).toEqual(['log created', 'warn refused', 'log revoked', 'verbose refused']);
    expect(app.logs.audit[2]).toEqual({
      level: 'log',
      entry: {
        event: 'revoked',
        at: new Date(clock.now()).toISOString(),
        vocabulary: 'authn_token_revoked',
        reason: 'sign-out',
        sessionIds: [expect.stringMatching(/^[0-9a-f-]{36}$/)],
        sessionId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        userId: 'ana',
        client: { ip: '127.0.0.1', userAgent: null, label: null },
      },
    });
  });

  it('is one line an entry on a console, and an object for whoever keeps objects', async () => {
    const lines: string[] = [];
    const told = (text: unknown) => lines.push(String(text)) > 0;
    const stdout = jest.spyOn(process.stdout, 'write').mockImplementation(told);
    const app = await startApp({
      controllers,
      logger: new ConsoleLogger({ colors: false, timestamp: false }),
    });
    await app.http
      .post('/login')
      .set('User-Agent', 'a "phone"')
      .send({ userId: 'ana', roles: ['a', 'b'] });
    await app.http
      .get('/admin')
      .set(bearer(await signIn(app)))
      .expect(403);
    stdout.mockRestore();
    const [created, , refused] = lines.filter((line) => line.includes('[SessionAudit]'));
    expect(created).toMatch(
      /\[SessionAudit\] created sessionId=[\w-]+ userId=ana client\.ip=127\.0\.0\.1 client\.userAgent="a \\"phone\\""\n$/,
    );
    expect(refused).toMatch(/refused code=role_required .*userId=ana.*\n$/);
    for (const line of [created, refused]) expect(line?.trim().split('\n')).toHaveLength(1);
  });

  it('has nothing that loggers put into each line themselves, but for a function', async () => {
    // Of pino, of winston, and of Nest's own.
    const taken = ['level', 'message', 'msg', 'time', 'timestamp', 'context', 'pid', 'hostname', 'stack'];
    const app = await start();
    await signIn(app);
    const logged = app.logs.audit.flatMap(({ entry }) => Object.keys(entry));
    expect(logged).toContain('event');
    expect(taken.filter((name) => logged.includes(name))).toEqual([]);
    const entries: AuditEntry[] = [];
    await signIn(await start({ audit: (entry) => void entries.push(entry) }));
    expect(entries).toMatchObject([{ event: 'created', level: 'log' }]);
  });

  it('is one entry, on one line, for sessions that end together', async () => {
    const entries: AuditEntry[] = [];
    const app = await start({ audit: (entry) => void entries.push(entry) });
    for (let count = 0; count < 3; count++) await signIn(app);
    const ids = (await app.sessions.list('ana')).map(({ id }) => id);
    await app.sessions.revoke(ids[0] ?? '');
    await app.sessions.revokeAll('ana');
    const [one, two] = entries.slice(-2) as [AuditEntry, AuditEntry];
    expect(one).toMatchObject({
      sessionIds: ids.slice(0, 1),
      sessionId: ids[0],
      client: { ip: '127.0.0.1' },
    });
    expect(two).toMatchObject({ sessionId: null, userId: 'ana', client: null });
    expect(two).toHaveProperty('sessionIds', expect.arrayContaining(ids.slice(1)));
    expect(inspect(one)).toBe(`revoked reason=revoked sessionId=${ids[0]} userId=ana client.ip=127.0.0.1`);
    const line = /^revoked reason=revoked sessionIds="([\w-]+),([\w-]+)" userId=ana$/;
    expect(line.exec(inspect(two))?.slice(1).toSorted()).toEqual(ids.slice(1).toSorted());
  });

  it('shows the line to those who inspect an entry, and to no one else', async () => {
    const entries: AuditEntry[] = [];
    const app = await start({ audit: (entry) => void entries.push(entry) });
    await signIn(app);
    const [entry] = entries as [AuditEntry];
    expect(inspect(entry)).toMatch(/^created sessionId=/);
    expect(inspect({ entry })).toContain('created sessionId=');
    expect(Reflect.ownKeys({ ...entry }).every((key) => typeof key === 'string')).toBe(true);
    expect(structuredClone({ ...entry })).toEqual(JSON.parse(JSON.stringify(entry)));
    expect(Object.keys(entry)).toEqual(
      expect.arrayContaining(['event', 'at', 'level', 'vocabulary', 'userId']),
    );
  });

  it('has an entry for every event of a session, each as JSON', async () => {
    const entries: AuditEntry[] = [];
    const app = await start({
      maxSessionsPerUser: 2,
      guessing: { attempts: 2 },
      grace: 0,
      audit: (entry) => {
        entries.push(entry);
      },
    });
    const { sessions, http } = app;
    const first = await signIn(app, { userId: 'ana', roles: ['customer'] });
    const cookie = await signInByCookie(app, { userId: 'ana' });
    await http.post('/act').set('Cookie', cookie).set('Sec-Fetch-Site', 'cross-site').expect(403);
    await http.get('/me').set(bearer(first)).expect(200);
    const [newest] = await sessions.list('ana');
    await sessions.setRoles('ana', ['admin']);
    clock.advance(1);
    const renewed = (await http.get('/me').set(bearer(first))).headers['session-token'] as string;
    await http.get('/me').set(bearer(renewed)).expect(200);
    clock.advance(1);
    await http.get('/me').set(bearer(first)).expect(401);
    await sessions.update(newest?.id ?? '', (data) => ({ ...data, seen: true }));
    await sessions.rotate(newest?.id ?? '');
    await sessions.authenticate(newest?.id ?? '', { userId: 'ana' });
    await signIn(app);
    await signIn(app);
    for (let shown = 0; shown < 2; shown++) {
      await http.get('/me').set(bearer(new TokenFormat().mint().text)).expect(401);
    }
    const { token } = await sessions.create({ userId: 'ben' });
    clock.advance(40 * 24 * 60 * 60_000);
    await http.get('/me').set(bearer(token)).expect(401);
    await sessions.purgeExpired();
    expect(JSON.parse(JSON.stringify(entries))).toEqual(entries);
    expect(new Set(entries.map(({ event }) => event))).toEqual(
      new Set([
        'created',
        'refused',
        'roles-changed',
        'renewed',
        'reuse-detected',
        'revoked',
        'updated',
        'rotated',
        'authenticated',
        'guessing-suspected',
        'expired',
        'purged',
      ]),
    );
    expect(entries.flatMap((entry) => (entry.event === 'revoked' ? [entry.reason] : []))).toEqual([
      'reuse',
      'limit',
    ]);
  });

  it('tells of the limit, of whom and from where', async () => {
    const app = await start({ maxSessionsPerUser: 1, onSessionLimit: 'reject' });
    await signIn(app);
    await app.http.post('/login').set('User-Agent', 'phone').send({ userId: 'ana' }).expect(409);
    expect(app.logs.audit.at(-1)?.entry).toMatchObject({
      event: 'refused',
      code: 'session_limit',
      requester: { ip: '127.0.0.1', userAgent: 'phone' },
    });
  });

  it('lets no user agent forge a line', async () => {
    const app = await start();
    const forged = 'phone\t{"event":"revoked"}';
    await app.http.get('/me').set('User-Agent', forged).expect(401);
    const [refusal] = app.logs.audit;
    expect(refusal?.entry).toMatchObject({ requester: { userAgent: 'phone {"event":"revoked"}' } });
  });

  it('with `audit: false` is not kept', async () => {
    const app = await start({ audit: false });
    await signIn(app);
    expect(app.logs.audit).toEqual([]);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('disk full');
      },
    ],
    ['rejects', async () => Promise.reject(new Error('disk full'))],
  ])('goes on, and says so, when the sink %s', async (_, audit) => {
    const app = await start({ audit });
    await app.http
      .get('/me')
      .set(bearer(await signIn(app)))
      .expect(200);
    expect(app.logs.texts('error').join()).toContain('disk full');
  });
});
