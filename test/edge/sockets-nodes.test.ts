import type { INestApplication, INestApplicationContext } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { SubscribeMessage, WebSocketGateway, WebSocketServer } from '@nestjs/websockets';
import { createAdapter } from '@socket.io/redis-adapter';
import { sessionOf } from 'nestjs-sessions';
import { signInAs } from 'nestjs-sessions/testing';
import { Redis } from 'ioredis';
import { hasRedis, ownRedis, type OwnServer } from '../support/own-servers.js';
import { type EdgeApp, edgeApps } from './support/edge-apps.js';
import { connect, disconnectAll, heard, outcomeOf } from './support/io-visitor.js';
import { sharedStore } from './support/shared-store.js';

const clients: Redis[] = [];
const start = edgeApps();
afterEach(disconnectAll);
afterEach(() => {
  for (const client of clients.splice(0)) client.disconnect();
});

@WebSocketGateway()
class Chat {
  @WebSocketServer() server!: { emit(event: string, what: string): void };
  @SubscribeMessage('say') say(client: object, text: string) {
    return `${sessionOf(client)?.userId}: ${text}`;
  }
}

/** As the page of Nest on adapters has it. */
class RedisIoAdapter extends IoAdapter {
  constructor(
    app: INestApplicationContext,
    private readonly redis: string,
  ) {
    super(app);
  }
  override createIOServer(port: number, options?: never) {
    const server = super.createIOServer(port, options);
    const [pub, sub] = [new Redis(this.redis), new Redis(this.redis)];
    clients.push(pub, sub);
    server.adapter(createAdapter(pub, sub));
    return server;
  }
}

/** Two nodes of one application, which share the sessions and hear nothing of each other but by Redis. */
async function nodes(redis: string): Promise<[EdgeApp, EdgeApp]> {
  const store = sharedStore();
  const node = () =>
    start({
      providers: [Chat],
      options: { store },
      configure: (app) => app.useWebSocketAdapter(new RedisIoAdapter(app, redis)),
    });
  return [await node(), await node()];
}

const bySocket = (token: string) => ({ transports: ['websocket'], auth: { token } });

const describeWhere = hasRedis() ? describe : describe.skip;

describeWhere('two nodes with the Redis adapter of socket.io', () => {
  let redis: OwnServer;
  beforeAll(async () => {
    redis = await ownRedis();
  });
  afterAll(() => redis.remove());

  it('let in alike, and a socket ends on the other one when that looks again', async () => {
    const [here, there] = await nodes(redis.url);
    const { token } = await signInAs(here.app, { userId: 'ana' });
    const { token: other } = await signInAs(here.app, { userId: 'ben' });
    const [ana, ben] = [connect(there.port, bySocket(token)), connect(there.port, bySocket(other))];
    expect([await outcomeOf(ana), await outcomeOf(ben)]).toEqual(['connected', 'connected']);
    const chat = here.app.get(Chat);
    const news = [heard(ana, 'news'), heard(ben, 'news')];
    const telling = setInterval(() => chat.server.emit('news', 'first'), 20);
    expect(await Promise.all(news)).toEqual(['first', 'first']);
    clearInterval(telling);
    const ended = heard(ana, 'disconnect');
    await here.sessions.revokeAll('ana');
    expect(await outcomeOf(connect(there.port, bySocket(token)))).toBe('session_invalid');
    expect(await ana.emitWithAck('say', 'hello')).toMatchObject({ code: 'session_invalid' });
    await ended;
    const waiting = connect(there.port, bySocket((await signInAs(here.app, { userId: 'cleo' })).token));
    expect(await outcomeOf(waiting)).toBe('connected');
    const waited = heard(waiting, 'disconnect');
    await here.sessions.revokeAll('cleo');
    there.clock.advance('31s');
    await waited;
    expect(await ben.emitWithAck('say', 'still here')).toBe('ben: still here');
  });
});

it('two applications in one process each let in by their own sessions', async () => {
  const [one, other] = [await start({ providers: [Chat] }), await start({ providers: [Chat] })];
  const { token } = await signInAs(one.app, { userId: 'ana' });
  expect(await outcomeOf(connect(one.port, bySocket(token)))).toBe('connected');
  expect(await outcomeOf(connect(other.port, bySocket(token)))).toBe('session_invalid');
  await one.app.close();
  const { token: theirs } = await signInAs(other.app, { userId: 'ben' });
  const ben = connect(other.port, bySocket(theirs));
  expect(await outcomeOf(ben)).toBe('connected');
  const ended = heard(ben, 'disconnect');
  await other.sessions.revokeAll('ben');
  await ended;
});

it('the adapter that Nest takes by itself is guarded, on a port of its own too', async () => {
  const own = 30_000 + (process.pid % 20_000);
  @WebSocketGateway(own)
  class Own {
    @SubscribeMessage('say') say(client: object) {
      return sessionOf(client)?.userId;
    }
  }
  const { app } = await start({ providers: [Own] });
  expect(await outcomeOf(connect(own, { transports: ['websocket'] }))).toBe('session_required');
  const { token } = await signInAs(app as INestApplication, { userId: 'ana' });
  const socket = connect(own, bySocket(token));
  expect(await socket.emitWithAck('say')).toBe('ana');
});
