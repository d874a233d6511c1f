import {
  Body,
  type CanActivate,
  Controller,
  Injectable,
  type MiddlewareConsumer,
  Module,
  type NestModule,
  Post,
  Req,
  type Type,
  UseGuards,
} from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { BeginSignIn, type SessionPrincipal, SessionService, StartSession } from 'nestjs-sessions';
import { PLATFORMS } from '../support/platforms.js';
import { appsOn, breakStore, countRows } from '../support/test-app.js';

let slowly: () => Promise<unknown> = async () => {};

type Checked = { checked?: boolean; raw?: { checked?: boolean } };

/** Looks at credentials before any guard does, as Passport does. */
async function check(request: Checked, _response: unknown, next: () => void): Promise<void> {
  request.checked = true;
  await slowly();
  next();
}

@Controller()
class LoginController {
  @StartSession()
  @Post('login')
  login(@Req() request: Checked, @Body() principal: SessionPrincipal) {
    return (request.raw ?? request).checked ? principal : null;
  }
}

/** Looks at credentials as a strategy of Passport does. */
@Injectable()
class CredentialsGuard implements CanActivate {
  async canActivate(): Promise<boolean> {
    await slowly();
    return true;
  }
}

@Controller()
class BehindGuardController {
  @StartSession() @UseGuards(CredentialsGuard) @Post('above') above(@Body() principal: SessionPrincipal) {
    return principal;
  }
  @UseGuards(CredentialsGuard) @StartSession() @Post('below') below(@Body() principal: SessionPrincipal) {
    return principal;
  }
}

@Module({})
class EarlyModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(BeginSignIn, check).forRoutes('login');
  }
}

@Module({})
class LateModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(check).forRoutes('login');
  }
}

describe.each(PLATFORMS)('on %s', (platform) => {
  const start = appsOn(platform);
  const startWith = (module: Type) => start({ controllers: [LoginController], imports: [module] });

  it('a revocation while a middleware looks at credentials is not outlived, where BeginSignIn stands before it', async () => {
    const app = await startWith(EarlyModule);
    slowly = () => app.sessions.revokeAll('ana');
    const answer = await app.http.post('/login').send({ userId: 'ana' });
    expect([answer.status, answer.body.code]).toEqual([401, 'session_invalid']);
    expect(await countRows(app)).toBe(0);
    slowly = async () => {};
    await app.http.post('/login').send({ userId: 'ana' }).expect(201);
  });

  it('without it the sign-in begins with the guard, as is documented', async () => {
    const app = await startWith(LateModule);
    slowly = () => app.sessions.revokeAll('ana');
    await app.http.post('/login').send({ userId: 'ana' }).expect(201);
    slowly = async () => {};
  });

  it.each([
    ['/above', true],
    ['/below', true],
    ['/above', false],
    ['/below', false],
  ])('nor while a guard does, wherever it stands: %s, globalGuard: %p', async (path, globalGuard) => {
    const app = await start({ controllers: [BehindGuardController], options: { globalGuard } });
    slowly = () => app.sessions.revokeAll('ana');
    const answer = await app.http.post(path).send({ userId: 'ana' });
    slowly = async () => {};
    expect([answer.status, answer.body.code]).toEqual([401, 'session_invalid']);
    expect(await countRows(app)).toBe(0);
    await app.http.post(path).send({ userId: 'ana' }).expect(201);
  });

  it('is answered 503 where the store cannot be reached', async () => {
    const app = await startWith(EarlyModule);
    const mend = breakStore(app);
    const answer = await app.http.post('/login').send({ userId: 'ana' });
    mend();
    expect([answer.status, answer.body.code]).toEqual([503, 'session_store_unavailable']);
  });

  it('by hand it is begun, and handed on', async () => {
    const { sessions } = await startWith(LateModule);
    const begun = await sessions.beginSignIn();
    await sessions.revokeAll('ana');
    await expect(sessions.create({ userId: 'ana' }, {}, { begun })).rejects.toMatchObject({ status: 401 });
    await expect(sessions.create({ userId: 'ana' })).resolves.toMatchObject({ session: { userId: 'ana' } });
    const bad = { begun: Date.now() as never };
    await expect(sessions.create({ userId: 'ana' }, {}, bad)).rejects.toMatchObject({ status: 400 });
  });

  it('asks for the number on routes of sign-in only', async () => {
    const app = await startWith(LateModule);
    expect(app.app.get(SessionService)).toBe(app.sessions);
    app.queries.length = 0;
    await app.http.post('/elsewhere').expect(404);
    expect(app.queries).toEqual([]);
  });
});
