import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { inspect } from 'node:util';
import { Body, Controller, Get, HttpCode, Post, Req, StreamableFile } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import {
  Public,
  RequireRecentAuth,
  RequireSession,
  sessionOf,
  type SessionPrincipal,
  StartSession,
} from 'nestjs-sessions';
import { TestClock } from 'nestjs-sessions/testing';
import {
  createSessionClient,
  type SessionClientEvent,
  type SessionClientOptions,
} from 'nestjs-sessions/client';
import { PLATFORMS } from '../support/platforms.js';
import { AccountController } from '../support/sign-in.js';
import { appsOn, breakStore, countRows, type TestApp } from '../support/test-app.js';

@Controller()
class BankController {
  @HttpCode(200) @RequireSession() @StartSession() @Post('step-up') stepUp(
    @Body() { userId, password }: { userId: string; password: string },
  ): SessionPrincipal | null {
    return password === 'secret' ? { userId } : null;
  }

  @HttpCode(200)
  @StartSession({ answer: () => ({ user: { name: 'Ana' }, userId: 'eve' }) })
  @Post('greeting')
  greeting() {
    return { userId: 'ana' };
  }

  @HttpCode(200) @RequireRecentAuth('5m') @Post('transfers') transfer(
    @Body() body: object,
    @Req() request: never,
  ) {
    return { body, by: sessionOf(request)?.userId };
  }

  @HttpCode(202) @Get('news') news() {
    const parts = new PassThrough();
    parts.write('first, ');
    finishNews = () => parts.end('last');
    return new StreamableFile(parts, { type: 'text/plain' });
  }

  @HttpCode(200) @Public() @Post('echo') echo(@Body() body: object) {
    return { body };
  }
}

let finishNews: () => void = () => {};

const controllers = [AccountController, BankController];
const DEAD = { statusCode: 401, code: 'session_invalid' };

function clientOf({ app }: TestApp, options: Partial<SessionClientOptions> = {}) {
  const { port } = app.getHttpServer().address() as AddressInfo;
  const tokens = new Set<string>();
  const client = createSessionClient({
    origin: `http://127.0.0.1:${port}`,
    signOutPath: '/logout',
    // Somebody who reads along.
    fetch: ((input: string, init: RequestInit) => {
      const shown = new Headers(init.headers).get('Authorization');
      if (shown) tokens.add(shown.slice('Bearer '.length));
      return fetch(input, init);
    }) as never,
    ...options,
  });
  const events: SessionClientEvent['type'][] = [];
  for (const type of ['signed-in', 'renewed', 'ended', 'step-up'] as const) {
    client.on(type, () => events.push(type));
  }
  return { client, events, tokens };
}

describe.each(PLATFORMS)('against a server on %s', (platform) => {
  const start = appsOn(platform);

  it('signs in, is known, and signs out, here and there', async () => {
    const app = await start({ controllers });
    const { client, tokens } = clientOf(app);
    const session = await client.signIn('/login', { userId: 'ana', roles: ['admin'] });
    expect(session).toMatchObject({ userId: 'ana', roles: ['admin'], level: 1 });
    expect(await (await client.fetch('/me')).json()).toMatchObject({ id: session.id });
    expect(await client.signOut()).toBe(true);
    expect(await countRows(app)).toBe(0);
    expect((await client.fetch('/me')).status).toBe(401);
    const [copy = ''] = tokens;
    expect((await app.sessions.validate(copy)).session).toBeNull();
  });

  it('is told what else the answer has, and neither the token nor anything in place of the session', async () => {
    const { client } = clientOf(await start({ controllers }));
    const signedIn = await client.signIn<{ user: { name: string } }>('/greeting', {});
    expect(signedIn).toMatchObject({ userId: 'ana', level: 1, user: { name: 'Ana' } });
    expect(Object.keys(signedIn)).not.toContain('token');
  });

  it('goes on with renewed tokens, also when requests overlap', async () => {
    const clock = new TestClock();
    const app = await start({ controllers, options: { clock: clock.now, timeouts: { renewal: '5m' } } });
    const { client, events, tokens } = clientOf(app);
    await client.signIn('/login', { userId: 'ana' });
    for (let round = 0; round < 5; round++) {
      clock.advance('6m');
      const answers = await Promise.all(Array.from({ length: 8 }, () => client.fetch('/me')));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      expect((await client.fetch('/me')).status).toBe(200);
    }
    expect(tokens.size).toBe(6);
    expect(events).not.toContain('ended');
    expect(app.events.map(({ type }) => type)).not.toContain('reuse-detected');
  });

  it('keeps a renewed token from the app, whose answer is otherwise as it was and streams', async () => {
    const clock = new TestClock();
    const app = await start({ controllers, options: { clock: clock.now, timeouts: { renewal: '5m' } } });
    const { client, events } = clientOf(app);
    await client.signIn('/login', { userId: 'ana' });
    clock.advance('6m');
    const reading = client.fetch('/news');
    const answer = await reading;
    expect(events).toContain('renewed');
    const copy = answer.clone();
    for (const one of [answer, copy, copy.clone()]) {
      expect(one).toBeInstanceOf(Response);
      expect(one.headers.has('Session-Token')).toBe(false);
      expect(inspect(one, { showHidden: true, depth: null, getters: true })).not.toMatch(/sid_/);
      expect(one).toMatchObject({
        status: 202,
        statusText: 'Accepted',
        ok: true,
        redirected: false,
        url: expect.stringMatching(/^http:.*\/news$/),
      });
      expect(one.headers.get('Content-Type')).toMatch('text/plain');
    }
    // The first part is here before the last is sent.
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    expect(await reader?.read()).toEqual({ done: false, value: 'first, ' });
    finishNews();
    expect(await reader?.read()).toEqual({ done: false, value: 'last' });
    expect(await copy.text()).toBe('first, last');
  });

  it('answers the step-up challenge, once for all who wait, and repeats the requests', async () => {
    const clock = new TestClock();
    const app = await start({ controllers, options: { clock: clock.now } });
    const challenges: unknown[] = [];
    const { client, events, tokens } = clientOf(app, {
      onStepUp: async (challenge) => {
        challenges.push(challenge);
        const wrong = client.signIn('/step-up', { userId: 'ana', password: 'wrong' });
        await expect(wrong).rejects.toMatchObject({ code: 'sign_in_failed', status: 401 });
        await client.signIn('/step-up', { userId: 'ana', password: 'secret' });
      },
    });
    const { id } = await client.signIn('/login', { userId: 'ana' });
    clock.advance('10m');
    const request = {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"amount":1}',
    };
    const answers = await Promise.all(
      Array.from({ length: 5 }, async () => (await client.fetch('/transfers', request)).json()),
    );
    expect(answers).toEqual(Array.from({ length: 5 }, () => ({ body: { amount: 1 }, by: 'ana' })));
    expect(challenges).toEqual([{ maxAge: 300, acrValues: null }]);
    expect(events).toEqual(['signed-in', 'step-up', 'signed-in']);
    expect(await (await client.fetch('/me')).json()).toMatchObject({ id });
    expect(tokens.size).toBe(2);
  });

  it('repeats a Request with its body', async () => {
    const clock = new TestClock();
    const app = await start({ controllers, options: { clock: clock.now } });
    const { client } = clientOf(app, {
      onStepUp: () => client.signIn('/step-up', { userId: 'ana', password: 'secret' }),
    });
    await client.signIn('/login', { userId: 'ana' });
    clock.advance('10m');
    const { port } = app.app.getHttpServer().address() as AddressInfo;
    const request = new Request(`http://127.0.0.1:${port}/transfers`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"amount":2}',
    });
    expect(await (await client.fetch(request)).json()).toEqual({ body: { amount: 2 }, by: 'ana' });
  });

  it('loses nothing when other requests run into a step-up', async () => {
    const app = await start({ controllers });
    const { client, events } = clientOf(app);
    await client.signIn('/login', { userId: 'ana' });
    for (let round = 0; round < 5; round++) {
      const answers = await Promise.all([
        client.fetch('/me'),
        client.fetch('/me'),
        client
          .signIn('/step-up', { userId: 'ana', password: 'secret' })
          .then(() => new Response('', { status: 200 })),
        client.fetch('/me'),
        client.fetch('/me'),
      ]);
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    }
    expect(events).not.toContain('ended');
  });

  it('discards the token when the session has been ended elsewhere', async () => {
    const app = await start({ controllers });
    const { client, events } = clientOf(app);
    await client.signIn('/login', { userId: 'ana' });
    await app.sessions.revokeAll('ana');
    expect(await (await client.fetch('/me')).json()).toMatchObject(DEAD);
    expect(await (await client.fetch('/me')).json()).toMatchObject({ code: 'session_required' });
    expect(events).toEqual(['signed-in', 'ended']);
  });

  it('keeps the token while the store is away', async () => {
    const app = await start({ controllers });
    const { client } = clientOf(app);
    await client.signIn('/login', { userId: 'ana' });
    const mend = breakStore(app);
    expect((await client.fetch('/me')).status).toBe(503);
    mend();
    expect((await client.fetch('/me')).status).toBe(200);
  });

  it('says that a sign-out did not reach the server', async () => {
    const app = await start({ controllers });
    const { client } = clientOf(app);
    await client.signIn('/login', { userId: 'ana' });
    const mend = breakStore(app);
    expect(await client.signOut()).toBe(false);
    mend();
    expect((await client.fetch('/me')).status).toBe(401);
  });

  it('leaves one session after a double tap on the button', async () => {
    const app = await start({ controllers });
    const { client } = clientOf(app);
    await Promise.allSettled([
      client.signIn('/login', { userId: 'ana' }),
      client.signIn('/login', { userId: 'ana' }),
    ]);
    expect((await client.fetch('/me')).status).toBe(200);
    for (let wait = 0; wait < 100 && (await countRows(app)) > 1; wait++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(await countRows(app)).toBe(1);
  });

  it('may post without a body', async () => {
    const app = await start({ controllers });
    const { client } = clientOf(app);
    const headers = { 'Content-Type': 'application/json' };
    expect((await client.fetch('/echo', { method: 'POST', headers })).status).toBe(200);
  });

  it('tells of a route with the other transport', async () => {
    const app = await start({ controllers });
    const { client } = clientOf(app);
    await expect(client.signIn('/web/login', { userId: 'ana' })).rejects.toMatchObject({
      code: 'not_a_session',
    });
  });
});
