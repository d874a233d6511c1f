import {
  type CallHandler,
  ClassSerializerInterceptor,
  Controller,
  type ExecutionContext,
  Get,
  type NestInterceptor,
  UseInterceptors,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { describe, expect, it } from '@jest/globals';
import { type ActiveSession, AllowAnonymous, type AnonymousSession, CurrentSession } from 'nestjs-sessions';
import { map } from 'rxjs';
import { PLATFORMS } from '../support/platforms.js';
import { AccountController, bearer } from '../support/sign-in.js';
import { sharedAppOn } from '../support/test-app.js';

class Spreading implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler) {
    return next.handle().pipe(map((answer: object) => ({ ...answer })));
  }
}

@AllowAnonymous()
@Controller('answers')
class AnsweringController {
  @Get('plain') plain(@CurrentSession() session: ActiveSession | AnonymousSession): object {
    return session;
  }
  @UseInterceptors(ClassSerializerInterceptor)
  @Get('serialized')
  serialized(@CurrentSession() session: ActiveSession | AnonymousSession): object {
    return session;
  }
  @UseInterceptors(Spreading) @Get('spread') spread(@CurrentSession() session: ActiveSession): object {
    return session;
  }
  @UseInterceptors(ClassSerializerInterceptor) @Get('list') list(
    @CurrentSession() session: ActiveSession,
  ): object {
    return [session, session];
  }
}

const ISO = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

describe.each(PLATFORMS)('on %s', (platform) => {
  const start = sharedAppOn(platform, {
    controllers: [AccountController, AnsweringController],
    providers: [Reflector],
  });

  const sessions = {
    'of somebody': async () =>
      start().sessions.create({ userId: 'ana', roles: ['admin'], data: { note: 'secret' } }),
    'of nobody': async () => start().sessions.createAnonymous({ note: 'secret' }),
  };

  describe.each(Object.keys(sessions) as (keyof typeof sessions)[])('a session %s', (whose) => {
    it.each(['plain', 'serialized', 'spread', 'list'])(
      'that a handler returns has dates, and no data: %s',
      async (path) => {
        const { token, session } = await sessions[whose]();
        const answer = await start().http.get(`/answers/${path}`).set(bearer(token)).expect(200);
        const expected = JSON.parse(JSON.stringify(session)) as ActiveSession;
        expect(expected.createdAt).toMatch(ISO);
        expect(expected.expiresAt).toMatch(ISO);
        expect(answer.body).toEqual(path === 'list' ? [expected, expected] : expected);
        expect(answer.text).not.toContain('secret');
      },
    );
  });
});
