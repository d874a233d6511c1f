import type { Type } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { afterAll, expect, it } from '@jest/globals';
import { signInAs } from 'nestjs-sessions/testing';
import { io, type Socket } from 'socket.io-client';
import { pageAt } from '../docs/pages.js';
import { RunnablePage } from '../docs/running.js';
import { edgeApps } from './support/edge-apps.js';
import { INSTALL } from './support/install.js';

const page = await RunnablePage.of(pageAt('docs/websockets.md'), { install: INSTALL });
const start = edgeApps();

afterAll(() => page.dispose());

interface Notifications {
  notify(userId: string, event: string, what: object): void;
  isPresent(userId: string): Promise<boolean>;
}

it('rooms by user: all devices of a user are notified, and nobody else; presence ends with the last session', async () => {
  const { NotificationsGateway } = await page.run<{ NotificationsGateway: Type<Notifications> }>(
    'notifications.gateway.ts',
  );
  const { app, url, sessions } = await start({
    providers: [NotificationsGateway],
    configure: (nest) => nest.useWebSocketAdapter(new IoAdapter(nest)),
  });
  const gateway = app.get(NotificationsGateway);
  const heard: string[] = [];
  const connect = async (userId: string, name: string): Promise<[Socket, string]> => {
    const { bearer, session } = await signInAs(app, { userId });
    const socket = io(url, { extraHeaders: bearer, transports: ['websocket'], forceNew: true });
    socket.on('news', ({ text }: { text: string }) => heard.push(`${name}: ${text}`));
    await once(socket, 'connect');
    return [socket, session.id];
  };
  const [[phone, phoneId], [laptop], [ben]] = [
    await connect('ana', 'phone'),
    await connect('ana', 'laptop'),
    await connect('ben', 'ben'),
  ];
  const arrived = [once(phone, 'news'), once(laptop, 'news')];
  gateway.notify('ana', 'news', { text: 'hello' });
  await Promise.all(arrived);
  const end = once(phone, 'disconnect');
  await sessions.revoke(phoneId);
  await end;
  expect(await gateway.isPresent('ana')).toBe(true);
  const left = once(ben, 'left');
  await sessions.revokeAll('ana');
  expect(await left).toEqual({ userId: 'ana' });
  expect(await gateway.isPresent('ana')).toBe(false);
  expect(await gateway.isPresent('ben')).toBe(true);
  expect(heard.toSorted()).toEqual(['laptop: hello', 'phone: hello']);
  for (const socket of [phone, laptop, ben]) socket.close();
});

function once(socket: Socket, event: string): Promise<unknown> {
  return new Promise((resolve) => socket.once(event, resolve));
}
