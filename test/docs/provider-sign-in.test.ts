import { createHash } from 'node:crypto';
import { Controller, Get, type INestApplication, Module, type Type } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type ActiveSession,
  CurrentSession,
  RequireRecentAuth,
  SessionModule,
  type SessionPrincipal,
  SessionService,
} from 'nestjs-sessions';
import { InMemorySessionStore, recordSessionEvents, TestClock } from 'nestjs-sessions/testing';
import { DataSource } from 'typeorm';
import { CookieBrowser, type Page } from '../support/cookie-browser.js';
import { describeOnEachDatabase } from '../support/databases.js';
import {
  configurePage,
  consent,
  describeWithProviders,
  type ProviderProcess,
  PROVIDERS,
  startProvider,
} from '../support/provider-process.js';
import { SQLITE_DRIVER } from '../support/sqlite-driver.js';
import { mistakesWith } from './examples.js';
import { pageAt } from './pages.js';
import { RunnablePage } from './running.js';

const ORIGIN = 'https://app.example.com';
const PAGES = 'https://pages.example.com';
const CALLBACKS = ['', '/step-up', '/link'].map((path) => `${ORIGIN}/auth/provider${path}/callback`);
const documented = pageAt('docs/provider-sign-in.md');

/** How the page keeps whose an account of the provider is. */
interface Identities {
  link(identity: { issuer: string; subject: string }, userId: string): Promise<boolean>;
  userOf(identity: { issuer: string; subject: string }): Promise<string | null>;
}

/** How the page asks the provider. */
interface ProviderOfPage {
  begin(request: object, attempt: object): Promise<{ url: string }>;
}

@Controller()
class MeController {
  @Get('me') me(@CurrentSession() session: ActiveSession) {
    return { ...session, data: session.data };
  }
  @RequireRecentAuth('5m') @Get('recent') recent(): string {
    return 'recent';
  }
}

describeWithProviders('the page on sign-in with another provider', () => {
  let provider: ProviderProcess;
  let page: RunnablePage;

  beforeAll(async () => {
    provider = await startProvider(CALLBACKS);
    configurePage(provider, ORIGIN, PAGES);
    page = await RunnablePage.of(documented, { install: PROVIDERS });
  });
  afterAll(async () => {
    await page.dispose();
    await provider.stop();
  });

  it('compiles', () => {
    expect(
      mistakesWith(
        PROVIDERS,
        documented.blocks.filter(({ language }) => language === 'ts'),
      ),
    ).toEqual([]);
  });

  describe.each([
    ['openid-client', 'provider.module.ts', 'ProviderModule'],
    ['Passport', 'passport-provider.module.ts', 'PassportProviderModule'],
  ])('with %s', (_, file, name) => {
    let app: INestApplication;
    let sessions: SessionService;
    let identities: Identities;
    let clock: TestClock;
    let lines: string[];

    beforeEach(async () => {
      const ProviderModule = (await page.run<Record<string, Type>>(file))[name] as Type;
      const { Identities } = await page.run<{ Identities: Type<Identities> }>('identities.ts');
      clock = new TestClock();
      lines = [];
      @Module({
        imports: [
          TypeOrmModule.forRoot({
            type: SQLITE_DRIVER,
            database: ':memory:',
            autoLoadEntities: true,
            synchronize: true,
          }),
          SessionModule.forRoot({ store: InMemorySessionStore, clock: clock.now }),
          ProviderModule,
        ],
        controllers: [MeController],
      })
      class AppModule {}
      const log = (message: unknown) => void lines.push(String(message));
      const testing = await Test.createTestingModule({ imports: [AppModule] }).compile();
      const nest = testing.createNestApplication<NestExpressApplication>({
        logger: { log() {}, warn: log, error: log },
        forceCloseConnections: true,
      });
      nest.set('trust proxy', true);
      await nest.listen(0, '127.0.0.1');
      app = nest;
      sessions = app.get(SessionService, { strict: false });
      identities = app.get(Identities, { strict: false });
    });
    afterEach(() => app.close());

    const browser = async () =>
      new CookieBrowser({ [ORIGIN]: await app.getUrl(), [provider.issuer]: provider.issuer });
    const identityOf = (subject: string) => ({ issuer: provider.issuer, subject });
    const fault = (word: string) => `${PAGES}/sign-in?error=${word}`;

    async function signIn(of: CookieBrowser, login: string, path = '/orders'): Promise<Page> {
      const begun = await of.open(`${ORIGIN}/auth/provider?returnTo=${encodeURIComponent(path)}`);
      return of.open(await consent(of, begun, login));
    }

    /** Gives the browser a session. */
    async function signedIn(of: CookieBrowser, principal: SessionPrincipal = { userId: 'ana' }) {
      const { session, token } = await sessions.create(principal);
      of.setCookie(ORIGIN, '__Host-sid', token);
      return { session, token };
    }

    const me = async (of: CookieBrowser) => {
      const { status, text } = await of.open(`${ORIGIN}/me`);
      return status === 200 ? (JSON.parse(text) as ActiveSession) : status;
    };

    it('signs in, and leads to the page that was asked for', async () => {
      await identities.link(identityOf('ana-at-provider'), 'ana');
      const ana = await browser();
      const begun = await ana.open(`${ORIGIN}/auth/provider?returnTo=%2Forders%3Fpage%3D2`);
      const asked = new URL(begun.location ?? '').searchParams;
      expect(Object.fromEntries(asked)).toMatchObject({
        response_type: 'code',
        redirect_uri: CALLBACKS[0],
        state: expect.stringMatching(/.{40,}/),
        nonce: expect.stringMatching(/.{40,}/),
        code_challenge: expect.stringMatching(/.{40,}/),
        code_challenge_method: 'S256',
        max_age: '300',
      });
      const [kept = ''] = begun.headers.getSetCookie();
      expect(kept).toMatch(/^__Host-provider=/);
      for (const attribute of ['path=/', 'secure', 'httponly', 'samesite=lax'])
        expect(kept.toLowerCase().split('; ')).toContain(attribute);
      const done = await ana.open(await consent(ana, begun, 'ana-at-provider'));
      expect([done.status, done.location]).toEqual([303, `${PAGES}/orders?page=2`]);
      expect(await me(ana)).toMatchObject({ userId: 'ana' });
      expect(ana.cookie(ORIGIN, '__Host-provider')).toBeUndefined();
    });

    it('leads to no other site', async () => {
      await identities.link(identityOf('ana-at-provider'), 'ana');
      for (const query of ['', '?returnTo=//evil.example', '?returnTo=/a&returnTo=/b']) {
        const ana = await browser();
        const begun = await ana.open(`${ORIGIN}/auth/provider${query}`);
        const { location } = await ana.open(await consent(ana, begun, 'ana-at-provider'));
        expect(location).toBe(`${PAGES}/`);
      }
    });

    it('tells whoever has said no at the provider, and leaves them who they were', async () => {
      const recorder = recordSessionEvents(app);
      for (const isSignedIn of [false, true]) {
        const ana = await browser();
        const { token = undefined } = isSignedIn ? await signedIn(ana) : {};
        const begun = await ana.open(`${ORIGIN}/auth/provider`);
        const asked = await ana.open(begun.location ?? '');
        const back = await ana.open(`${asked.location}/abort`);
        const answer = await ana.open((await ana.open(back.location ?? '')).location ?? '');
        expect([answer.status, answer.location]).toEqual([303, fault('cancelled')]);
        expect(ana.cookie(ORIGIN, '__Host-sid')).toBe(token);
      }
      expect(recorder.of('sign-in-failed')).toEqual([]);
    });

    it('lets nobody in whom no user has linked', async () => {
      const eve = await browser();
      expect((await signIn(eve, 'eve-at-provider')).location).toBe(fault('failed'));
      expect(eve.cookie(ORIGIN, '__Host-sid')).toBeUndefined();
    });

    it('signs nobody in by an answer that this browser has not asked for', async () => {
      await identities.link(identityOf('eve-at-provider'), 'eve');
      const eve = await browser();
      const answer = await consent(eve, await eve.open(`${ORIGIN}/auth/provider`), 'eve-at-provider');
      const { search, searchParams } = new URL(answer);
      const code = searchParams.get('code');
      const recorder = recordSessionEvents(app);
      const visitors = [
        null,
        await sessions.createAnonymous(),
        await sessions.createAnonymous({ checks: {}, attempt: { purpose: 'sign-in' } }),
        await sessions.create({ userId: 'ben' }),
      ];
      let refused = 0;
      for (const issued of visitors) {
        const visitor = await browser();
        if (issued) visitor.setCookie(ORIGIN, '__Host-sid', issued.token);
        for (const query of [
          search,
          `?code=${code}`,
          `?code=${code}&state`,
          `?code=${code}&state=undefined`,
          '',
        ]) {
          const { location } = await visitor.open(`${ORIGIN}/auth/provider/callback${query}`);
          expect([query, location]).toEqual([query, fault('expired')]);
          expect(visitor.cookie(ORIGIN, '__Host-sid')).toBe(issued?.token);
          refused++;
        }
      }
      expect(await sessions.list('eve')).toEqual([]);
      expect(recorder.of('sign-in-failed')).toHaveLength(refused);
    });

    it('takes the answer of another browser from nobody who is signing in, and lets them go on', async () => {
      await identities.link(identityOf('eve-at-provider'), 'eve');
      await identities.link(identityOf('ana-at-provider'), 'ana');
      const [eve, ana] = [await browser(), await browser()];
      const begun = await ana.open(`${ORIGIN}/auth/provider`);
      const planted = await consent(eve, await eve.open(`${ORIGIN}/auth/provider`), 'eve-at-provider');
      expect((await ana.open(planted)).location).toBe(fault('expired'));
      // With the state of the attempt under way too, which nobody else knows: the code is that of another attempt.
      const own = await consent(ana, begun, 'ana-at-provider');
      const mixed = new URL(own);
      mixed.searchParams.set('code', new URL(planted).searchParams.get('code') ?? '');
      const again = await browser();
      again.setCookie(ORIGIN, '__Host-provider', ana.cookie(ORIGIN, '__Host-provider') ?? '');
      again.setCookie(ORIGIN, '__Host-provider.sig', ana.cookie(ORIGIN, '__Host-provider.sig') ?? '');
      expect((await again.open(mixed.href)).location).toBe(fault('failed'));
      expect(await me(again)).toBe(401);
      expect((await ana.open(own)).location).toBe(`${PAGES}/`);
      expect(await me(ana)).toMatchObject({ userId: 'ana' });
    });

    it('takes no cookie that it has not signed', async () => {
      const eve = await browser();
      const begun = await eve.open(`${ORIGIN}/auth/provider`);
      eve.setCookie(ORIGIN, '__Host-provider.sig', 'another');
      expect((await eve.open(await consent(eve, begun, 'eve-at-provider'))).location).toBe(fault('expired'));
    });

    it('takes an answer once', async () => {
      await identities.link(identityOf('ana-at-provider'), 'ana');
      const ana = await browser();
      const answer = await consent(ana, await ana.open(`${ORIGIN}/auth/provider`), 'ana-at-provider');
      await ana.open(answer);
      const first = await me(ana);
      expect((await ana.open(answer)).location).toBe(fault('expired'));
      expect(await me(ana)).toEqual(first);
      expect(await sessions.list('ana')).toHaveLength(1);
    });

    it.each(['max_age', 'nonce', 'code_challenge'])(
      'refuses where the browser has left out %s',
      async (name) => {
        await identities.link(identityOf('ana-at-provider'), 'ana');
        const ana = await browser();
        const begun = await ana.open(`${ORIGIN}/auth/provider`);
        const location = new URL(begun.location ?? '');
        location.searchParams.delete(name);
        if (name === 'code_challenge') location.searchParams.delete('code_challenge_method');
        const answer = await consent(ana, { ...begun, location: location.href }, 'ana-at-provider');
        expect((await ana.open(answer)).location).toBe(fault('failed'));
        expect(await sessions.list('ana')).toEqual([]);
      },
    );

    it('tells of a fault of the provider in its own words, and keeps codes out of the log', async () => {
      const iss = `&iss=${encodeURIComponent(provider.issuer)}`;
      for (const query of [
        `error=server_error&error_description=Call+%2B1+555${iss}`,
        `code=secret-code${iss}`,
        `code=secret-code&iss=https://evil.example`,
        'code=secret-code',
        'error=access_denied',
      ]) {
        const ana = await browser();
        const begun = await ana.open(`${ORIGIN}/auth/provider`);
        const state = new URL(begun.location ?? '').searchParams.get('state');
        const { location } = await ana.open(`${ORIGIN}/auth/provider/callback?${query}&state=${state}`);
        expect([query, location]).toEqual([query, fault('failed')]);
      }
      expect(lines.length).toBeGreaterThan(4);
      expect(lines.join('\n')).not.toContain('secret-code');
    });

    it('leaves a session alone that another page only leads to the provider', async () => {
      const ana = await browser();
      const { token } = await signedIn(ana);
      await ana.open(`${ORIGIN}/auth/provider`);
      expect(ana.cookie(ORIGIN, '__Host-sid')).toBe(token);
      expect(await me(ana)).toMatchObject({ userId: 'ana' });
    });

    describe('to link an account', () => {
      async function link(of: CookieBrowser, login: string): Promise<Page> {
        const begun = await of.submit(`${ORIGIN}/auth/provider/link`, { returnTo: '/settings' });
        return of.open(await consent(of, begun, login));
      }

      it('leaves the session and its token as they are', async () => {
        const ana = await browser();
        const { session, token } = await signedIn(ana);
        const { status, location } = await link(ana, 'ana-at-provider');
        expect([status, location]).toEqual([303, `${PAGES}/settings`]);
        expect(ana.cookie(ORIGIN, '__Host-sid')).toBe(token);
        expect(await me(ana)).toMatchObject({
          id: session.id,
          authenticatedAt: session.authenticatedAt.toISOString(),
        });
        await signIn(await browser(), 'ana-at-provider');
        expect(await sessions.list('ana')).toHaveLength(2);
        expect((await link(ana, 'ana-at-provider')).location).toBe(`${PAGES}/settings`);
      });

      it('refuses the account of somebody else', async () => {
        await identities.link(identityOf('ben-at-provider'), 'ben');
        const ana = await browser();
        const { token } = await signedIn(ana);
        expect((await link(ana, 'ben-at-provider')).location).toBe(fault('taken'));
        expect(await identities.userOf(identityOf('ben-at-provider'))).toBe('ben');
        expect(ana.cookie(ORIGIN, '__Host-sid')).toBe(token);
        expect(await me(ana)).toMatchObject({ userId: 'ana' });
      });

      it('needs a recent sign-in, from a page of our own', async () => {
        const ana = await browser();
        expect((await ana.submit(`${ORIGIN}/auth/provider/link`)).location).toBe(fault('required'));
        const { token } = await signedIn(ana);
        const foreign = await fetch(`${await app.getUrl()}/auth/provider/link`, {
          method: 'POST',
          redirect: 'manual',
          headers: {
            cookie: `__Host-sid=${token}`,
            origin: 'https://evil.example',
            'sec-fetch-site': 'cross-site',
            'x-forwarded-proto': 'https',
          },
        });
        expect(foreign.headers.get('location')).toBe(fault('failed'));
        clock.advance('6m');
        expect((await ana.submit(`${ORIGIN}/auth/provider/link`)).location).toBe(fault('confirm'));
      });

      it('is for the session that has begun it', async () => {
        const browserOfAna = await browser();
        await signedIn(browserOfAna);
        const begun = await browserOfAna.submit(`${ORIGIN}/auth/provider/link`);
        const answer = await consent(browserOfAna, begun, 'ana-at-provider');
        await signedIn(browserOfAna, { userId: 'ben' });
        expect((await browserOfAna.open(answer)).location).toBe(fault('expired'));
        await sessions.revokeAll('ben');
        expect((await browserOfAna.open(answer)).location).toBe(fault('required'));
        expect(await identities.userOf(identityOf('ana-at-provider'))).toBeNull();
      });

      it('takes no answer to a sign-in or a step-up', async () => {
        const ana = await browser();
        await signedIn(ana);
        const begin = `${ORIGIN}/auth/provider`;
        for (const send of [() => ana.open(begin), () => ana.submit(`${begin}/step-up`)]) {
          const begun = await send();
          const { search } = new URL(await consent(ana, begun, 'eve-at-provider'));
          const { location } = await ana.open(`${ORIGIN}/auth/provider/link/callback${search}`);
          expect(location).toBe(fault('expired'));
        }
        expect(await identities.userOf(identityOf('eve-at-provider'))).toBeNull();
      });
    });

    describe('to confirm who it is', () => {
      async function stepUp(of: CookieBrowser, login: string): Promise<Page> {
        const begun = await of.submit(`${ORIGIN}/auth/provider/step-up`, { returnTo: '/transfers' });
        return of.open(await consent(of, begun, login));
      }

      it('makes the same session recent, with a new token', async () => {
        await identities.link(identityOf('ana-at-provider'), 'ana');
        const ana = await browser();
        const { session, token } = await signedIn(ana, {
          userId: 'ana',
          roles: ['admin'],
          data: { tenant: 'north' },
        });
        clock.advance('10m');
        expect((await ana.open(`${ORIGIN}/recent`)).status).toBe(401);
        expect((await stepUp(ana, 'ana-at-provider')).location).toBe(`${PAGES}/transfers`);
        expect((await ana.open(`${ORIGIN}/recent`)).status).toBe(200);
        expect(await me(ana)).toMatchObject({ id: session.id, roles: ['admin'], data: { tenant: 'north' } });
        expect(ana.cookie(ORIGIN, '__Host-sid')).not.toBe(token);
      });

      it('refuses somebody else, and leaves the session as it was', async () => {
        await identities.link(identityOf('ben-at-provider'), 'ben');
        for (const login of ['ben-at-provider', 'eve-at-provider']) {
          const ana = await browser();
          const { token } = await signedIn(ana);
          clock.advance('10m');
          expect((await stepUp(ana, login)).location).toBe(fault('taken'));
          expect(ana.cookie(ORIGIN, '__Host-sid')).toBe(token);
          expect((await ana.open(`${ORIGIN}/recent`)).status).toBe(401);
        }
        expect(await sessions.list('ben')).toEqual([]);
      });

      it('needs a session', async () => {
        const ana = await browser();
        expect((await ana.submit(`${ORIGIN}/auth/provider/step-up`)).location).toBe(fault('required'));
      });
    });
  });

  describe('to an app', () => {
    const REDIRECT_URI = 'com.example.shop:/callback';
    const VERIFIER = 'a-verifier-of-at-least-forty-three-characters-0';
    let app: INestApplication;

    beforeEach(async () => {
      const { AppSignInController } = await page.run<Record<string, Type>>('app-sign-in.controller.ts');
      const { Identities, IdentityEntity } = await page.run<Record<string, Type>>('identities.ts');
      @Module({
        imports: [
          TypeOrmModule.forRoot({
            type: SQLITE_DRIVER,
            database: ':memory:',
            autoLoadEntities: true,
            synchronize: true,
          }),
          TypeOrmModule.forFeature([IdentityEntity as Type]),
          SessionModule.forRoot({ store: InMemorySessionStore }),
        ],
        controllers: [MeController, AppSignInController as Type],
        providers: [Identities as Type],
      })
      class AppModule {}
      const testing = await Test.createTestingModule({ imports: [AppModule] }).compile();
      app = testing.createNestApplication({ logger: false, forceCloseConnections: true });
      await app.listen(0, '127.0.0.1');
      const identity = { issuer: provider.issuer, subject: 'ana-at-provider' };
      await app.get<Identities>(Identities as Type).link(identity, 'ana');
    });
    afterEach(() => app.close());

    async function queryOf(parameters: Record<string, string>): Promise<URLSearchParams> {
      const asked = new URL('/auth', provider.issuer);
      const challenge = createHash('sha256').update(VERIFIER).digest('base64url');
      asked.search = String(
        new URLSearchParams({
          client_id: 'shop-app',
          response_type: 'code',
          redirect_uri: REDIRECT_URI,
          scope: 'openid',
          state: 'of the app',
          max_age: '300',
          code_challenge: challenge,
          code_challenge_method: 'S256',
          ...parameters,
        }),
      );
      const browser = new CookieBrowser({ [provider.issuer]: provider.issuer });
      const answer = await consent(browser, await browser.open(asked.href), 'ana-at-provider');
      return new URL(answer).searchParams;
    }

    async function post(query: URLSearchParams, others: object = {}) {
      const answer = await fetch(`${await app.getUrl()}/auth/provider/app`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: String(query), code_verifier: VERIFIER, ...others }),
      });
      const body = (await answer.json()) as { token?: string; code?: string; session?: { userId: string } };
      return { status: answer.status, ...body };
    }

    it('gives a token for the whole query of its redirect, once', async () => {
      for (const nonce of [undefined, 'of the app']) {
        const query = await queryOf(nonce === undefined ? {} : { nonce });
        expect(await post(query, { nonce })).toMatchObject({
          status: 201,
          token: expect.stringMatching(/^sid_/),
          session: { userId: 'ana' },
        });
        expect(await post(query, { nonce })).toMatchObject({ status: 401, code: 'sign_in_failed' });
      }
    });

    it('refuses what is not the answer to its own question', async () => {
      const refused = { status: 401, code: 'sign_in_failed' };
      const code = await queryOf({});
      code.delete('iss');
      expect(await post(code)).toMatchObject(refused);
      const other = { code_verifier: VERIFIER.replace('0', '1') };
      expect(await post(await queryOf({}), other)).toMatchObject(refused);
      expect(await post(await queryOf({ nonce: 'one' }), { nonce: 'another' })).toMatchObject(refused);
      expect(await post(await queryOf({}), { query: {}, code_verifier: [] })).toMatchObject(refused);
    });
  });

  it('knows pages of its own from other sites', async () => {
    const attempt = await page.run<{ pageAt(path: unknown): string }>('attempt.ts');
    expect(attempt.pageAt('/orders?page=2#top')).toBe(`${PAGES}/orders?page=2#top`);
    expect(attempt.pageAt('/x/..//evil.example')).toBe(`${PAGES}//evil.example`);
    for (const path of [
      'https://evil.example/',
      '//evil.example',
      '/\\evil.example',
      '\\\\evil.example',
      '/\t/evil.example',
      '/\n\\evil.example',
      'javascript:alert(1)',
      `blob:${PAGES}/x`,
      '@evil.example',
      '.evil.example',
      '//pages.example.com:444/',
      '//[',
      `/${'x'.repeat(1000)}`,
      '',
      undefined,
      ['/a', '/b'],
      { x: '/a' },
    ])
      expect([path, attempt.pageAt(path)]).toEqual([path, `${PAGES}/`]);
  });

  it('starts without the provider, and says that it is away', async () => {
    const other = await startProvider(CALLBACKS);
    const away = await RunnablePage.of(documented, { install: PROVIDERS });
    process.env['PROVIDER_ISSUER'] = other.issuer;
    const { Provider } = await away.run<{ Provider: Type<ProviderOfPage> }>('provider.ts');
    const attempt = { purpose: 'sign-in', sessionId: null, returnTo: `${PAGES}/` };
    const known = new Provider();
    expect((await known.begin({}, attempt)).url).toContain(other.issuer);
    process.env['PROVIDER_ISSUER'] = provider.issuer;
    await other.stop();
    expect((await known.begin({}, attempt)).url).toContain(other.issuer);
    await expect(new Provider().begin({}, attempt)).rejects.toMatchObject({ fault: 'failed' });
    await away.dispose();
  });
});

await describeOnEachDatabase((leg) => {
  describeWithProviders('an account of a provider', () => {
    it('goes to one of those who link it at once, however it is written', async () => {
      const { options, drop } = await leg.create();
      const page = await RunnablePage.of(documented, { install: PROVIDERS });
      const { Identities, IdentityEntity } = await page.run<Record<string, Type>>('identities.ts');
      const source = new DataSource({ ...options, entities: [IdentityEntity as Type], synchronize: true });
      await source.initialize();
      const identities = new (Identities as Type<Identities>)(source.getRepository(IdentityEntity as Type));
      const identity = { issuer: 'https://provider.example.com', subject: 'Ana' };
      const users = Array.from({ length: 8 }, (_, number) => `user ${number}`);
      const linked = await Promise.all(users.map((userId) => identities.link(identity, userId)));
      expect(linked.filter(Boolean)).toHaveLength(1);
      expect(await identities.userOf(identity)).toBe(users[linked.indexOf(true)]);
      expect(await identities.userOf({ ...identity, subject: 'ana' })).toBeNull();
      await source.destroy();
      await page.dispose();
      await drop();
    });
  });
});
