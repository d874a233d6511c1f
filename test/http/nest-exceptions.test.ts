import {
  type ArgumentsHost,
  BadRequestException,
  Catch,
  ConflictException,
  Controller,
  type ExceptionFilter,
  ForbiddenException,
  Get,
  HttpException,
  Post,
  ServiceUnavailableException,
  type Type,
  UnauthorizedException,
} from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import * as library from 'nestjs-sessions';
import { SessionException, SessionService, StartSession } from 'nestjs-sessions';
import { PLATFORMS } from '../support/platforms.js';
import { AccountController, bearer } from '../support/sign-in.js';
import { appsOn, breakStore } from '../support/test-app.js';

@Controller()
class FailingController {
  constructor(private readonly sessions: SessionService) {}

  @StartSession() @Post('nobody') nobody(): null {
    return null;
  }
  @Get('misuse') misuse() {
    return this.sessions.list('');
  }
}

/** Answers whatever is caught as one of these classes with the name of the class, and whether it is known as ours. */
function filterFor(caught: Type<HttpException>): ExceptionFilter {
  @Catch(caught)
  class NamingFilter implements ExceptionFilter {
    catch(exception: HttpException, host: ArgumentsHost): void {
      const response = host
        .switchToHttp()
        .getResponse<{ status(code: number): { send(body: object): void } }>();
      const isOurs = exception instanceof SessionException;
      response
        .status(exception.getStatus())
        .send({ caught: caught.name, code: isOurs ? exception.code : null });
    }
  }
  return new NamingFilter();
}

const FILTERED: readonly Type<HttpException>[] = [
  BadRequestException,
  UnauthorizedException,
  ForbiddenException,
  ConflictException,
  ServiceUnavailableException,
];

describe.each(PLATFORMS)('on %s a refusal is caught as', (platform) => {
  const startApp = appsOn(platform);

  it.each([
    ['filters of Nest’s own exceptions', FILTERED, null],
    ['a filter of all of ours', [SessionException as unknown as Type<HttpException>], 'SessionException'],
  ])('%s', async (_, classes, name) => {
    const app = await startApp({
      controllers: [AccountController, FailingController],
      options: {
        maxSessionsPerUser: 1,
        onSessionLimit: 'reject',
      },
      configure: (nest) => nest.useGlobalFilters(...classes.map(filterFor)),
    });
    const { token } = await app.sessions.create({ userId: 'ana' });
    const { http } = app;
    const expectCaught = async (request: ReturnType<typeof http.get>, caught: string, code: string) => {
      expect((await request).body).toEqual({ caught: name ?? caught, code });
    };
    await expectCaught(http.get('/me'), 'UnauthorizedException', 'session_required');
    await expectCaught(http.post('/nobody'), 'UnauthorizedException', 'sign_in_failed');
    await expectCaught(http.get('/me').set(bearer(`${token}x`)), 'UnauthorizedException', 'session_invalid');
    await expectCaught(
      http.get('/level2').set(bearer(token)),
      'UnauthorizedException',
      'reauthentication_required',
    );
    await expectCaught(http.get('/admin').set(bearer(token)), 'ForbiddenException', 'role_required');
    await expectCaught(
      http.get('/me').set('X-Forwarded-For', '9.9.9.9'),
      'ForbiddenException',
      'https_required',
    );
    await expectCaught(
      http.post('/web/login').set('Sec-Fetch-Site', 'cross-site').send({ userId: 'ana' }),
      'ForbiddenException',
      'cross_origin',
    );
    await expectCaught(http.post('/login').send({ userId: 'ana' }), 'ConflictException', 'session_limit');
    await expectCaught(http.get('/misuse').set(bearer(token)), 'BadRequestException', 'invalid_argument');
    const mend = breakStore(app);
    await expectCaught(
      http.get('/me').set(bearer(token)),
      'ServiceUnavailableException',
      'session_store_unavailable',
    );
    mend();
  });
});

describe('the classes of refusals', () => {
  const classes = Object.entries(library).filter(
    ([name]) => name.endsWith('Exception') && name !== 'SessionException',
  );
  const make = (type: unknown) =>
    new (type as new (given: object) => HttpException)(new Error('of the core'));

  it('are all one of ours, and of Nest’s', () => {
    expect(classes.length).toBeGreaterThan(10);
    for (const [name, type] of classes) {
      const exception = make(type);
      expect([name, exception.name]).toEqual([name, name]);
      expect(exception).toBeInstanceOf(SessionException);
      expect(exception).toBeInstanceOf(HttpException);
      const others = classes.filter(([, other]) => exception instanceof (other as never));
      expect(others.map(([other]) => other)).toEqual([name]);
    }
  });

  it('are told from everything else', () => {
    class Mine extends SessionException {}
    const foreign = new UnauthorizedException({ code: 'session_required', headers: {} });
    for (const value of [foreign, new Error('no'), null, undefined, 'text', {}]) {
      expect(value instanceof SessionException).toBe(false);
    }
    expect(new library.SessionRequiredException() instanceof Mine).toBe(false);
  });
});
