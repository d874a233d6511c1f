import {
  Body,
  Controller,
  ForbiddenException,
  HttpException,
  Post,
  UnauthorizedException,
} from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import {
  SessionInvalidException,
  type SessionModuleOptions,
  type SessionPrincipal,
  SignInFailedException,
  StartSession,
} from 'nestjs-sessions';
import { PLATFORMS } from '../support/platforms.js';
import { bearer, signIn } from '../support/sign-in.js';
import { AccountController } from '../support/sign-in.js';
import { appsOn, breakStore, type TestApp } from '../support/test-app.js';

interface Credentials {
  username?: unknown;
  /** What the handler does. */
  outcome: keyof typeof OUTCOMES;
}

const OUTCOMES = {
  null: () => null,
  undefined: () => undefined,
  'our 401': () => raise(new SignInFailedException()),
  '401': () => raise(new UnauthorizedException('Wrong password.')),
  '403': () => raise(new ForbiddenException('Blocked.')),
  'a 401 by its number': () => raise(new HttpException('Wrong.', 401)),
  '400': () => raise(new HttpException('Bad.', 400)),
  '409': () => raise(new HttpException('Conflict.', 409)),
  '429': () => raise(new HttpException('Slowly.', 429)),
  '503': () => raise(new HttpException('Away.', 503)),
  'an error': () => raise(new TypeError('of the application')),
  'a session that is gone': () => raise(new SessionInvalidException()),
  'a mistake': () => ({ userId: 7 }) as never,
  ana: () => ({ userId: 'ana' }),
  'ana, with too much data': () => ({ userId: 'ana', data: { more: 'x'.repeat(9_000) } }),
} satisfies Record<string, () => SessionPrincipal | null | undefined>;

const FAILURES = ['null', 'undefined', 'our 401', '401', '403', 'a 401 by its number'] as const;
const OTHERS = [
  '400',
  '409',
  '429',
  '503',
  'an error',
  'a session that is gone',
  'a mistake',
  'ana',
] as const;

function raise(error: Error): never {
  throw error;
}

const asked: unknown[] = [];

@Controller()
class NamingController {
  @StartSession({
    name: ({ body }: { body: Credentials }) => {
      asked.push(body.username);
      return body.username as string;
    },
  })
  @Post('sign-in')
  signIn(@Body() { outcome }: Credentials): SessionPrincipal | null | undefined {
    return OUTCOMES[outcome]();
  }

  @StartSession() @Post('nameless') nameless(): SessionPrincipal | null {
    return null;
  }

  @StartSession({
    name: () => {
      throw new TypeError('body is undefined');
    },
  })
  @Post('clumsy')
  clumsy(): SessionPrincipal | null {
    return null;
  }
}

describe.each(PLATFORMS)('on %s a sign-in that fails', (platform) => {
  const startApp = appsOn(platform);
  const start = async (options: SessionModuleOptions = {}): Promise<TestApp> => {
    asked.length = 0;
    return startApp({ controllers: [AccountController, NamingController], options });
  };
  const failuresOf = ({ events }: TestApp) => events.filter(({ type }) => type === 'sign-in-failed');

  it.each(FAILURES)('is told once, with the name and the address: %s', async (outcome) => {
    const app = await start();
    await app.http.post('/sign-in').set('User-Agent', 'phone').send({ username: 'ana', outcome });
    expect(app.events).toEqual([
      {
        type: 'sign-in-failed',
        at: expect.any(Date),
        origin: 'own',
        name: 'ana',
        requester: { ip: '127.0.0.1', userAgent: 'phone' },
        sessionId: null,
        userId: null,
        client: null,
      },
    ]);
    expect(app.logs.audit).toMatchObject([
      {
        level: 'verbose',
        entry: { event: 'sign-in-failed', vocabulary: 'authn_login_fail', name: 'ana' },
      },
    ]);
  });

  it.each(OTHERS)('is another thing than %s', async (outcome) => {
    const app = await start();
    await app.http.post('/sign-in').send({ username: 'ana', outcome });
    expect(failuresOf(app)).toEqual([]);
    expect(asked).toEqual([]);
  });

  it('is another thing than a limit or a store that is away', async () => {
    const app = await start({ maxSessionsPerUser: 1, onSessionLimit: 'reject' });
    await app.http.post('/sign-in').send({ outcome: 'ana' }).expect(201);
    await app.http.post('/sign-in').send({ outcome: 'ana' }).expect(409);
    const mend = breakStore(app);
    await app.http.post('/sign-in').send({ outcome: 'ana' }).expect(503);
    mend();
    expect(failuresOf(app)).toEqual([]);
    expect(asked).toEqual([]);
  });

  it('answers alike at a step-up, whose session goes on, and is told with that session', async () => {
    const app = await start();
    const { session, token } = await app.sessions.create({ userId: 'ana' });
    const failed = [await app.http.post('/sign-in').send({ outcome: 'null' })];
    failed.push(await app.http.post('/sign-in').set(bearer(token)).send({ outcome: 'null' }));
    failed.push(await app.http.post('/sign-in').set(bearer(token)).send({ outcome: 'our 401' }));
    for (const { status, headers, body } of failed) {
      expect([status, headers['www-authenticate'], body]).toEqual([
        401,
        'Bearer',
        { statusCode: 401, message: 'Sign-in failed.', error: 'Unauthorized', code: 'sign_in_failed' },
      ]);
    }
    expect(failuresOf(app).map(({ sessionId, userId }) => [sessionId, userId])).toEqual([
      [null, null],
      [session.id, 'ana'],
      [session.id, 'ana'],
    ]);
    await app.http.get('/me').set(bearer(token)).expect(200);
  });

  it.each([
    ['too long', 'a'.repeat(200), 'a'.repeat(100)],
    ['forged', 'ana\r\n{"event":"created"}\u202e', 'ana  {"event":"created"} '],
    ['no text', { $ne: null }, null],
    ['a number', 7, null],
    ['missing', undefined, null],
    ['empty', '', null],
  ])('cleans a name that is %s', async (_, username, name) => {
    const app = await start();
    await app.http.post('/sign-in').send({ username, outcome: 'null' }).expect(401);
    expect(failuresOf(app)).toMatchObject([{ name }]);
  });

  it.each(['/nameless', '/clumsy'])('needs no name: %s', async (path) => {
    const app = await start();
    await app.http.post(path).expect(401);
    expect(failuresOf(app)).toMatchObject([{ name: null, requester: { ip: '127.0.0.1' } }]);
  });

  it('tells neither name nor address with `recordClient: false`', async () => {
    const app = await start({ recordClient: false });
    await app.http.post('/sign-in').send({ username: 'ana', outcome: 'null' }).expect(401);
    expect(failuresOf(app)).toMatchObject([{ name: null, requester: { ip: null, userAgent: null } }]);
    expect(asked).toEqual([]);
  });

  it('is no matter of data that grow too large: that is the developer’s', async () => {
    const app = await start({ maxDataBytes: 10_000 });
    const { token } = await app.sessions.create({ userId: 'ana', data: { some: 'x'.repeat(9_000) } });
    await app.http
      .post('/sign-in')
      .set(bearer(token))
      .send({ outcome: 'ana, with too much data' })
      .expect(500);
    expect(app.logs.texts('error').join()).toContain('maxDataBytes');
    expect(failuresOf(app)).toEqual([]);
    await app.http.get('/me').set(bearer(token)).expect(200);
  });

  it('is no matter of roles that the option does not name: they are told as a warning', async () => {
    const app = await start({ roles: { admin: [] } });
    const principal = { userId: 'ana', roles: ['admin', 'adnim'] } as never;
    const token = await signIn(app, principal);
    await signIn(app, principal);
    await app.http.get('/admin').set(bearer(token)).expect(200);
    const warnings = app.logs.texts('warn').filter((text) => text.includes('`roles` does not name'));
    expect(warnings).toEqual([expect.stringContaining('["adnim"]')]);
    await app.sessions.setRoles('ana', ['ghost'] as never);
    expect(app.logs.texts('warn').join()).toContain('["ghost"]');
  });
});
