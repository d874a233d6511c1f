import {
  Controller,
  Get,
  type INestApplication,
  type ModuleMetadata,
  Post,
  Res,
  type Type,
} from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { CurrentSession, EnsureSession, SessionModule, SessionService } from 'nestjs-sessions';
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
      const { BridgeController } = await upgrading.run<{ BridgeController: Type }>('bridge.controller.ts');
      return start({ controllers: [BridgeController] }, (created) =>
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
