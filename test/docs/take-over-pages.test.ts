import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type CallHandler,
  Controller,
  type ExecutionContext,
  Get,
  type INestApplication,
  type ModuleMetadata,
  Post,
  Res,
  type Type,
} from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { CurrentSession, EnsureSession, SessionModule, sessionOf, SessionService } from 'nestjs-sessions';
import { InMemorySessionStore, recordSessionEvents, signInAs } from 'nestjs-sessions/testing';
import request from 'supertest';
import { cookieIn } from '../support/sign-in.js';
import { pageAt } from './pages.js';
import { RunnablePage } from './running.js';

interface OldSession {
  userId?: string;
  cart?: string[];
}

@Controller()
class ProbeController {
  constructor(private readonly sessions: SessionService) {}

  @Get('me') me(@CurrentSession() { userId, data }: { userId: string; data: object }): object {
    return { userId, data };
  }
  @Get('name') name(@Res({ passthrough: true }) { locals }: { locals: { user: object } }): object {
    return locals.user;
  }
  @EnsureSession() @Post('cart') async add(@CurrentSession('id') id: string): Promise<void> {
    await this.sessions.update(id, (data) => ({ ...data, cart: ['new'] }));
  }
}

describe('what the pages for a take-over show', () => {
  let upgrading: RunnablePage;
  let cookies: RunnablePage;
  let app: INestApplication;

  beforeAll(async () => {
    upgrading = await RunnablePage.of(pageAt('docs/upgrading-from-express-session.md'));
    cookies = await RunnablePage.of(pageAt('docs/cookies-and-browsers.md'));
  });
  afterEach(() => app?.close());
  afterAll(async () => {
    await upgrading.dispose();
    await cookies.dispose();
  });

  async function start(
    { controllers = [], ...metadata }: ModuleMetadata,
    prepare?: (created: INestApplication) => void,
  ) {
    const sessions = SessionModule.forRoot({ store: InMemorySessionStore, transport: 'cookie' });
    const testing = await Test.createTestingModule({
      ...metadata,
      imports: [sessions, ...(metadata.imports ?? [])],
      controllers: [ProbeController, ...controllers],
    }).compile();
    app = testing.createNestApplication({ logger: false });
    prepare?.(app);
    await app.init();
    return request(app.getHttpServer());
  }

  describe('bring over', () => {
    async function startWith(old: OldSession) {
      const { BridgeController, OldUsers } =
        await upgrading.run<Record<string, Type>>('bridge.controller.ts');
      const user = { id: 7, roles: [], mayBringOver: true };
      const users = {
        verify: async () => user,
        byId: async (userId: string) => (userId === '7' ? user : null),
      };
      return start(
        {
          controllers: [BridgeController as Type],
          providers: [{ provide: OldUsers as Type, useValue: users }],
        },
        (created) =>
          created.use((incoming: { session?: OldSession }, _: unknown, next: () => void) => {
            incoming.session = old;
            next();
          }),
      );
    }

    it('keeps the cart of before and the one of since', async () => {
      const http = await startWith({ userId: '7', cart: ['old'] });
      const guest = cookieIn(await http.post('/cart').expect(201));
      const brought = cookieIn(await http.post('/auth/bring-over').set('Cookie', guest).expect(201));
      const mine = { userId: '7', data: { cart: ['old', 'new'] } };
      await http.get('/me').set('Cookie', brought).expect(200, mine);
      const again = cookieIn(await http.post('/auth/bring-over').set('Cookie', brought).expect(201));
      await http.get('/me').set('Cookie', again).expect(200, mine);
    });

    it('the sign-in takes over what a guest had in the cart before', async () => {
      const http = await startWith({ cart: ['old'] });
      for (const data of [{ cart: ['old'] }, {}]) {
        const cookie = cookieIn(await http.post('/auth/sign-in').expect(201));
        await http.get('/me').set('Cookie', cookie).expect(200, { userId: '7', data });
      }
    });

    it('the sign-in leaves what somebody else has in the cart', async () => {
      const http = await startWith({ userId: '8', cart: ['of ben'] });
      const cookie = cookieIn(await http.post('/auth/sign-in').expect(201));
      await http.get('/me').set('Cookie', cookie).expect(200, { userId: '7', data: {} });
    });

    it('takes nothing from the session of somebody else', async () => {
      const http = await startWith({ userId: '7', cart: ['old'] });
      const ben = await signInAs(app, { userId: 'ben', data: { cart: ['of ben'] } });
      const brought = cookieIn(await http.post('/auth/bring-over').set(ben.cookie).expect(201));
      await http
        .get('/me')
        .set('Cookie', brought)
        .expect(200, { userId: '7', data: { cart: ['old'] } });
    });

    it('is for those who are signed in there, and no failed sign-in of others', async () => {
      const http = await startWith({ cart: ['old'] });
      const recorder = recordSessionEvents(app);
      const { body } = await http.post('/auth/bring-over').expect(401);
      expect([body.code, recorder.of('sign-in-failed')]).toEqual(['session_required', []]);
    });
  });

  it('where there is no route the page knows who is there, and scripts are answered as ever', async () => {
    const { NotFoundModule } = await upgrading.run<{ NotFoundModule: Type }>('not-found.module.ts');
    const views = await mkdtemp(join(tmpdir(), 'views-'));
    await writeFile(join(views, 'not-found.html'), '');
    class NameInterceptor {
      intercept(context: ExecutionContext, next: CallHandler) {
        const { locals } = context.switchToHttp().getResponse<{ locals: object }>();
        Object.assign(locals, { name: sessionOf(context)?.userId ?? 'guest' });
        return next.handle();
      }
    }
    const http = await start(
      {
        imports: [NotFoundModule],
        providers: [{ provide: APP_INTERCEPTOR, useClass: NameInterceptor }],
      },
      (created) => {
        const express = (created as NestExpressApplication).setBaseViewsDir(views);
        express.setViewEngine('html');
        express.engine('html', (_: string, { name }: { name: string }, done: (e: null, t: string) => void) =>
          done(null, `nothing for ${name}`),
        );
      },
    );
    const { cookie } = await signInAs(app, { userId: 'ana' });
    const html = { Accept: 'text/html' };
    await http.get('/no/such/page').set(html).set(cookie).expect(404, 'nothing for ana');
    await http.get('/no/such/page').set(html).expect(404, 'nothing for guest');
    expect((await http.get('/no/such/page').set(cookie).expect(404)).body.statusCode).toBe(404);
    await http.get('/me').set(cookie).expect(200);
    await rm(views, { recursive: true });
  });

  it('the user is read on every request, and who is gone has no session any more', async () => {
    const { UserModule, Users } = await upgrading.run<Record<string, Type>>('user.interceptor.ts');
    let users: Record<string, object> = { ana: { name: 'Ana' } };
    const byId = async (userId: string) => users[userId] ?? null;
    const http = await start({
      imports: [UserModule as Type].map((module) => ({
        module,
        providers: [{ provide: Users as Type, useValue: { byId } }],
      })),
    });
    const { bearer, session } = await signInAs(app, { userId: 'ana' });
    await http.get('/name').set(bearer).expect(200, { name: 'Ana' });
    users = {};
    await http.get('/me').set(bearer).expect(401);
    expect(await app.get(SessionService, { strict: false }).get(session.id)).toBeNull();
  });

  it('what is mounted is for those with the cookie of an admin, on a request of one’s own pages', async () => {
    const { guardQueues } = await cookies.run<{ guardQueues: (created: INestApplication) => void }>(
      'queues.ts',
    );
    const http = await start({}, (created) => {
      guardQueues(created);
      created.use('/queues', (_: unknown, response: { end: (text: string) => void }) =>
        response.end('queues'),
      );
    });
    const ada = await signInAs(app, { userId: 'ada', roles: ['admin'] });
    const ana = await signInAs(app, { userId: 'ana' });
    await http.get('/queues').set(ada.cookie).expect(200, 'queues');
    await http.post('/queues/retry').set(ada.cookie).expect(200);
    await http.get('/queues').set(ana.cookie).expect(401);
    await http.get('/queues').expect(401);
    const foreign = { ...ada.cookie, Origin: 'https://evil.example' };
    expect((await http.post('/queues/retry').set(foreign).expect(403)).body.code).toBe('cross_origin');
    const plain = { ...ada.cookie, Host: 'app.example.com' };
    expect((await http.get('/queues').set(plain).expect(403)).body.code).toBe('https_required');
  });
});
