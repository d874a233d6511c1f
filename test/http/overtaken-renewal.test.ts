import { Controller, Get, Param, Res } from '@nestjs/common';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { CurrentSession, SessionCookie, SessionService } from 'nestjs-sessions';
import { signInAs, TestClock } from 'nestjs-sessions/testing';
import { TokenChanges } from '../../src/http/token-changes.js';
import { TOKEN_CHANGE_MEMORY } from '../../src/core/outage/time-budgets.js';
import { PLATFORMS } from '../support/platforms.js';
import { AccountController, cookiesIn } from '../support/sign-in.js';
import { appsOn, type TestApp } from '../support/test-app.js';

let arrived: Promise<void>;
let tellOfArrival: () => void;
let answered: Promise<void>;
let letAnswer: () => void;

@Controller()
class SlowController {
  constructor(
    private readonly sessions: SessionService,
    private readonly cookie: SessionCookie,
  ) {}

  /** Answers when the test says so. */
  @Get('slow') async slow(): Promise<string> {
    tellOfArrival();
    await answered;
    return 'slow';
  }

  @Get('rotate/:way') async rotate(
    @CurrentSession('id') id: string,
    @Param('way') way: string,
    @Res({ passthrough: true }) response: never,
  ): Promise<object> {
    const { token } = await this.sessions.rotate(id);
    if (way === 'bearer') return { token };
    this.cookie.set(response, token);
    return {};
  }

  @Get('swap') async swap(@Res({ passthrough: true }) response: never): Promise<object> {
    const { session, token } = await this.sessions.create({ userId: 'bob' });
    this.cookie.set(response, token);
    return { userId: session.userId };
  }
}

interface Answer {
  readonly body: { readonly token?: string };
  readonly headers: Record<string, unknown>;
}

/** All tokens that an answer brings, one way or another. */
function tokensIn(answer: Answer): string[] {
  const { body, headers } = answer;
  const found = [body.token, headers['session-token'], ...cookiesIn(answer)].join(' ');
  return [...found.matchAll(/sid_[\w-]{70}/g)].map(([token]) => token);
}

describe.each(PLATFORMS)('on %s', (platform) => {
  const startApp = appsOn(platform);

  beforeEach(() => {
    arrived = new Promise((resolve) => (tellOfArrival = resolve));
    answered = new Promise((resolve) => (letAnswer = resolve));
  });

  describe.each(['bearer', 'cookie'] as const)('a renewal by %s', (transport) => {
    /** A session whose token is due. */
    async function start() {
      const clock = new TestClock();
      const timeouts = { idle: '10d', absolute: '30d', renewal: '4h', reason: 'a test' } as const;
      const controllers = [AccountController, SlowController];
      const app = await startApp({ controllers, options: { clock: clock.now, timeouts } });
      const signedIn = await signInAs(app.app, { userId: 'ana' });
      await app.http.get('/me').set(signedIn[transport]).expect(200);
      clock.advance('4h');
      return {
        app,
        clock,
        id: signedIn.session.id,
        shown: { ...signedIn[transport] } as Record<string, string>,
      };
    }
    const get = ({ http }: TestApp, token: string) =>
      http
        .get('/me')
        .set(transport === 'bearer' ? { authorization: `Bearer ${token}` } : { cookie: `sid=${token}` });

    const OVERTAKING: Record<
      string,
      (app: TestApp, id: string, shown: Record<string, string>) => Promise<unknown>
    > = {
      'a step-up': ({ http }, _, shown) => http.post('/login').set(shown).send({ userId: 'ana' }).expect(201),
      'a sign-in of another user': ({ http }, _, shown) =>
        http.post('/login').set(shown).send({ userId: 'bob' }).expect(201),
      'a sign-out': ({ http }, _, shown) => http.post('/logout').set(shown).expect(200),
      'rotate by hand': ({ sessions }, id) => sessions.rotate(id),
      'authenticate by hand': ({ sessions }, id) => sessions.authenticate(id, { userId: 'ana' }),
      'revoke by hand': ({ sessions }, id) => sessions.revoke(id),
      'the end of all sessions of the user': ({ sessions }) => sessions.revokeAll('ana'),
      'the end of all sessions': ({ sessions }) => sessions.revokeEveryone(),
    };

    it.each(Object.keys(OVERTAKING))('that waits for its answer is dropped after %s', async (what) => {
      const { app, id, shown } = await start();
      const slow = app.http
        .get('/slow')
        .set(shown)
        .then((answer) => answer);
      await arrived;
      await OVERTAKING[what]!(app, id, shown);
      letAnswer();
      const answer = await slow;
      expect(answer.text).toBe('slow');
      expect(tokensIn(answer)).toEqual([]);
    });

    it('leaves the token of a step-up in another tab where it is', async () => {
      const { app, shown } = await start();
      const slow = app.http
        .get('/slow')
        .set(shown)
        .then((answer) => answer);
      await arrived;
      const stepUp = await app.http.post('/login').set(shown).send({ userId: 'ana' }).expect(201);
      letAnswer();
      const jar = [...tokensIn(stepUp), ...tokensIn(await slow)];
      await get(app, String(jar.at(-1))).expect(200);
    });

    it.each<[string, (app: TestApp) => Promise<unknown>]>([
      [
        'what happens to other sessions',
        async ({ http, sessions }) => {
          const { session } = await sessions.create({ userId: 'bob' });
          await sessions.rotate(session.id);
          await sessions.revokeAll('bob');
          await http.post('/login').send({ userId: 'ana' }).expect(201);
        },
      ],
      ['a change of roles', ({ sessions }) => sessions.setRoles('ana', ['admin'])],
    ])('that waits is not dropped for %s', async (_, happen) => {
      const { app, shown } = await start();
      const slow = app.http
        .get('/slow')
        .set(shown)
        .then((answer) => answer);
      await arrived;
      await happen(app);
      letAnswer();
      const [renewed] = tokensIn(await slow);
      await get(app, String(renewed)).expect(200);
    });

    it('is not dropped for what came before its request', async () => {
      const { app, clock, id } = await start();
      const { token } = await app.sessions.rotate(id);
      await get(app, token).expect(200);
      clock.advance('4h');
      const [renewed, ...others] = tokensIn(await get(app, token).expect(200));
      expect(others).toEqual([]);
      await get(app, String(renewed)).expect(200);
    });

    it('gives way to the token that its own handler makes', async () => {
      const { app, shown } = await start();
      const answer = await app.http.get(`/rotate/${transport}`).set(shown).expect(200);
      const [token, ...others] = tokensIn(answer);
      expect(others).toEqual([]);
      await get(app, String(token)).expect(200);
    });
  });

  it('a renewal by cookie gives way to the cookie of another session that its handler sets', async () => {
    const clock = new TestClock();
    const timeouts = { idle: '10d', absolute: '30d', renewal: '4h', reason: 'a test' } as const;
    const controllers = [AccountController, SlowController];
    const app = await startApp({ controllers, options: { clock: clock.now, timeouts } });
    const { cookie } = await signInAs(app.app, { userId: 'ana' });
    await app.http.get('/me').set(cookie).expect(200);
    clock.advance('4h');
    const [token, ...others] = tokensIn(await app.http.get('/swap').set(cookie).expect(200));
    expect(others).toEqual([]);
    expect((await app.http.get('/me').set('Cookie', `sid=${token}`).expect(200)).body.userId).toBe('bob');
  });

  it('remembers a change as long as a renewal may wait, and forgets it then', async () => {
    const { app, sessions } = await startApp({ controllers: [AccountController] });
    const changes = app.get(TokenChanges);
    const [first, second] = [
      await sessions.create({ userId: 'ana' }),
      await sessions.create({ userId: 'bob' }),
    ];
    const seen = changes.latest;
    await sessions.rotate(first.session.id);
    const now = Date.now();
    jest.spyOn(Date, 'now').mockImplementation(() => now + TOKEN_CHANGE_MEMORY - 10_000);
    await sessions.rotate(second.session.id);
    expect(changes.hasChangedSince(first.session.id, seen)).toBe(true);
    jest.spyOn(Date, 'now').mockImplementation(() => now + TOKEN_CHANGE_MEMORY + 1_000);
    await sessions.rotate(second.session.id);
    jest.restoreAllMocks();
    expect(changes.hasChangedSince(first.session.id, seen)).toBe(false);
    expect(changes.hasChangedSince(second.session.id, seen)).toBe(true);
  });
});
