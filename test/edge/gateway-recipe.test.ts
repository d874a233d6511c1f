import type { Type } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { afterAll, expect, it } from '@jest/globals';
import { signInAs } from 'nestjs-sessions/testing';
import { io } from 'socket.io-client';
import { pageAt } from '../docs/pages.js';
import { RunnablePage } from '../docs/running.js';
import { edgeApps } from './support/edge-apps.js';
import { INSTALL } from './support/install.js';

const page = await RunnablePage.of(pageAt('docs/websockets.md'), { install: INSTALL });
const start = edgeApps();

afterAll(() => page.dispose());

it('the gateway of the page lets in who has a session, until it ends', async () => {
  const { ChatGateway } = await page.run<{ ChatGateway: Type }>('chat.gateway.ts');
  const { app, url, sessions } = await start({
    providers: [ChatGateway],
    configure: (nest) => nest.useWebSocketAdapter(new IoAdapter(nest)),
  });
  const connect = (token?: string) => io(url, { auth: { token }, transports: ['websocket'], forceNew: true });
  const heard = (socket: ReturnType<typeof io>, event: string) =>
    new Promise<unknown>((done) => socket.once(event, done));
  const ana = await signInAs(app, { userId: 'ana' });
  for (const [token, code] of [
    [undefined, 'session_required'],
    ['garbage', 'session_invalid'],
    [(await sessions.createAnonymous()).token, 'session_required'],
  ] as const) {
    const stranger = connect(token);
    expect(await heard(stranger, 'connect_error')).toMatchObject({ data: { code } });
    stranger.close();
  }
  const [talking, listening] = [connect(ana.token), connect(ana.token)];
  await heard(listening, 'connect');
  const said = heard(listening, 'said');
  talking.emit('say', 'hello');
  expect(await said).toBe('ana: hello');
  const ended = [heard(talking, 'disconnect'), heard(listening, 'disconnect')];
  await sessions.revokeAll('ana');
  await Promise.all(ended);
  talking.close();
  listening.close();
});
