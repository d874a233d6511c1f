import { Body, ClassSerializerInterceptor, Controller, Post } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { Exclude } from 'class-transformer';
import { describe, expect, it } from '@jest/globals';
import { type SessionPrincipal, StartSession } from 'nestjs-sessions';
import { PLATFORMS } from '../support/platforms.js';
import { AccountController, bearer, cookieIn } from '../support/sign-in.js';
import { appsOn, countRows } from '../support/test-app.js';

class User {
  readonly name = 'Ana';
  @Exclude() readonly passwordHash = 'argon2';
}

interface Verified extends SessionPrincipal {
  readonly user: User;
}

const asked: unknown[] = [];

@Controller()
class AnsweringController {
  @StartSession({ answer: ({ user }: Verified) => ({ user }) })
  @Post('sign-in')
  async signIn(@Body() { userId }: SessionPrincipal): Promise<Verified | null> {
    return userId ? { userId, data: { secretly: 'kept' }, user: new User() } : null;
  }

  @StartSession({ transport: 'cookie', answer: ({ user }: Verified) => ({ user: user.name }) })
  @Post('web/sign-in')
  signInOnTheWeb(): Verified {
    return { userId: 'ana', user: new User() };
  }

  @StartSession({
    answer: (...given: unknown[]) => {
      asked.push(...given);
      return {};
    },
  })
  @Post('spied')
  spied() {
    return { userId: 'ana' };
  }
}

/** Options that TypeScript may not allow. */
const WRONG: [what: string, answer: () => unknown, says: RegExp][] = [
  ['throws', () => JSON.parse('{'), /has an `answer` that throws: SyntaxError/],
  ['returns nothing', () => undefined, /`answer` that returns no object of its own/],
  ['returns text', () => 'Ana', /no object/],
  ['returns a list', () => [], /no object/],
  ['has to be waited for', async () => ({ user: 'Ana' }), /let the handler wait/],
  ['has a token', () => ({ token: 'csrf' }), /leave out `token`/],
  ['has a session', () => ({ session: {} }), /leave out `token`/],
];

const controllers = [AccountController, AnsweringController];

describe.each(PLATFORMS)('the answer of a sign-in on %s', (platform) => {
  const start = appsOn(platform);

  it('by bearer has the user beside the token and the session, and no data', async () => {
    const app = await start({
      controllers,
      configure: (nest) => nest.useGlobalInterceptors(new ClassSerializerInterceptor(nest.get(Reflector))),
    });
    const answer = await app.http.post('/sign-in').send({ userId: 'ana' }).expect(201);
    expect(Object.keys(answer.body as object)).toEqual(['token', 'expiresAt', 'session', 'user']);
    expect(answer.body.user).toEqual({ name: 'Ana' });
    expect(answer.text).not.toMatch(/secretly|argon2/);
    await app.http
      .get('/me')
      .set(bearer(answer.body.token as string))
      .expect(200);
  });

  it('by cookie has it beside the session, and no token', async () => {
    const app = await start({ controllers });
    const answer = await app.http.post('/web/sign-in').expect(201);
    expect(Object.keys(answer.body as object)).toEqual(['session', 'user']);
    expect(answer.body.user).toBe('Ana');
    expect(answer.text).not.toContain('sid_');
    await app.http.get('/me').set('Cookie', cookieIn(answer)).expect(200);
  });

  it('at a step-up by cookie has no token either', async () => {
    const app = await start({ controllers });
    const cookie = cookieIn(await app.http.post('/web/sign-in').expect(201));
    const answer = await app.http.post('/sign-in').set('Cookie', cookie).send({ userId: 'ana' }).expect(201);
    expect(Object.keys(answer.body as object)).toEqual(['session', 'user']);
    expect(answer.text).not.toContain('sid_');
  });

  it('is made of what the handler has returned, and of nothing else', async () => {
    const app = await start({ controllers });
    asked.length = 0;
    await app.http.post('/spied').expect(201);
    expect(asked).toEqual([{ userId: 'ana' }]);
  });

  it('to wrong credentials has no user', async () => {
    const app = await start({ controllers });
    const answer = await app.http.post('/sign-in').send({}).expect(401);
    expect(answer.body).toMatchObject({ code: 'sign_in_failed' });
    expect(answer.body.user).toBeUndefined();
  });

  it.each(WRONG)(
    'that %s is a 500 and a line in the log, and no session is made',
    async (_, answer, says) => {
      @Controller()
      class WrongController {
        @StartSession({ answer: answer as () => object }) @Post('wrong') wrong() {
          return { userId: 'ana' };
        }
      }
      const app = await start({ controllers: [WrongController] });
      const { body } = await app.http.post('/wrong').expect(500);
      expect(body).toEqual({ statusCode: 500, message: 'Internal Server Error' });
      const log = app.logs.texts('error').join('\n');
      expect(log).toMatch(says);
      expect(log).toContain('WrongController.wrong');
      expect(await countRows(app)).toBe(0);
    },
  );
});
