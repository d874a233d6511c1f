import { Body, Controller, Get, Logger, Post, Query, Req } from '@nestjs/common';
import { hash } from 'node:crypto';
import { inspect } from 'node:util';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import {
  type ActiveSession,
  CurrentSession,
  RequireSession,
  type SessionPrincipal,
  SessionService,
  sessionOf,
  StartSession,
} from 'nestjs-sessions';
import { TestClock } from 'nestjs-sessions/testing';
import type { Response } from 'supertest';
import { PLATFORMS } from '../support/platforms.js';
import { AccountController, bearer, cookieIn, signIn, signInByCookie } from '../support/sign-in.js';
import { appsOn, breakStore, type TestApp } from '../support/test-app.js';

@Controller()
class TalkativeController {
  private readonly logger = new Logger('Talkative');

  constructor(private readonly sessions: SessionService) {}

  /** Logs all that a handler can get hold of, in the ways that people do. */
  @Get('talk') async talk(@CurrentSession() session: ActiveSession, @Req() request: object) {
    const listed = await this.sessions.list(session.userId);
    for (const value of [session, sessionOf(request), listed, await this.sessions.get(session.id)]) {
      this.logger.log(JSON.stringify(value));
      this.logger.log(inspect(value, { depth: null, showHidden: true, getters: true }));
      this.logger.log(JSON.stringify({ ...value }));
      this.logger.log(value);
    }
    return { session, listed, spread: { ...session } };
  }
  @RequireSession() @StartSession() @Post('step-up') stepUp(@Body() body: SessionPrincipal) {
    return body;
  }
  @StartSession() @Post('wrong') wrong(@Query('how') how: string) {
    return { userId: how === 'object' ? {} : 5 } as never;
  }
}

const controllers = [AccountController, TalkativeController];

/** What of a token must show up nowhere: the whole and its secret, however written; and its series. */
function partsOf(token: string): { secret: string[]; series: string[] } {
  const bytes = Buffer.from(token.slice(4, 68), 'base64url');
  return {
    secret: [
      token,
      token.slice(26, 68),
      bytes.subarray(16).toString('hex'),
      bytes.subarray(16).toString('base64'),
    ],
    series: [token.slice(4, 25), bytes.subarray(0, 16).toString('hex')],
  };
}

/** A token as anybody can make it who knows the bytes. */
function forge(bytes: Buffer): string {
  const unsigned = `sid_${bytes.toString('base64url')}`;
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(unsigned));
  return unsigned + checksum.toString('base64url');
}

async function allRows({ dataSource }: TestApp): Promise<string> {
  const tables = (await dataSource.query("SELECT name FROM sqlite_master WHERE type = 'table'")) as {
    name: string;
  }[];
  expect(tables.map(({ name }) => name)).toEqual(expect.arrayContaining(['sessions', 'session_users']));
  const rows = await Promise.all(tables.map(async ({ name }) => dataSource.query(`SELECT * FROM "${name}"`)));
  return JSON.stringify(rows);
}

describe.each(PLATFORMS)('on %s', (platform) => {
  const start = appsOn(platform);

  it('no token shows up in the database, the log, an event, a list, a URL or an answer that does not deliver it', async () => {
    const clock = new TestClock();
    const options = { clock: clock.now, maxSessionsPerUser: 5, timeouts: { renewal: '10m' } } as const;
    const app = await start({ controllers, options });
    const { http, sessions } = app;
    const [tokens, rows, answers, urls]: [string[], string[], string[], string[]] = [[], [], [], []];
    const issue = (token: unknown): string => {
      expect(token).toMatch(/^sid_/);
      tokens.push(token as string);
      return token as string;
    };
    const keep = async (answer: Response): Promise<void> => {
      rows.push(await allRows(app));
      answers.push(answer.text);
      urls.push((answer as unknown as { request: { url: string } }).request.url);
    };

    // Sign-in by both transports, an anonymous session, and what handlers see of it.
    const first = issue(await signIn(app, { userId: 'ana', roles: ['admin'], data: { cart: ['book'] } }));
    const visit = issue((await sessions.createAnonymous({ a: 1 })).token);
    const cookie = await signInByCookie(app);
    issue(cookie.split('=')[1]);
    await keep(await http.get('/talk').set(bearer(first)).expect(200));
    await keep(await http.get('/talk').set('Cookie', cookie).expect(200));
    await keep(await http.get('/visit').set(bearer(visit)).expect(200));
    // Step-up, rotation, renewal by both transports: here the successor is sealed in the row.
    const stepUp = await http
      .post('/step-up')
      .set(bearer(first))
      .send({ userId: 'ana', level: 2 })
      .expect(201);
    const second = issue(stepUp.body.token);
    const third = issue((await sessions.rotate(stepUp.body.session.id as string)).token);
    await keep(await http.get('/talk').set(bearer(third)).expect(200));
    clock.advance('11m');
    const renewed = await http.get('/talk').set(bearer(third)).expect(200);
    const fourth = issue(renewed.headers['session-token']);
    await keep(renewed);
    const byCookie = await http.get('/talk').set('Cookie', cookie).expect(200);
    issue(cookieIn(byCookie).split('=')[1]);
    await keep(byCookie);
    await keep(await http.get('/talk').set(bearer(fourth)).expect(200));
    // Everything that is refused.
    for (const path of ['/level2?x=1', '/nowhere', '/admin'])
      await keep(await http.get(path).set('Cookie', cookie));
    await keep(await http.get('/me').set(bearer(second)));
    await keep(await http.get('/me').set(bearer(`${fourth}x`)));
    await keep(await http.get('/me').set(bearer(fourth.replace('sid_', 'sid-'))));
    await keep(await http.get('/me').set('Host', 'app.example.com').set(bearer(fourth)));
    await keep(await http.post('/act').set('Cookie', cookie).set('Sec-Fetch-Site', 'cross-site'));
    await keep(await http.post('/wrong?how=object').set(bearer(fourth)));
    await keep(await http.post('/wrong?how=number').set('Cookie', cookie));
    const error = await sessions.rotate(fourth).catch((thrown: unknown) => thrown);
    answers.push(inspect(error, { depth: null }));
    answers.push(inspect(await sessions.list(fourth).catch((thrown: unknown) => thrown), { depth: null }));
    answers.push(inspect(await sessions.get(''.padEnd(300, fourth)).catch((thrown: unknown) => thrown)));
    answers.push(inspect(await sessions.validate(`${fourth}x`)));
    // An outage, reuse, the timeout, sign-out.
    const restore = breakStore(app);
    await http.get('/me').set(bearer(fourth)).expect(503);
    await http.post('/logout').set(bearer(fourth)).expect(503);
    restore();
    clock.advance('31s');
    await keep(await http.get('/me').set(bearer(third)));
    clock.advance('1h');
    await keep(await http.get('/me').set('Cookie', cookie));
    await keep(await http.post('/logout').set('Cookie', cookie));
    await keep(await http.post('/logout').set(bearer(visit)));

    const places = {
      rows,
      answers,
      urls,
      logs: app.logs.texts(),
      events: app.events.map((event) => inspect(event)),
    };
    expect(tokens).toHaveLength(7);
    expect(app.logs.texts().length).toBeGreaterThan(50);
    expect(app.events.map(({ type }) => type)).toEqual(expect.arrayContaining(['renewed', 'reuse-detected']));
    for (const [place, texts] of Object.entries(places)) {
      const text = texts.join('\n');
      // The rows have a test of their own for series.
      const parts = tokens
        .map(partsOf)
        .flatMap(({ secret, series }) => (place === 'rows' ? secret : [...secret, ...series]));
      expect([place, parts.filter((part) => text.includes(part))]).toEqual([place, []]);
    }
    // Hashes stay in their table: they too have no business anywhere else.
    const hashes = tokens.map((token) => hash('sha256', token));
    expect(rows.join()).toContain(hashes[0]);
    for (const texts of [answers, places.logs, places.events]) {
      const text = texts.join('\n');
      expect(hashes.filter((value) => text.includes(value))).toEqual([]);
      expect(text).not.toMatch(/(token|series|previous)_?[hH]ash/);
    }
  });

  it('with a key a series too is at rest only as a hash, before and after each way to get a new token', async () => {
    const clock = new TestClock();
    const options = { clock: clock.now, timeouts: { renewal: '10m' }, secret: 'k'.repeat(32) } as const;
    const app = await start({ controllers, options });
    const tokens = [await signIn(app)];
    const rows = [await allRows(app)];
    const next = async (token: unknown): Promise<void> => {
      tokens.push(token as string);
      rows.push(await allRows(app));
    };
    const stepUp = await app.http
      .post('/login')
      .set(bearer(tokens[0] as string))
      .send({ userId: 'ana' });
    await next(stepUp.body.token);
    await app.http.get('/me').set(bearer(tokens[1] as string));
    clock.advance('11m');
    const renewed = await app.http
      .get('/me')
      .set(bearer(tokens[1] as string))
      .expect(200);
    await next(renewed.headers['session-token']);
    await next((await app.sessions.rotate(stepUp.body.session.id as string)).token);
    const found = tokens.flatMap((token) =>
      partsOf(token).series.filter((part) => rows.join().includes(part)),
    );
    expect(found).toEqual([]);
  });

  it('with a key who has read the database can end no session: only a genuine token can be found to be reused', async () => {
    const clock = new TestClock();
    // The attacker is granted the key's checksum too: tokens from before the key are accepted.
    const secret = { keys: ['k'.repeat(32)], acceptUnkeyed: true };
    const app = await start({ controllers, options: { clock: clock.now, secret } });
    const { session } = await app.sessions.create({ userId: 'ana' });
    const leaked = (await app.dataSource.query('SELECT * FROM sessions')) as [Record<string, string>];
    const { token } = await app.sessions.rotate(session.id);
    leaked.push(...((await app.dataSource.query('SELECT * FROM sessions')) as typeof leaked));
    await app.http.get('/me').set(bearer(token)).expect(200);
    clock.advance('31s');
    for (const value of leaked.flatMap((row) => Object.values(row).map(String))) {
      if (!/^[0-9a-f]{64}$/.test(value)) continue;
      const bytes = Buffer.concat([Buffer.from(value, 'hex').subarray(0, 16), Buffer.alloc(32)]);
      await app.http
        .get('/me')
        .set(bearer(forge(bytes)))
        .expect(401);
    }
    expect(app.events.map(({ type }) => type)).not.toContain('reuse-detected');
    await app.http.get('/me').set(bearer(token)).expect(200);
  });

  it('the row of a renewal opens only with the old token: the successor in it is sealed', async () => {
    const clock = new TestClock();
    const app = await start({ controllers, options: { clock: clock.now, timeouts: { renewal: '10m' } } });
    const token = await signIn(app);
    clock.advance('11m');
    await app.http.get('/me').set(bearer(token)).expect(200);
    const [row] = (await app.dataSource.query('SELECT successor FROM sessions')) as [{ successor: string }];
    const text = Buffer.from(row.successor, 'base64url').toString('latin1');
    expect(text.length).toBeGreaterThan(70);
    expect(text).not.toContain('sid_');
    await app.http.get('/me').set(bearer(row.successor)).expect(401);
  });
});
