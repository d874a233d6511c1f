import { type INestApplication, Module, type Type } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { SessionModule, SessionService } from 'nestjs-sessions';
import { InMemorySessionStore } from 'nestjs-sessions/testing';
import { CookieBrowser } from '../support/cookie-browser.js';
import {
  configurePage,
  consent,
  describeWithProviders,
  type ProviderProcess,
  PROVIDERS,
  startProvider,
} from '../support/provider-process.js';
import { SQLITE_DRIVER } from '../support/sqlite-driver.js';
import { fileNameOf, pageAt } from './pages.js';
import { RunnablePage } from './running.js';

const ORIGIN = 'https://app.example.com';
const documented = pageAt('docs/provider-sign-in.md');

interface Identities {
  link(identity: { issuer: string; subject: string }, userId: string): Promise<boolean>;
}

describeWithProviders('the page on sign-in with another provider, by OAuth 2.0 alone', () => {
  let provider: ProviderProcess;
  let page: RunnablePage;
  let app: INestApplication;
  let lines: string[];

  beforeAll(async () => {
    provider = await startProvider([`${ORIGIN}/auth/provider/callback`]);
    configurePage(provider, ORIGIN, ORIGIN);
    const strategy = documented.blocks.find((block) => fileNameOf(block) === 'oauth2.strategy.ts')!;
    page = await RunnablePage.of(documented, {
      install: PROVIDERS,
      instead: { 'provider.strategy.ts': strategy },
    });
  });
  afterAll(async () => {
    await page.dispose();
    await provider.stop();
  });

  beforeEach(async () => {
    const { PassportProviderModule } = await page.run<{ PassportProviderModule: Type }>(
      'passport-provider.module.ts',
    );
    const { Identities } = await page.run<{ Identities: Type<Identities> }>('identities.ts');
    lines = [];
    @Module({
      imports: [
        TypeOrmModule.forRoot({
          type: SQLITE_DRIVER,
          database: ':memory:',
          autoLoadEntities: true,
          synchronize: true,
        }),
        SessionModule.forRoot({ store: InMemorySessionStore }),
        PassportProviderModule,
      ],
    })
    class AppModule {}
    const testing = await Test.createTestingModule({ imports: [AppModule] }).compile();
    const nest = testing.createNestApplication<NestExpressApplication>({
      logger: { log() {}, warn() {}, error() {}, debug: (line) => void lines.push(String(line)) },
      forceCloseConnections: true,
    });
    nest.set('trust proxy', true);
    await nest.listen(0, '127.0.0.1');
    app = nest;
    for (const name of ['ana', 'eve'])
      await app
        .get(Identities, { strict: false })
        .link({ issuer: `${provider.issuer}/`, subject: `${name}-at-provider` }, name);
  });
  afterEach(() => app.close());

  const browser = async () =>
    new CookieBrowser({ [ORIGIN]: await app.getUrl(), [provider.issuer]: provider.issuer });
  const begin = (of: CookieBrowser) => of.open(`${ORIGIN}/auth/provider?returnTo=/orders`);
  const sessionsOf = (userId: string) => app.get(SessionService, { strict: false }).list(userId);

  it('signs in, and takes an answer once', async () => {
    const ana = await browser();
    const begun = await begin(ana);
    const asked = new URL(begun.location ?? '').searchParams;
    expect(asked.get('state')).toMatch(/.{20,}/);
    expect(asked.get('code_challenge')).toMatch(/.{40,}/);
    const answer = await consent(ana, begun, 'ana-at-provider');
    expect((await ana.open(answer)).location).toBe(`${ORIGIN}/orders`);
    expect(await sessionsOf('ana')).toHaveLength(1);
    expect((await ana.open(answer)).location).toBe(`${ORIGIN}/sign-in?error=expired`);
  });

  it('tells whoever has said no at the provider', async () => {
    const ana = await browser();
    const asked = await ana.open((await begin(ana)).location ?? '');
    const back = await ana.open(`${asked.location}/abort`);
    const answer = await ana.open((await ana.open(back.location ?? '')).location ?? '');
    expect(answer.location).toBe(`${ORIGIN}/sign-in?error=cancelled`);
  });

  it('signs nobody in by an answer that this browser has not asked for, and says in the log why', async () => {
    const [eve, ana] = [await browser(), await browser()];
    const planted = await consent(eve, await begin(eve), 'eve-at-provider');
    const withoutState = new URL(planted);
    withoutState.searchParams.delete('state');
    expect((await ana.open(planted)).location).toBe(`${ORIGIN}/sign-in?error=expired`);
    await begin(ana);
    for (const answer of [planted, withoutState.href])
      expect((await ana.open(answer)).location).toBe(`${ORIGIN}/sign-in?error=expired`);
    expect(await sessionsOf('eve')).toEqual([]);
    expect(lines).toEqual([
      expect.stringContaining('has begun no such attempt'),
      expect.stringContaining('has not the `state` of the attempt'),
      expect.stringContaining('has not the `state` of the attempt'),
    ]);
  });
});
