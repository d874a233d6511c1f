import { Body, Controller, Get, type INestApplicationContext, Post, Sse } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { WsAdapter } from '@nestjs/platform-ws';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { build } from 'esbuild';
import { Background, Public, type SessionPrincipal, StartSession } from 'nestjs-sessions';
import { recordSessionEvents, signInAs } from 'nestjs-sessions/testing';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { interval, map } from 'rxjs';
import { describeWithChromium, launch } from '../browser/support/chromium.js';
import { type EdgeApp, edgeApps } from './support/edge-apps.js';

@Controller()
class Pages {
  @Public() @Get() page() {
    return 'A page';
  }
  @StartSession() @Post('sign-in') signIn(@Body() principal: SessionPrincipal) {
    return principal;
  }
  @Background() @Get('status') status() {
    return {};
  }
  @Sse('stream') stream() {
    return interval(50).pipe(map((count) => ({ data: `${count}` })));
  }
}

@WebSocketGateway()
class Chat {
  @SubscribeMessage('say') say() {
    return { event: 'said', data: null };
  }
}

/** Opens a socket, and leaves what becomes of it in the page. Text, since it runs in the browser. */
const OPEN = `(address) => {
  const socket = new WebSocket(address);
  globalThis.isOpen = new Promise((resolve) => socket.addEventListener('open', () => resolve(true)));
  globalThis.end = new Promise((resolve) =>
    socket.addEventListener('close', ({ code, reason }) => resolve({ code, reason })),
  );
}`;

/** The helper for apps, as a page has it. */
const CLIENT = await build({
  entryPoints: ['src/client/index.ts'],
  bundle: true,
  format: 'iife',
  globalName: 'helper',
  write: false,
}).then(({ outputFiles: [file] }) => file?.text ?? '');

describeWithChromium().each(['express', 'fastify'] as const)('in Chromium, on %s', (platform) => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  });
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
  });
  afterAll(() => browser.close());
  const startApp = edgeApps();

  const start = () =>
    startApp({
      platform,
      controllers: [Pages],
      providers: [Chat],
      configure: (app) => app.useWebSocketAdapter(new WsAdapter(app as INestApplicationContext)),
    });

  /** A page of the application, in a browser that has the cookie of a session. */
  async function visit({ app, url }: EdgeApp, at = url): Promise<Page> {
    const { cookie } = await signInAs(app, { userId: 'ana' });
    const [name = '', value = ''] = cookie.cookie.split('=');
    const context = await browser.newContext();
    await context.addCookies([{ name, value, url, httpOnly: true, sameSite: 'Lax' }]);
    const page = await context.newPage();
    await page.goto(at);
    return page;
  }

  const socketAddress = ({ url }: EdgeApp) => url.replace('http', 'ws');
  const open = (page: Page, address: string) => page.evaluate(`(${OPEN})('${address}')`);

  it('a page reads why its socket has ended', async () => {
    const app = await start();
    const page = await visit(app);
    await open(page, socketAddress(app));
    expect(await page.evaluate('isOpen')).toBe(true);
    await app.sessions.revokeAll('ana');
    expect(await page.evaluate('end')).toEqual({ code: 4401, reason: 'session_invalid' });
  });

  it('a page of another port gets no socket, though the browser sends the cookie', async () => {
    const app = await start();
    const sibling = createServer((_, response) => response.end('Another page')).listen(0, '127.0.0.1');
    await once(sibling, 'listening');
    const page = await visit(app, `http://127.0.0.1:${(sibling.address() as AddressInfo).port}`);
    const recorder = recordSessionEvents(app.app);
    await open(page, socketAddress(app));
    expect(await page.evaluate('end')).toEqual({ code: 1006, reason: '' });
    expect(recorder.of('refused').map(({ code }) => code)).toEqual(['cross_origin']);
    sibling.close().closeAllConnections();
  });

  it('an EventSource ends with its session, and does not come back', async () => {
    const app = await start();
    const page = await visit(app);
    await page.evaluate(`new Promise((resolve) => {
      const source = new EventSource('/stream');
      source.addEventListener('message', resolve);
      globalThis.hasClosed = new Promise((done) =>
        source.addEventListener('error', () => source.readyState === EventSource.CLOSED && done(true)),
      );
    }).then(() => {})`);
    const recorder = recordSessionEvents(app.app);
    await app.sessions.revokeAll('ana');
    expect(await page.evaluate('hasClosed')).toBe(true);
    expect(recorder.of('refused').map(({ code }) => code)).toEqual(['session_invalid']);
  });

  it('the helper for apps shows its token as a protocol, and tells that the session is over', async () => {
    const app = await start();
    const page = await (await browser.newContext()).newPage();
    await page.goto(app.url);
    await page.addScriptTag({ content: CLIENT });
    await page.evaluate(`(async () => {
      const session = helper.createSessionClient({ origin: location.origin, signOutPath: '/out', statusPath: '/status' });
      globalThis.reasons = [];
      session.on('ended', ({ reason }) => reasons.push(reason));
      await session.signIn('/sign-in', { userId: 'ana' });
      globalThis.connect = () => new Promise((resolve, reject) => {
        const socket = new WebSocket('${socketAddress(app)}', session.socketProtocols('${socketAddress(app)}', 'app'));
        globalThis.end = new Promise((ended) =>
          socket.addEventListener('close', (event) => ended(session.socketEnded(event))),
        );
        socket.addEventListener('open', () => resolve(socket.protocol));
        socket.addEventListener('error', () => resolve('refused'));
      });
    })()`);
    expect(await page.evaluate('connect()')).toBe('app');
    await app.sessions.revokeAll('ana');
    expect(await page.evaluate('end')).toBe('session_invalid');
    expect(await page.evaluate('reasons')).toEqual(['session_invalid']);
  });

  it('the helper for apps learns why a handshake was refused, which the browser hides', async () => {
    const app = await start();
    const page = await (await browser.newContext()).newPage();
    await page.goto(app.url);
    await page.addScriptTag({ content: CLIENT });
    const told = await page.evaluate(`(async () => {
      const session = helper.createSessionClient({
        origin: location.origin, signOutPath: '/out', statusPath: '/status', transport: 'cookie',
      });
      const socket = new WebSocket('${socketAddress(app)}');
      return new Promise((resolve) => socket.addEventListener('close', async (event) =>
        resolve([event.code, await session.socketEnded(event)]),
      ));
    })()`);
    expect(told).toEqual([1006, 'session_required']);
  });
});
