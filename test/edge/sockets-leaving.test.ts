import type { INestApplicationContext } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import { WsAdapter } from '@nestjs/platform-ws';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import type { SessionRecord } from 'nestjs-sessions';
import { InMemorySessionStore, signInAs } from 'nestjs-sessions/testing';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { heapInUse } from '../support/attack-heap.js';
import { NOBODY, seatsTaken } from '../support/seats-taken.js';
import { type EdgeApp, edgeApps } from './support/edge-apps.js';
import { closeSockets, openSocket, refusedSocket } from './support/ws-visitor.js';

const start = edgeApps();
afterEach(closeSockets);

@WebSocketGateway()
class Chat {
  @SubscribeMessage('say') say() {
    return { event: 'said', data: null };
  }
}

/** Takes a moment, and fails while it is down. */
class SlowStore extends InMemorySessionStore {
  static delay = 0;
  static isDown = false;
  override async findBySeries(hash: string): Promise<SessionRecord | null> {
    return this.answer(() => super.findBySeries(hash));
  }
  override async findById(id: string): Promise<SessionRecord | null> {
    return this.answer(() => super.findById(id));
  }
  override async findMany(ids: readonly string[]): Promise<SessionRecord[]> {
    return this.answer(() => super.findMany(ids));
  }
  private async answer<T>(find: () => Promise<T>): Promise<T> {
    if (SlowStore.isDown) throw new Error('The database is away.');
    if (SlowStore.delay > 0) await pause(SlowStore.delay);
    return find();
  }
}
afterEach(() => {
  Object.assign(SlowStore, { delay: 0, isDown: false });
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await pause(5);
}

/** A client that speaks no more than it has to. */
async function dial({ port }: EdgeApp, text: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(text);
  return socket;
}

const handshake = (token: string): string =>
  [
    'GET / HTTP/1.1',
    'Host: 127.0.0.1',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    `Authorization: Bearer ${token}`,
    '\r\n',
  ].join('\r\n');

/** What clients do that come and go, one of each. */
const STAGES: Record<string, (app: EdgeApp, token: string) => Promise<unknown>> = {
  'before the check': async (app) => (await dial(app, 'GET / HTTP/1.1\r\nUpgrade: web')).destroy(),
  'during the check': async (app, token) => {
    const socket = await dial(app, handshake(token));
    await pause(1);
    socket.destroy();
  },
  'once refused': async (app) => {
    const socket = await dial(app, handshake('garbage'));
    await once(socket, 'data');
    socket.destroy();
  },
  'once seated': async (app, token) => {
    const socket = await dial(app, handshake(token));
    await once(socket, 'data');
    socket.destroy();
  },
  'once its session has ended': async (app) => {
    const { token, session } = await signInAs(app.app, { userId: 'ben' });
    const socket = await dial(app, handshake(token));
    await once(socket, 'data');
    await app.sessions.revoke(session.id);
    await once(socket, 'data');
    socket.destroy();
  },
};
const ROUNDS = 1_000;
const AT_ONCE = 50;
/** Megabytes: what a thousand sockets would hold on to is more than twice as much. */
const NOISE = 4;

describe.each(['express', 'fastify'] as const)('on %s', (platform) => {
  const open = (): Promise<EdgeApp> =>
    start({
      platform,
      providers: [Chat],
      options: { store: SlowStore },
      configure: (app) => app.useWebSocketAdapter(new WsAdapter(app as INestApplicationContext)),
    });

  it.each(Object.keys(STAGES))('clients that leave %s leave nothing behind', async (stage) => {
    const app = await open();
    const { token } = await signInAs(app.app, { userId: 'ana' });
    if (stage === 'during the check') SlowStore.delay = 5;
    const comeAndGo = async (rounds: number) => {
      for (let round = 0; round < rounds; round += AT_ONCE)
        await Promise.all(Array.from({ length: AT_ONCE }, () => STAGES[stage]!(app, token)));
      await pause(SlowStore.delay * 2);
      await until(() => seatsTaken(app.app).sessions === 0);
    };
    await comeAndGo(ROUNDS / 5);
    const growth = async () => {
      const before = await heapInUse();
      await comeAndGo(ROUNDS);
      expect(seatsTaken(app.app)).toEqual(NOBODY);
      return (await heapInUse()) - before;
    };
    // What is held grows every time; what else the process does, once.
    if ((await growth()) >= NOISE) expect(await growth()).toBeLessThan(NOISE);
  });

  it('while the store is away handshakes and messages get 503, and sockets stay until their deadline', async () => {
    const app = await open();
    const { bearer } = await signInAs(app.app, { userId: 'ana' });
    const { ask, ended, socket } = await openSocket(app.port, { headers: { ...bearer } });
    SlowStore.isDown = true;
    const { status, headers, body } = await refusedSocket(app.port, { headers: { ...bearer } });
    expect([status, headers['retry-after'], body['code']]).toEqual([503, '2', 'session_store_unavailable']);
    expect(await ask('say')).toMatchObject({ data: { code: 'session_store_unavailable', statusCode: 503 } });
    app.clock.advance('29m');
    await pause(300);
    expect(socket.readyState).toBe(socket.OPEN);
    app.clock.advance('1m');
    expect(await ended).toEqual([4401, 'session_expired']);
  });

  it('rounds of revocation against handshake leave no socket', async () => {
    const app = await open();
    SlowStore.delay = 1;
    for (let round = 0; round < ROUNDS; round++) {
      const { bearer } = await signInAs(app.app, { userId: 'ana' });
      const opening = openSocket(app.port, { headers: { ...bearer } }).catch(() => null);
      await pause(round % 5);
      await app.sessions.revokeAll('ana');
      const opened = await opening;
      if (opened) expect(await opened.ended).toEqual([4401, 'session_invalid']);
    }
    expect(seatsTaken(app.app)).toEqual(NOBODY);
  });
});
