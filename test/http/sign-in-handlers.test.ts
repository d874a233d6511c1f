import { Controller, Get, HttpCode, Post, Req, Res, UnauthorizedException } from '@nestjs/common';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type SessionPrincipal, StartSession } from 'nestjs-sessions';
import { EMPTY, Observable, of, throwError } from 'rxjs';
import { type Platform, PLATFORMS } from '../support/platforms.js';
import { AccountController, bearer, cookiesIn, signIn } from '../support/sign-in.js';
import { countRows, sharedAppOn, type TestApp } from '../support/test-app.js';
import { Wrapped } from '../support/wrapped.decorator.js';

/** `json` of Express, `send` of Fastify. */
interface AnyResponse {
  json?: (body: unknown) => void;
  send: (body: unknown) => void;
  setHeader?: (name: string, value: string) => void;
  header: (name: string, value: string) => void;
}

const ANA = { userId: 'ana' };
const called = jest.fn();

function reply(response: AnyResponse, body: unknown): void {
  if (response.json) response.json(body);
  else response.send(body);
}

/** What sign-in handlers return when they do not compile with TypeScript. */
const mistaken: Record<string, unknown> = {
  'a string': 'ana',
  true: true,
  'a list': [ANA],
  'an empty object': {},
  'an empty userId': { userId: '' },
  'a number as userId': { userId: 5 },
  'an object as userId': { userId: { id: 'ana' } },
  'a userId of 256 characters': { userId: 'a'.repeat(256) },
  'roles that are a string': { ...ANA, roles: 'admin' },
  'roles with a number': { ...ANA, roles: [5] },
  'a level that does not exist': { ...ANA, level: 7 },
  'data that is no JSON': { ...ANA, data: { at: new Map() } },
  'data of 17 kB': { ...ANA, data: { text: 'x'.repeat(17_000) } },
  'a list of principals': [ANA, ANA],
  false: false,
  'an empty text': '',
  'a Date in data': { ...ANA, data: { at: new Date() } },
  'role for roles': { ...ANA, role: 'admin' },
};
const returned: Record<string, unknown> = { null: null, undefined, ...mistaken };

@Controller()
class BadController {
  @StartSession() @Post('returns') returns(@Req() request: { headers: Record<string, string> }) {
    return returned[String(request.headers['x-case'])] as SessionPrincipal;
  }
  @StartSession() @Post('returns-later') async returnsLater(
    @Req() request: { headers: Record<string, string> },
  ) {
    return Promise.resolve(returned[String(request.headers['x-case'])] as SessionPrincipal);
  }
  @StartSession() @Post('throws') throws(): SessionPrincipal {
    throw new UnauthorizedException('Wrong password.');
  }
  @StartSession() @Post('rejects') rejects(): Promise<SessionPrincipal> {
    return Promise.reject(new UnauthorizedException('Wrong password.'));
  }
  @StartSession() @Post('fails') fails(): Observable<SessionPrincipal> {
    return throwError(() => new UnauthorizedException('Wrong password.'));
  }
  @StartSession() @Post('breaks') breaks(): SessionPrincipal {
    throw new TypeError('of the application');
  }
  @StartSession() @Post('emits') emits() {
    return of(ANA);
  }
  @StartSession() @Post('emits-twice') emitsTwice() {
    return of(ANA, ANA);
  }
  @StartSession() @Post('emits-forever') emitsForever() {
    return new Observable<SessionPrincipal>((subscriber) => {
      const timer = setInterval(() => subscriber.next(ANA), 1);
      return () => clearInterval(timer);
    });
  }
  @StartSession() @Post('emits-nothing') emitsNothing(): Observable<SessionPrincipal> {
    return EMPTY;
  }
  @StartSession({ transport: 'cookie' }) @Post('answers') answers(@Res() response: AnyResponse) {
    called();
    reply(response, { mine: true });
    return ANA;
  }
  @StartSession() @Wrapped() @Post('answers-wrapped') answersWrapped(@Res() response: AnyResponse) {
    called();
    reply(response, { mine: true });
    return ANA;
  }
  @StartSession() @Wrapped() @Post('answers-later-wrapped') answersLaterWrapped(
    @Res() response: AnyResponse,
  ) {
    setTimeout(() => reply(response, { mine: true }), 20);
    return ANA;
  }
  @StartSession() @Post('passes') passes(@Res({ passthrough: true }) response: AnyResponse) {
    return typeof response.send === 'function' ? ANA : null;
  }
  @StartSession() @HttpCode(303) @Post('redirects') redirects(
    @Res({ passthrough: true }) response: AnyResponse,
  ) {
    response.header('Location', '/orders');
    return ANA;
  }
  @StartSession() @Post('sends-anyhow') sendsAnyhow(@Res({ passthrough: true }) response: AnyResponse) {
    reply(response, { mine: true });
    return ANA;
  }
  @StartSession() @Get('callback') callback() {
    return ANA;
  }
}

const controllers = [AccountController, BadController];

async function expectNoSession(app: TestApp): Promise<void> {
  expect(await countRows(app)).toBe(0);
  expect(app.events.filter(({ type }) => type === 'created')).toEqual([]);
}

describe.each(PLATFORMS)('on %s a @StartSession() handler', (platform: Platform) => {
  const start = sharedAppOn(platform, { controllers });
  beforeEach(() => {
    called.mockClear();
  });

  describe.each(['/returns', '/returns-later'])('(%s)', (path) => {
    it.each(Object.keys(mistaken))('that returns %s is mistaken and makes no session: 500', async (name) => {
      const app = start();
      const answer = await app.http.post(path).set('X-Case', name);
      expect([answer.status, answer.headers['www-authenticate']]).toEqual([500, undefined]);
      expect(answer.body).toEqual({ statusCode: 500, message: 'Internal Server Error' });
      expect(cookiesIn(answer)).toEqual([]);
      const [line] = app.logs.texts('error');
      expect(line).toMatch(/The @StartSession\(\) handler BadController\.returns.* returned no principal: /);
      await expectNoSession(app);
      expect(app.events).toEqual([]);
    });

    it.each(['null', 'undefined'])('that returns %s makes no session: 401', async (name) => {
      const app = start();
      const answer = await app.http.post(path).set('X-Case', name);
      expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, 'Bearer']);
      expect(answer.body).toEqual({
        statusCode: 401,
        message: 'Sign-in failed.',
        error: 'Unauthorized',
        code: 'sign_in_failed',
      });
      expect(cookiesIn(answer)).toEqual([]);
      await expectNoSession(app);
    });
  });

  it('that returns no principal is told to the developer, and to nobody else', async () => {
    const app = start();
    const answer = await app.http.post('/returns').set('X-Case', 'a number as userId');
    expect(answer.text).not.toContain('userId');
    expect(app.logs.texts('error').join()).toMatch(/BadController\.returns .*`principal\.userId` is 5/);
  });

  it('that returns null, the usual way to say that credentials are wrong, is no error in the log', async () => {
    const app = start();
    await app.http.post('/returns').set('X-Case', 'null').expect(401);
    expect(app.logs.texts('error')).toEqual([]);
  });

  it.each(['/throws', '/rejects', '/fails'])('whose exception is its own answer: %s', async (path) => {
    const app = start();
    const answer = await app.http.post(path);
    expect([answer.status, answer.body.message]).toEqual([401, 'Wrong password.']);
    await expectNoSession(app);
  });

  it('that breaks makes no session', async () => {
    const app = start();
    await app.http.post('/breaks').expect(500);
    await expectNoSession(app);
  });

  it('that emits one principal signs in', async () => {
    const app = start();
    await app.http.post('/emits').expect(201);
    expect(await countRows(app)).toBe(1);
  });

  it.each(['/emits-twice', '/emits-forever'])(
    'that emits more than one makes no session, and the log says so: %s',
    async (path) => {
      const app = start();
      await app.http.post(path).expect(500);
      await expectNoSession(app);
      expect(app.logs.texts('error').join()).toContain('emitted more than one value');
    },
  );

  it('that emits nothing makes no session', async () => {
    const app = start();
    await app.http.post('/emits-nothing').expect(401);
    await expectNoSession(app);
  });

  it('that takes the answer over with @Res() is not even called, and the log says what to write', async () => {
    const app = start();
    const answer = await app.http.post('/answers');
    expect([answer.status, answer.body.message]).toEqual([500, 'Internal Server Error']);
    expect(called).not.toHaveBeenCalled();
    expect(app.logs.texts('error').join()).toMatch(/@Res\({ passthrough: true }\).*To redirect, write/);
    await expectNoSession(app);
  });

  it.each(['/answers-wrapped', '/answers-later-wrapped'])(
    'that does so under a decorator which replaces it makes no session either: %s',
    async (path) => {
      const app = start();
      await app.http.post(path);
      await expectNoSession(app);
    },
  );

  it('that sends the answer in spite of passthrough makes no session', async () => {
    const app = start();
    await app.http.post('/sends-anyhow');
    await expectNoSession(app);
    expect(app.logs.texts('error').join()).toMatch(/has sent the answer itself.*To redirect, write/);
  });

  it('with @Res({ passthrough: true }) signs in', async () => {
    const app = start();
    const answer = await app.http.post('/passes').expect(201);
    await app.http.get('/me').set(bearer(answer.body.token)).expect(200);
  });

  it('redirects by status and Location, with the session', async () => {
    const app = start();
    const answer = await app.http.post('/redirects').expect(303).expect('Location', '/orders');
    await app.http.get('/me').set(bearer(answer.body.token)).expect(200);
  });

  it('that fails leaves the session alone that the request has', async () => {
    const app = start();
    const token = await signIn(app);
    for (const path of ['/throws', '/breaks', '/emits-twice', '/emits-nothing', '/answers']) {
      await app.http.post(path).set(bearer(token));
    }
    await app.http.post('/returns').set(bearer(token)).set('X-Case', 'an empty object').expect(500);
    const nobody = await app.http.post('/returns').set(bearer(token)).set('X-Case', 'null');
    expect([nobody.status, nobody.body.code]).toEqual([401, 'sign_in_failed']);
    const me = await app.http.get('/me').set(bearer(token)).expect(200);
    expect(me.body.userId).toBe('ana');
    expect(app.events.map(({ type }) => type)).not.toContain('authenticated');
  });

  it('may stand on GET, for the callbacks of identity providers', async () => {
    const app = start();
    const answer = await app.http.get('/callback').expect(200);
    expect(answer.body.token).toMatch(/^sid_/);
    expect(answer.headers['cache-control']).toBe('no-store');
  });
});
