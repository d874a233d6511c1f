import type { INestApplication, Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { SessionModule, SessionService } from 'nestjs-sessions';
import { InMemorySessionStore } from 'nestjs-sessions/testing';
import request from 'supertest';
import { DataSource } from 'typeorm';
import { pageAt } from '../docs/pages.js';
import { RunnablePage } from '../docs/running.js';
import { describeOnEachDatabase, type TestDatabase } from '../support/databases.js';

/* While express-session runs too, whoever has a copy of its cookie tries to get back in by the bridge of the page. */

interface Incoming {
  readonly headers: { readonly cookie?: string };
  session: object;
}

interface OldSessions {
  end(userId: string): Promise<void>;
}

await describeOnEachDatabase((leg) => {
  if (leg.name !== 'PostgreSQL') return; // that of the page

  let page: RunnablePage;
  let database: TestDatabase;
  let source: DataSource;
  let app: INestApplication;
  /** When the user has been read. */
  let hasRead: () => Promise<void>;

  beforeAll(async () => {
    page = await RunnablePage.of(pageAt('docs/upgrading-from-express-session.md'));
  });
  afterAll(() => page.dispose());

  beforeEach(async () => {
    database = await leg.create();
    source = await new DataSource(database.options).initialize();
    await source.query('CREATE TABLE users (id text, may_bring_over boolean)');
    await source.query('CREATE TABLE session (sid text PRIMARY KEY, sess json)');
    await source.query(`INSERT INTO users VALUES ('7', true), ('8', true)`);
    await source.query(`INSERT INTO session VALUES ('ana', '{"userId": 7}'), ('ben', '{"userId": 8}')`);
    hasRead = async () => {};
    const { BridgeController, OldUsers } = await page.run<Record<string, Type>>('bridge.controller.ts');
    const byId = async (userId: string) => {
      const [user] = await source.query('SELECT * FROM users WHERE id = $1', [userId]);
      await hasRead();
      return { id: userId, roles: [], mayBringOver: user.may_bring_over };
    };
    const testing = await Test.createTestingModule({
      imports: [SessionModule.forRoot({ store: InMemorySessionStore, transport: 'cookie' })],
      controllers: [BridgeController as Type],
      providers: [{ provide: OldUsers as Type, useValue: { byId } }],
    }).compile();
    app = testing.createNestApplication({ logger: false });
    app.use(expressSession);
    await app.init();
  });
  afterEach(async () => {
    await app.close();
    await source.destroy();
    await database.drop();
  });

  /** Reads its row when a request comes. */
  async function expressSession(incoming: Incoming, _: unknown, next: () => void) {
    const sid = /connect\.sid=(\w+)/.exec(incoming.headers.cookie ?? '')?.[1] ?? '';
    const [row] = await source.query('SELECT sess FROM session WHERE sid = $1', [sid]);
    incoming.session = row?.sess ?? {};
    next();
  }

  const bringOver = (sid: string) =>
    request(app.getHttpServer()).post('/auth/bring-over').set('Cookie', `connect.sid=${sid}`);

  /** As after a change of password. */
  async function endAll() {
    const { OldSessions } =
      await page.run<Record<string, new (of: DataSource) => OldSessions>>('old-sessions.ts');
    await new OldSessions!(source).end('7');
    await app.get(SessionService, { strict: false }).revokeAll('7');
  }

  it('they are not brought over any more when all sessions of the user have been ended', async () => {
    await bringOver('ana').expect(201);
    await endAll();
    expect((await bringOver('ana').expect(401)).body.code).toBe('session_required');
    expect(await source.query('SELECT sid FROM session')).toEqual([{ sid: 'ben' }]);
    await bringOver('ben').expect(201);
  });

  it('neither when a request that was under way has stored the old session again', async () => {
    await endAll();
    await source.query(`INSERT INTO session VALUES ('ana', '{"userId": 7}')`);
    expect((await bringOver('ana').expect(401)).body.code).toBe('session_required');
  });

  it('nor by a request to the bridge that is under way meanwhile', async () => {
    hasRead = endAll;
    expect((await bringOver('ana').expect(401)).body.code).toBe('session_invalid');
    expect(await app.get(SessionService, { strict: false }).list('7')).toEqual([]);
  });
});
