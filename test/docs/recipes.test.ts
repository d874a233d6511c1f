import {
  Controller,
  Get,
  HttpCode,
  type INestApplication,
  Module,
  type ModuleMetadata,
  Post,
  type Type,
  UnauthorizedException,
} from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import { Test } from '@nestjs/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  CurrentSession,
  EndSession,
  Public,
  RequireLevel,
  RequireRole,
  RequireSession,
  SessionService,
  SessionStore,
  StartSession,
} from 'nestjs-sessions';
import { recordSessionEvents, signInAs } from 'nestjs-sessions/testing';
import request from 'supertest';
import type { DataSource } from 'typeorm';
import { CookieBrowser } from '../support/cookie-browser.js';
import { cookieIn } from '../support/sign-in.js';
import { SQLITE_DRIVER } from '../support/sqlite-driver.js';
import { pageAt } from './pages.js';
import { RunnablePage } from './running.js';

interface WithModule {
  readonly AppModule: Type;
}

@Controller()
class ProbeController {
  @Get('me') me(@CurrentSession('userId') userId: string | null): object {
    return { userId };
  }
  @Public() @Get('open') open(): string {
    return 'open';
  }
  @RequireRole('admin') @Post('admin') admin(): string {
    return 'admin';
  }
}

const inMemory = TypeOrmModule.forRoot({
  type: SQLITE_DRIVER,
  database: ':memory:',
  autoLoadEntities: true,
  synchronize: true,
});

describe('the recipe', () => {
  let page: RunnablePage;
  let running: INestApplication[] = [];

  beforeAll(async () => {
    page = await RunnablePage.of(pageAt('docs/recipes.md'));
  });
  afterEach(async () => {
    for (const app of running) await app.close();
    running = [];
  });
  afterAll(() => page.dispose());

  async function start(metadata: ModuleMetadata): Promise<INestApplication> {
    const builder = Test.createTestingModule({ controllers: [ProbeController], ...metadata });
    const app = (await builder.compile()).createNestApplication({ logger: false });
    running.push(app);
    await app.listen(0, '127.0.0.1');
    return app;
  }

  const http = (app: INestApplication) => request(app.getHttpServer());

  it('for a global guard of one’s own lets it read the session', async () => {
    const { AppModule } = await page.run<WithModule>('own-guard.ts');
    const app = await start({ imports: [inMemory, AppModule] });
    await http(app).get('/open').expect(200);
    await http(app).get('/me').expect(401);
    const { bearer } = await signInAs(app, { userId: 'ana', data: { tenant: 'north' } });
    await http(app).get('/me').set(bearer).set('X-Tenant', 'north').expect(200, { userId: 'ana' });
    await http(app).get('/me').set(bearer).set('X-Tenant', 'south').expect(403);
    const nowhere = await signInAs(app, { userId: 'ben' });
    await http(app).get('/me').set(nowhere.bearer).expect(403);
  });

  it('for two data sources keeps sessions apart from the rest', async () => {
    const { AppModule } = await page.run<WithModule>('two-data-sources.ts');
    const app = await start({ imports: [AppModule] });
    const { bearer } = await signInAs(app, { userId: 'ana' });
    await http(app).get('/me').set(bearer).expect(200);
    const tablesOf = async (name?: string) => {
      const source = app.get<DataSource>(getDataSourceToken(name), { strict: false });
      const rows: { name: string }[] = await source.query('SELECT name FROM sqlite_master WHERE type = ?', [
        'table',
      ]);
      return rows.map((row) => row.name).toSorted();
    };
    expect(await tablesOf()).toEqual(['notes']);
    expect(await tablesOf('sessions')).toEqual([
      'session_messages',
      'session_nodes',
      'session_users',
      'sessions',
    ]);
  });

  it('for a renamed table with a column has a migration that fits', async () => {
    const { AppModule, AppSession } = await page.run<WithModule & { AppSession: Type }>(
      'app-session.entity.ts',
    );
    const app = await start({ imports: [AppModule] });
    const { bearer, session } = await signInAs(app, { userId: 'ana' });
    const source = app.get<DataSource>(getDataSourceToken());
    await source.getRepository(AppSession).update({ id: session.id }, { note: 'till 3' });
    await http(app).get('/me').set(bearer).expect(200);
    expect(await source.query('SELECT user_id, note FROM app_sessions')).toEqual([
      { user_id: 'ana', note: 'till 3' },
    ]);
    const { upQueries } = await source.driver.createSchemaBuilder().log();
    expect(upQueries.map(({ query }) => query)).toEqual([]);
  });

  it('for options from the configuration reads them there', async () => {
    process.env['SESSION_SECRET'] = 'a secret of at least 32 characters';
    process.env['SESSION_SECURITY_LEVEL'] = 'high';
    const { AppModule } = await page.run<WithModule>('configured.ts');
    const app = await start({ imports: [inMemory, AppModule] });
    const { session } = await signInAs(app, { userId: 'ana' });
    expect(session.expiresAt.getTime() - session.createdAt.getTime()).toBe(15 * 60_000);
    delete process.env['SESSION_SECRET'];
    delete process.env['SESSION_SECURITY_LEVEL'];
  });

  it('for the guard overridden in a test opens everything, decorated handlers too', async () => {
    const { AppModule } = await page.run<WithModule>('counting.store.ts');
    const { openApplication } = await page.run<{
      openApplication(AppModule: Type): Promise<INestApplication>;
    }>('open-application.ts');
    @Controller()
    class DoorController {
      @StartSession() @Post('in') in() {
        return { userId: 'ana' };
      }
      @StartSession({ transport: 'cookie' }) @Post('web/in') webIn() {
        return { userId: 'ana' };
      }
      @EndSession() @HttpCode(204) @Post('out') out(): void {}
    }
    @Module({ imports: [AppModule], controllers: [ProbeController, DoorController] })
    class Whole {}
    const app = await openApplication(Whole);
    running.push(app);
    await http(app).get('/me').expect(200, { userId: null });
    await http(app).post('/admin').expect(201, 'admin');
    const sessions = app.get(SessionService, { strict: false });
    const { body } = await http(app).post('/in').expect(201);
    expect((await sessions.validate(body.token)).session?.userId).toBe('ana');
    await http(app).post('/out').set('Authorization', `Bearer ${body.token}`).expect(204);
    expect((await sessions.validate(body.token)).session).toBeNull();
    const web = await http(app).post('/web/in').expect(201);
    await http(app).post('/out').set('Cookie', cookieIn(web)).expect(204);
    expect(await sessions.list('ana')).toEqual([]);
  });

  it('for a cart before sign-in makes a session with the first thing in it, and the sign-in keeps it', async () => {
    const { AppModule } = await page.run<WithModule>('counting.store.ts');
    const { ShopController } = await page.run<Record<string, Type>>('shop.controller.ts');
    @Controller()
    class DoorController {
      @StartSession({ transport: 'cookie' }) @Post('in') in() {
        return { userId: 'ana' };
      }
    }
    const app = await start({
      imports: [AppModule],
      controllers: [ShopController as Type, DoorController],
    });
    const guest = await http(app).get('/cart').expect(200, { of: 'a guest', items: [] });
    expect(guest.headers['set-cookie']).toBeUndefined();
    const first = await http(app)
      .post('/cart/items')
      .send({ name: 'tea' })
      .expect(200, { items: ['tea'] });
    const cookie = cookieIn(first);
    await http(app)
      .post('/cart/items')
      .set('Cookie', cookie)
      .send({ name: 'milk' })
      .expect(200, { items: ['tea', 'milk'] });
    const signedIn = await http(app).post('/in').set('Cookie', cookie).expect(201);
    await http(app)
      .get('/cart')
      .set('Cookie', cookieIn(signedIn))
      .expect(200, { of: 'ana', items: ['tea', 'milk'] });
    await http(app).get('/cart').set('Cookie', cookie).expect(200, { of: 'a guest', items: [] });
  });

  it('for a purge by one’s own job runs once per tick', async () => {
    const { AppModule } = await page.run<WithModule>('purge.job.ts');
    const app = await start({ imports: [inMemory, AppModule] });
    const purge = jest.spyOn(app.get(SessionService, { strict: false }), 'purgeExpired');
    const jobs = [...app.get(SchedulerRegistry, { strict: false }).getCronJobs().values()];
    expect(jobs).toHaveLength(1);
    const ticked = jobs.map((job) => job.fireOnTick());
    await Promise.all(ticked);
    expect(purge).toHaveBeenCalledTimes(1);
  });

  it('for a controller that is not yours opens one method and no more', async () => {
    const { AppModule } = await page.run<WithModule>('open-metrics.ts');
    const app = await start({ imports: [AppModule] });
    await http(app).get('/metrics').expect(200, 'up 1');
    await http(app).get('/metrics/details').expect(401);
    await http(app).get('/me').expect(401);
  });

  it('for the sign-in page sends people there, and nobody else', async () => {
    const { PagesModule } = await page.run<Record<string, Type>>('sign-in-page.filter.ts');
    const { AppModule } = await page.run<WithModule>('counting.store.ts');
    @Controller()
    class PagesController {
      @RequireLevel(2) @Get('vault') vault(): string {
        return 'gold';
      }
      @StartSession() @Post('sign-in') signIn(): null {
        return null;
      }
      @StartSession() @RequireSession() @Post('confirm') confirm(): null {
        return null;
      }
      @Public() @Get('own') own(): never {
        throw new UnauthorizedException('of the application');
      }
    }
    const app = await start({
      imports: [AppModule, PagesModule as Type],
      controllers: [ProbeController, PagesController],
    });
    const { bearer } = await signInAs(app, { userId: 'ana' });
    const html = { Accept: 'text/html,application/xhtml+xml' };
    const leads = async (asked: request.Test, address: string) =>
      void (await asked.set(html).expect(303).expect('Location', address));
    await leads(http(app).get('/me?a=1'), '/sign-in?why=session_required&returnTo=%2Fme%3Fa%3D1');
    await leads(
      http(app).get('/me').set('Authorization', 'Bearer x'),
      '/sign-in?why=session_invalid&returnTo=%2Fme',
    );
    await leads(
      http(app).get('/vault').set(bearer),
      '/confirm?why=reauthentication_required&returnTo=%2Fvault',
    );
    await leads(http(app).post('/sign-in'), '/sign-in?why=sign_in_failed');
    await leads(
      http(app).post('/sign-in').send({ returnTo: '/me' }),
      '/sign-in?why=sign_in_failed&returnTo=%2Fme',
    );
    await leads(http(app).post('/sign-in').set(bearer), '/sign-in?why=sign_in_failed');
    await leads(http(app).post('/confirm').set(bearer), '/confirm?why=sign_in_failed');
    await leads(http(app).post('/confirm'), '/sign-in?why=session_required');
    await leads(http(app).post('/admin'), '/sign-in?why=session_required');
    await leads(http(app).post('/admin').set(bearer), '/refused?why=role_required');
    await leads(
      http(app).get('/me').set('Host', 'app.example.com'),
      '/refused?why=https_required&returnTo=%2Fme',
    );
    await http(app).get('/me').set(html).set(bearer).expect(200);
    const script = await http(app).get('/me').set('Accept', 'application/json').expect(401);
    expect(script.body.code).toBe('session_required');
    expect((await http(app).post('/sign-in').expect(401)).body.code).toBe('sign_in_failed');
    await http(app).get('/own').set(html).expect(401);
  });

  it('for the way back leads to a page of one’s own, with the session', async () => {
    const { PageSignInController, Passwords } = await page.run<Record<string, Type>>(
      'page-sign-in.controller.ts',
    );
    const { AppModule } = await page.run<WithModule>('counting.store.ts');
    const verify = async (_: string, password: string) => (password === 'right' ? { userId: 'ana' } : null);
    const app = await start({
      imports: [AppModule],
      controllers: [ProbeController, PageSignInController as Type],
      providers: [{ provide: Passwords as Type, useValue: { verify } }],
    });
    const send = (returnTo?: string, password = 'right') =>
      http(app).post('/sign-in').send({ username: 'ana', password, returnTo });
    const answer = await send('/orders?page=2').expect(303).expect('Location', '/orders?page=2');
    await http(app).get('/me').set('Cookie', cookieIn(answer)).expect(200);
    for (const elsewhere of [
      undefined,
      'https://evil.example/',
      '//evil.example',
      '/\\evil.example',
      '/\t/evil.example',
      '/x/..//evil.example',
      '/.//evil.example',
    ])
      await send(elsewhere).expect(303).expect('Location', '/');
    expect((await send('/orders', 'wrong').expect(401)).body.code).toBe('sign_in_failed');
  });

  it('for sign-up signs in, and tells of a name that is taken', async () => {
    const { SignUpController, NewAccounts } = await page.run<Record<string, Type>>('sign-up.controller.ts');
    const { AppModule } = await page.run<WithModule>('counting.store.ts');
    const add = async (name: string) => (name === 'taken' ? null : { id: 7, roles: [] });
    const app = await start({
      imports: [AppModule],
      controllers: [ProbeController, SignUpController as Type],
      providers: [{ provide: NewAccounts as Type, useValue: { add } }],
    });
    const recorder = recordSessionEvents(app);
    const send = (name: string) => http(app).post('/auth/sign-up').send({ name, password: 'a good one' });
    const { body } = await send('ana').expect(201);
    await http(app).get('/me').set('Authorization', `Bearer ${body.token}`).expect(200, { userId: '7' });
    await send('taken').expect(409);
    expect(recorder.of('sign-in-failed')).toEqual([]);
  });

  describe('for remember me', () => {
    async function startRemembering() {
      const { RememberMeController, RememberMe, Remembered, Members } =
        await page.run<Record<string, Type>>('remember-me.ts');
      const { AppModule } = await page.run<WithModule>('counting.store.ts');
      const ana = { id: 'ana', roles: [], credentialsVersion: 1 };
      const members = {
        verify: async (_: string, password: string) => (password === 'right' ? ana : null),
        byId: async () => ana,
      };
      @Controller()
      class VaultController {
        @RequireLevel(2) @Get('vault') vault(): string {
          return 'gold';
        }
      }
      const app = await start({
        imports: [inMemory, TypeOrmModule.forFeature([Remembered as Type]), AppModule],
        controllers: [ProbeController, VaultController, RememberMeController as Type],
        providers: [RememberMe as Type, { provide: Members as Type, useValue: members }],
      });
      const source = app.get<DataSource>(getDataSourceToken());
      const rows = source.getRepository<{ hash: string; until: number }>(Remembered as Type);
      const redeem = (cookie: string) => http(app).post('/auth/remembered').set('Cookie', cookie);
      const signIn = async () => {
        const form = { username: 'ana', password: 'right', remember: true };
        return cookiesOf(await http(app).post('/auth/sign-in').send(form).expect(201));
      };
      return { app, ana, rows, redeem, signIn };
    }

    function cookiesOf({ headers }: request.Response) {
      const cookies = headers['set-cookie'] as unknown as string[];
      const named = (name: string) => cookies.findLast((text) => text.startsWith(name))?.split(';')[0] ?? '';
      return { remember: named('remember='), session: named('sid=') };
    }

    it('tabs that are restored together leave the browser a token that is good, with and without locks', async () => {
      const { app, signIn } = await startRemembering();
      const origin = await app.getUrl();
      const { blocks } = pageAt('docs/recipes.md');
      const code = blocks.find((block) => block.code.startsWith('// come-back.js'))?.code;
      const restore = new Function(
        'navigator',
        'fetch',
        'location',
        'document',
        `return (async () => { ${code} })()`,
      );
      for (const hasLocks of [true, false]) {
        const browser = new CookieBrowser({ [origin]: origin });
        browser.setCookie(origin, 'remember', (await signIn()).remember.split('=')[1] ?? '');
        const came: string[] = [];
        let last: Promise<unknown> = Promise.resolve();
        const locks = { request: (_: string, run: () => Promise<unknown>) => (last = last.then(run)) };
        const fetch = async (path: string) => ({ ok: (await browser.submit(origin + path)).status === 201 });
        const tab = () => {
          const form = { hidden: true };
          const document = { body: { dataset: { returnTo: '/orders' } }, forms: [form] };
          const location = { replace: (address: string) => void came.push(address) };
          return restore(hasLocks ? { locks } : {}, fetch, location, document);
        };
        await Promise.all([tab(), tab(), tab()]);
        expect(came).toEqual(hasLocks ? ['/orders', '/orders', '/orders'] : ['/orders']);
        expect((await browser.submit(`${origin}/auth/remembered`)).status).toBe(201);
      }
    });

    it('the token is a cookie that the browser takes, over HTTPS from its own host only', async () => {
      const { app, signIn } = await startRemembering();
      expect((await signIn()).remember).not.toBe('');
      app.getHttpAdapter().getInstance().set('trust proxy', true);
      const https = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'app.example.com' };
      const form = { username: 'ana', password: 'right', remember: true };
      const { headers } = await http(app).post('/auth/sign-in').set(https).send(form).expect(201);
      const kept = String(headers['set-cookie']);
      expect(kept).toMatch(
        /__Host-remember=[^;]+; Max-Age=2592000; Path=\/; [^,]+, [^,]+HttpOnly; Secure; SameSite=Strict/,
      );
      const value = /__Host-remember=([^;]+)/.exec(kept)?.[1];
      const redeem = (name: string) =>
        http(app).post('/auth/remembered').set(https).set('Cookie', `${name}=${value}`);
      await redeem('remember').expect(401);
      await redeem('__Host-remember').expect(201);
    });

    it('a token signs in once, and is followed by another', async () => {
      const { app, rows, redeem, signIn } = await startRemembering();
      const first = await signIn();
      expect(JSON.stringify(await rows.find())).not.toContain(first.remember.split('=')[1]);
      await http(app).get('/vault').set('Cookie', first.session).expect(200);
      const second = cookiesOf(await redeem(first.remember).expect(201));
      await http(app).get('/me').set('Cookie', second.session).expect(200, { userId: 'ana' });
      await http(app).get('/vault').set('Cookie', second.session).expect(401);
      const late = await redeem(first.remember).expect(401);
      expect(late.headers['set-cookie']).toBeUndefined(); // it would delete the cookie that has followed
      await redeem('').expect(401);
      const both = await Promise.all([redeem(second.remember), redeem(second.remember)]);
      expect(both.map(({ status }) => status).toSorted()).toEqual([201, 401]);
    });

    it('a token is worth nothing after sign-out, a change of password, and its time', async () => {
      const { app, ana, rows, redeem, signIn } = await startRemembering();
      const { remember, session } = await signIn();
      await http(app).post('/auth/sign-out').set('Cookie', `${session}; ${remember}`).expect(201);
      await redeem(remember).expect(401);
      const before = await signIn();
      ana.credentialsVersion = 2;
      await redeem(before.remember).expect(401);
      const late = await signIn();
      await rows.updateAll({ until: 1 });
      await redeem(late.remember).expect(401);
      expect(await rows.count()).toBe(0);
    });
  });

  it('for a change of password ends all other sessions, and every copy of the token', async () => {
    const { PasswordController, Passwords } = await page.run<Record<string, Type>>('password.controller.ts');
    const { AppModule } = await page.run<WithModule>('counting.store.ts');
    const stored: string[] = [];
    const app = await start({
      imports: [AppModule],
      controllers: [ProbeController, PasswordController as Type],
      providers: [
        {
          provide: Passwords as Type,
          useValue: { store: (...args: string[]) => Promise.resolve(stored.push(...args)) },
        },
      ],
    });
    const [own, other] = [await signInAs(app, { userId: 'ana' }), await signInAs(app, { userId: 'ana' })];
    const copy = own.bearer;
    const { body, headers } = await http(app)
      .post('/me/password')
      .set(own.bearer)
      .send({ password: 'new' })
      .expect(201);
    expect(stored).toEqual(['ana', 'new']);
    expect(headers['cache-control']).toBe('no-store');
    expect(body.session.id).toBe(own.session.id);
    await http(app).get('/me').set('Authorization', `Bearer ${body.token}`).expect(200);
    await http(app).get('/me').set(copy).expect(401);
    await http(app).get('/me').set(other.bearer).expect(401);
  });

  it('for a change of roles leaves no sign-in with the old ones, and says who did it', async () => {
    const { RolesController, Members } = await page.run<Record<string, Type>>('roles.controller.ts');
    const { AppModule } = await page.run<WithModule>('counting.store.ts');
    const roles: Record<string, string[]> = { ben: ['admin'] };
    let release = (): void => {};
    let isReading = (): void => {};
    const reading = new Promise<void>((resolve) => (isReading = resolve));
    @Controller()
    class SlowController {
      /** Reads the roles, and then takes its time. */
      @StartSession() @Post('slow') async slow() {
        const read = roles['ben'] ?? [];
        isReading();
        await new Promise<void>((resolve) => (release = resolve));
        return { userId: 'ben', roles: read as never[] };
      }
    }
    const app = await start({
      imports: [AppModule],
      controllers: [ProbeController, RolesController as Type, SlowController],
      providers: [
        {
          provide: Members as Type,
          useValue: { storeRoles: async (id: string, given: string[]) => void (roles[id] = given) },
        },
      ],
    });
    const recorder = recordSessionEvents(app);
    const ada = await signInAs(app, { userId: 'ada', roles: ['admin'] as never[] });
    const ben = await signInAs(app, { userId: 'ben', roles: ['admin'] as never[] });
    const slow = http(app)
      .post('/slow')
      .then((answer) => answer);
    await reading;
    await http(app)
      .put('/members/ben/roles')
      .set(ben.bearer)
      .send({ roles: ['admin'] })
      .expect(204);
    await http(app).put('/members/ben/roles').set(ada.bearer).send({ roles: [] }).expect(204);
    release();
    expect((await slow).status).toBe(401);
    await http(app)
      .put('/members/ben/roles')
      .set(ben.bearer)
      .send({ roles: ['admin'] })
      .expect(403);
    expect(recorder.of('roles-changed').map(({ by }) => by)).toEqual([
      { userId: 'ben', sessionId: ben.session.id },
      { userId: 'ada', sessionId: ada.session.id },
    ]);
  });

  it('for the deletion of an account ends its sessions', async () => {
    const { AccountController, Accounts } = await page.run<Record<string, Type>>('account.controller.ts');
    const { AppModule } = await page.run<WithModule>('counting.store.ts');
    const app = await start({
      imports: [AppModule],
      controllers: [ProbeController, AccountController as Type],
      providers: [{ provide: Accounts as Type, useValue: { remove: () => Promise.resolve() } }],
    });
    const ana = await signInAs(app, { userId: 'ana' });
    const ada = await signInAs(app, { userId: 'ada', roles: ['admin'] });
    await http(app).delete('/users/ana').set(ana.bearer).expect(403);
    await http(app).delete('/users/ana').set(ada.bearer).expect(204);
    await http(app).get('/me').set(ana.bearer).expect(401);
  });

  it('for a list of devices shows and ends one’s own sessions only', async () => {
    const { DevicesController } = await page.run<Record<string, Type>>('devices.controller.ts');
    const { AppModule } = await page.run<WithModule>('counting.store.ts');
    const app = await start({ imports: [AppModule], controllers: [DevicesController as Type] });
    const phone = await signInAs(app, { userId: 'ana' }, { label: 'phone' });
    const tablet = await signInAs(app, { userId: 'ana' }, { label: 'tablet' });
    const ben = await signInAs(app, { userId: 'ben' });
    const { body } = await http(app).get('/devices').set(phone.bearer).expect(200);
    expect(body).toMatchObject([
      { name: 'tablet', isCurrent: false },
      { name: 'phone', isCurrent: true },
    ]);
    await http(app).delete(`/devices/${ben.session.id}`).set(phone.bearer).expect(404);
    await http(app).delete(`/devices/${tablet.session.id}`).set(phone.bearer).expect(204);
    await http(app).get('/devices').set(tablet.bearer).expect(401);
    const another = await signInAs(app, { userId: 'ana' });
    await http(app).delete('/devices').set(phone.bearer).expect(204);
    await http(app).get('/devices').set(another.bearer).expect(401);
    await http(app).get('/devices').set(ben.bearer).expect(200);
  });

  describe('for sign-in in two steps', () => {
    const PASSWORDS: Record<string, string> = {};
    let ana = { id: 'ana', roles: [] as string[], credentialsVersion: 1 };
    const members = {
      verifyPassword: async (username: string, password: string) =>
        username === 'ana' && password === PASSWORDS['ana'] ? ana : null,
      verifyCode: async (userId: string, code: string) =>
        userId === 'ana' && code === '123456' ? ana : null,
    };

    async function startTwoSteps() {
      const { TwoStepsController, Members } = await page.run<Record<string, Type>>('two-steps.controller.ts');
      const { AppModule } = await page.run<WithModule>('counting.store.ts');
      PASSWORDS['ana'] = 'old';
      ana = { id: 'ana', roles: [], credentialsVersion: 1 };
      const app = await start({
        imports: [AppModule],
        controllers: [ProbeController, TwoStepsController as Type],
        providers: [{ provide: Members as Type, useValue: members }],
      });
      const first = async (password = 'old') => {
        const answer = await http(app).post('/auth/password').send({ username: 'ana', password });
        return { answer, bearer: { Authorization: `Bearer ${answer.body.token}` } };
      };
      const second = (bearer: object, code = '123456') =>
        http(app)
          .post('/auth/code')
          .set(bearer as Record<string, string>)
          .send({ code });
      return { app, first, second, sessions: app.get(SessionService, { strict: false }) };
    }

    it('nobody is signed in before the second', async () => {
      const { app, first, second } = await startTwoSteps();
      expect((await first('wrong')).answer.body.code).toBe('sign_in_failed');
      const { answer, bearer } = await first();
      expect([answer.status, answer.headers['cache-control']]).toEqual([201, 'no-store']);
      await http(app).get('/me').set(bearer).expect(401);
      expect((await second(bearer, '000000')).body.code).toBe('sign_in_failed');
      const { body } = await second(bearer).expect(201);
      expect(body.session).toMatchObject({ userId: 'ana', level: 2 });
      await http(app).get('/me').set('Authorization', `Bearer ${body.token}`).expect(200);
      await http(app).get('/me').set(bearer).expect(401);
      await second({ Authorization: `Bearer ${body.token}` }).expect(401);
    });

    it('no password is looked at over plain HTTP, and none of a page of another origin gets a cookie', async () => {
      const { app } = await startTwoSteps();
      const looks = jest.spyOn(members, 'verifyPassword');
      const send = (headers: Record<string, string>) =>
        http(app).post('/auth/password').set(headers).send({ username: 'ana', password: 'old' });
      expect((await send({ Host: 'app.example.com' }).expect(403)).body.code).toBe('https_required');
      expect(looks).not.toHaveBeenCalled();
      const foreign = { Cookie: 'sid=garbage', 'Sec-Fetch-Site': 'cross-site' };
      expect((await send(foreign).expect(403)).headers['set-cookie']).toBeUndefined();
      looks.mockRestore();
    });

    it('the first of an old password leads nowhere after a change of it', async () => {
      const { first, second, sessions } = await startTwoSteps();
      const { bearer } = await first();
      PASSWORDS['ana'] = 'new';
      ana = { ...ana, credentialsVersion: 2 };
      await sessions.revokeAll('ana');
      await second(bearer).expect(401);
      expect(await sessions.list('ana')).toEqual([]);
      await second((await first('new')).bearer).expect(201);
    });

    it('the first is needed, and not long ago', async () => {
      const { second, sessions } = await startTwoSteps();
      const pending = { userId: 'ana', version: 1 };
      for (const data of [
        {},
        { version: 1, until: Date.now() + 60_000 },
        pending,
        { ...pending, until: 1 },
      ]) {
        const { token } = await sessions.createAnonymous(data);
        await second({ Authorization: `Bearer ${token}` }).expect(401);
      }
      await second({}).expect(401);
      expect(await sessions.list('ana')).toEqual([]);
    });
  });

  it('for a store of one’s own is asked, and keeps the contract', async () => {
    const { AppModule, CountingStore, cases } = await page.run<
      WithModule & { CountingStore: Type; cases: { run(): Promise<void> }[] }
    >('counting.store.ts');
    const app = await start({ imports: [AppModule] });
    const recorder = recordSessionEvents(app);
    const { bearer } = await signInAs(app, { userId: 'ana' });
    await http(app).get('/me').set(bearer).expect(200);
    expect(recorder.of('created')).toHaveLength(1);
    const store = app.get<SessionStore & { lookups: number }>(SessionStore, { strict: false });
    expect(store).toBeInstanceOf(CountingStore);
    expect(store.lookups).toBe(1);
    expect(cases.length).toBeGreaterThan(20);
    await Promise.all(cases.slice(0, 10).map(({ run }) => run()));
  });
});
