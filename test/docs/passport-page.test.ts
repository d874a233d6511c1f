import { Controller, Get, type INestApplication, Module, Post, Req, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { CurrentSession, SessionModule, SessionService, StartSession } from 'nestjs-sessions';
import { InMemorySessionStore, recordSessionEvents } from 'nestjs-sessions/testing';
import request from 'supertest';
import { describeWithProviders, PROVIDERS } from '../support/provider-process.js';
import { bearer } from '../support/sign-in.js';
import { mistakesWith } from './examples.js';
import { pageAt } from './pages.js';
import { RunnablePage } from './running.js';

const documented = pageAt('docs/passport.md');

@Controller()
class MeController {
  @Get('me') me(@CurrentSession('userId') userId: string): object {
    return { userId };
  }
  @StartSession() @Post('legacy/sign-in') signIn(@Req() { user }: { user: { id: number } }) {
    return { userId: String(user.id) };
  }
}

describeWithProviders('the page on Passport', () => {
  let page: RunnablePage;
  let app: INestApplication;

  beforeAll(async () => {
    page = await RunnablePage.of(documented, { install: PROVIDERS });
  });
  afterEach(() => app?.close());
  afterAll(() => page.dispose());

  async function start(globalGuard = true) {
    const { AuthModule } = await page.run<{ AuthModule: Type }>('auth.module.ts');
    const { EarlyPassportModule } = await page.run<{ EarlyPassportModule: Type }>('early-passport.module.ts');
    const { UsersService } = await page.run<{ UsersService: Type<{ verify: Function }> }>('users.service.ts');
    @Module({
      imports: [
        SessionModule.forRoot({ store: InMemorySessionStore, globalGuard }),
        AuthModule,
        EarlyPassportModule,
      ],
      controllers: [MeController],
    })
    class AppModule {}
    app = (await Test.createTestingModule({ imports: [AppModule] }).compile()).createNestApplication({
      logger: false,
    });
    await app.listen(0, '127.0.0.1');
    const users = app.get(UsersService, { strict: false });
    return {
      http: request(app.getHttpServer()),
      sessions: app.get(SessionService, { strict: false }),
      users,
    };
  }

  it('compiles', () => {
    expect(
      mistakesWith(
        PROVIDERS,
        documented.blocks.filter(({ language }) => language === 'ts'),
      ),
    ).toEqual([]);
  });

  it('signs in by a strategy, and out', async () => {
    const { http } = await start();
    const { body } = await http
      .post('/auth/sign-in')
      .send({ username: 'ana', password: 'try-me' })
      .expect(201);
    await http.get('/me').set(bearer(body.token)).expect(200, { userId: '7' });
    await http.post('/auth/sign-out').set(bearer(body.token)).expect(201);
    await http.get('/me').set(bearer(body.token)).expect(401);
  });

  it.each([{ username: 'ana', password: 'wrong' }, { username: 'ana' }, {}])(
    'says that the sign-in has failed, and who tried it: %j',
    async (credentials) => {
      const { http } = await start();
      const recorder = recordSessionEvents(app);
      const { body } = await http.post('/auth/sign-in').send(credentials).expect(401);
      expect(body.code).toBe('sign_in_failed');
      expect(recorder.of('sign-in-failed')).toMatchObject([
        { name: 'username' in credentials ? credentials.username : null },
      ]);
    },
  );

  it.each([
    ['/auth/sign-in', true],
    ['/auth/sign-in', false],
    ['/legacy/sign-in', true],
    ['/legacy/sign-in', false],
  ])(
    'is not outlived by what a strategy looks at meanwhile: %s, globalGuard: %p',
    async (path, globalGuard) => {
      const { http, sessions, users } = await start(globalGuard);
      const verify = users.verify.bind(users);
      users.verify = async (credentials: unknown) => {
        const user: unknown = await verify(credentials);
        await sessions.revokeAll('7');
        return user;
      };
      const { body } = await http.post(path).send({ username: 'ana', password: 'try-me' }).expect(401);
      expect(body.code).toBe('session_invalid');
      expect(await sessions.list('7')).toEqual([]);
    },
  );
});
