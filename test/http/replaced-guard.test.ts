import { Controller, Get, type INestApplication, Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Public, RequireRole, SessionGuard, SessionModule } from 'nestjs-sessions';
import { InMemorySessionStore } from 'nestjs-sessions/testing';
import { type Observable, of } from 'rxjs';
import request from 'supertest';
import { fakeExchange } from '../support/fake-context.js';
import { asQuery, resolverCaller } from '../support/resolver-calls.js';

/* What a test puts in the place of the guard decides, before decorated handlers too. */

type Answer = boolean | Promise<boolean> | Observable<boolean>;

@Controller()
class Routes {
  @RequireRole('admin') @Get('admin') admin(): string {
    return 'admin';
  }
}

@Injectable()
class News {
  @Public() @asQuery() news(): string {
    return 'news';
  }
  @RequireRole('admin') @asQuery() secret(): string {
    return 'secret';
  }
}

const running: INestApplication[] = [];
afterEach(async () => {
  for (const app of running.splice(0)) await app.close();
});

async function start(answer: Answer, globalGuard: boolean): Promise<INestApplication> {
  const builder = Test.createTestingModule({
    imports: [SessionModule.forRoot({ store: InMemorySessionStore, globalGuard })],
    controllers: [Routes],
    providers: [News],
  });
  builder.overrideProvider(SessionGuard).useValue({ canActivate: () => answer });
  const app = (await builder.compile()).createNestApplication();
  running.push(app);
  return app.init();
}

describe.each([true, false])('with globalGuard: %p', (globalGuard) => {
  it.each<[Answer, number]>([
    [true, 200],
    [false, 403],
    [Promise.resolve(false), 403],
    [of(true), 200],
    [of(false), 403],
  ])('%p answers %i', async (answer, status) => {
    const app = await start(answer, globalGuard);
    await request(app.getHttpServer()).get('/admin').expect(status);
  });

  it('it is asked alone, where sessions do not reach: over an upgraded connection', async () => {
    const call = resolverCaller(await start(true, globalGuard), News);
    const { req } = fakeExchange({});
    for (const context of [{ req }, {}]) {
      expect(await call('news', context, 'subscription')).toBe('news');
      expect(await call('secret', context, 'subscription')).toBe('secret');
    }
  });
});
