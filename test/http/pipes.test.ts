import {
  Body,
  Controller,
  Get,
  HttpCode,
  type PipeTransform,
  Post,
  UsePipes,
  ValidationPipe,
} from '@nestjs/common';
import { APP_PIPE } from '@nestjs/core';
import { describe, expect, it } from '@jest/globals';
import { IsString } from 'class-validator';
import { ActiveSession, CurrentSession, Public } from 'nestjs-sessions';
import { PLATFORMS } from '../support/platforms.js';
import { AccountController, bearer } from '../support/sign-in.js';
import { appsOn, type TestApp } from '../support/test-app.js';

class Preferences {
  @IsString() theme!: string;
}

class Note {
  @IsString() text!: string;
}

/** Rebuilds whatever it gets, as pipes do that clean input. */
const copying: PipeTransform = {
  transform: (value: unknown) => (typeof value === 'object' && value !== null ? { ...value } : value),
};
const shouting: PipeTransform = {
  transform: (value: unknown) => (typeof value === 'string' ? value.toUpperCase() : value),
};
/** As a schema does in which everything may be left out. */
const emptying: PipeTransform = { transform: () => ({}) };

@Controller()
class ShowController {
  @Get('whole') whole(@CurrentSession() session: ActiveSession): object {
    const { id, userId, roles, data, expiresAt } = session;
    return { isOurs: session instanceof ActiveSession, hasId: id.length > 0, userId, roles, data, expiresAt };
  }
  @Get('user') user(@CurrentSession('userId') userId: string): object {
    return { userId };
  }
  @Get('parts') parts(
    @CurrentSession('userId') userId: string,
    @CurrentSession('data') data: Preferences,
    @CurrentSession('roles') roles: readonly string[],
    @CurrentSession('level') level: number,
    @CurrentSession('createdAt') createdAt: Date,
  ): object {
    return { userId, data, roles, level, isDate: createdAt instanceof Date };
  }
  @Public() @Get('none') none(@CurrentSession() session: ActiveSession | null): object {
    return { session };
  }
  @HttpCode(200) @Post('note') note(@CurrentSession() session: ActiveSession, @Body() note: Note): object {
    return { userId: session.userId, note };
  }
}

class InheritingController extends ShowController {}
Controller('heir')(InheritingController);

@Controller()
class CarelessController {
  @UsePipes(emptying) @Get('emptied') emptied(@CurrentSession() session: ActiveSession): object {
    return { userId: session.userId };
  }
  @UsePipes(emptying) @Get('emptied-part') part(@CurrentSession('userId') userId: string): object {
    return { userId };
  }
}

const controllers = [AccountController, ShowController, InheritingController, CarelessController];
const PRINCIPAL = { userId: 'ana', roles: ['admin'], data: { theme: 'dark', deep: { list: [1] } } };
const { data } = PRINCIPAL;

const VALIDATIONS = [
  {},
  { whitelist: true },
  { transform: true },
  { whitelist: true, transform: true },
  { whitelist: true, forbidNonWhitelisted: true },
  { whitelist: true, forbidNonWhitelisted: true, transform: true },
  { forbidUnknownValues: true },
].map((options) => ({ ...options, validateCustomDecorators: true }));

async function signedIn(app: TestApp) {
  const { token } = await app.sessions.create(PRINCIPAL);
  return (path: string) => app.http.get(path).set(bearer(token));
}

describe.each(PLATFORMS)('on %s', (platform) => {
  const start = appsOn(platform);

  describe.each(VALIDATIONS)('through ValidationPipe(%j)', (options) => {
    const ways = {
      'of useGlobalPipes': () =>
        start({ controllers, configure: (app) => app.useGlobalPipes(new ValidationPipe(options)) }),
      'of APP_PIPE': () =>
        start({ controllers, providers: [{ provide: APP_PIPE, useValue: new ValidationPipe(options) }] }),
    };

    it.each(Object.keys(ways) as (keyof typeof ways)[])(
      '%s what @CurrentSession() gives is unharmed',
      async (way) => {
        const app = await ways[way]();
        const get = await signedIn(app);
        for (const controller of ['', '/heir']) {
          const whole = await get(`${controller}/whole`).expect(200);
          expect(whole.body).toMatchObject({
            isOurs: true,
            hasId: true,
            userId: 'ana',
            roles: ['admin'],
            data,
          });
          await get(`${controller}/parts`).expect(200, {
            userId: 'ana',
            data,
            roles: ['admin'],
            level: 1,
            isDate: true,
          });
          await get(`${controller}/none`).expect(200, { session: null });
        }
      },
    );
  });

  it('bodies beside it are validated as ever', async () => {
    const pipe = new ValidationPipe({ whitelist: true, transform: true, validateCustomDecorators: true });
    const app = await start({ controllers, configure: (nest) => nest.useGlobalPipes(pipe) });
    const { token } = await app.sessions.create(PRINCIPAL);
    const post = (body: object) => app.http.post('/note').set(bearer(token)).send(body);
    await post({ text: 'hi', more: 1 }).expect(200, { userId: 'ana', note: { text: 'hi' } });
    await post({ text: 5 }).expect(400);
  });

  it('a pipe that changes texts makes nobody another user', async () => {
    const app = await start({ controllers, configure: (nest) => nest.useGlobalPipes(shouting) });
    const get = await signedIn(app);
    await get('/user').expect(200, { userId: 'ana' });
  });

  it.each(['/whole', '/user', '/parts', '/none'])(
    'a global pipe that puts something else in its place is told of, and the handler does not run: %s',
    async (path) => {
      const app = await start({ controllers, configure: (nest) => nest.useGlobalPipes(copying) });
      const get = await signedIn(app);
      await get(path).expect(500);
      expect(app.logs.texts().join('\n')).toContain("where `metadata.type` is 'custom'");
    },
  );

  it.each(['/emptied', '/emptied-part'])('so is one on the method: %s', async (path) => {
    const app = await start({ controllers });
    const get = await signedIn(app);
    await get(path).expect(500);
    expect(app.logs.texts().join('\n')).toContain('@CurrentSession()');
  });
});
