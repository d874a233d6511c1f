import type { INestApplication } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { sessionOf } from 'nestjs-sessions';
import { signInAs } from 'nestjs-sessions/testing';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasRedis, ownRedis, type OwnServer } from '../support/own-servers.js';
import { NodeProcess } from '../support/processes.js';
import { edgeApps } from './support/edge-apps.js';
import { INSTALL } from './support/install.js';
import { connect, disconnectAll, heard, outcomeOf } from './support/io-visitor.js';

const start = edgeApps();
afterEach(disconnectAll);

@WebSocketGateway()
class Chat {
  @SubscribeMessage('say') say(client: object, text: string) {
    return `${sessionOf(client)?.userId}: ${text}`;
  }
}

const bySocket = (token: string) => ({ transports: ['websocket'], auth: { token } });

describe.each(['express', 'fastify'] as const)('on %s', (platform) => {
  const describeWhere = hasRedis() ? describe : describe.skip;

  describeWhere('two processes with the Redis adapter of socket.io', () => {
    const nodes: NodeProcess[] = [];
    let folder: string;
    let redis: OwnServer;
    beforeAll(async () => {
      redis = await ownRedis();
      folder = await mkdtemp(join(tmpdir(), 'sockets-nodes-'));
      const database = { type: 'sqlite', database: join(folder, 'test.sqlite'), busyTimeout: 10_000 };
      const given = {
        install: INSTALL,
        platform,
        database: { ...database, enableWAL: true },
        redisUrl: redis.url,
      };
      // One after the other: the first one makes the tables.
      for (const _ of ['here', 'there'])
        nodes.push(await NodeProcess.run('../edge/support/socket-node.mjs', given));
    });
    afterAll(async () => {
      await Promise.all(nodes.map((node) => node.kill()));
      await redis.remove();
      await rm(folder, { recursive: true });
    });

    it('let in alike, and a socket ends on the other one when that looks again', async () => {
      const [here, there] = nodes as [NodeProcess, NodeProcess];
      const port = await there.ask<number>('port');
      const signIn = (userId: string) => here.ask<string>('signIn', userId);
      const token = await signIn('ana');
      const [ana, ben] = [connect(port, bySocket(token)), connect(port, bySocket(await signIn('ben')))];
      expect([await outcomeOf(ana), await outcomeOf(ben)]).toEqual(['connected', 'connected']);
      const news = [heard(ana, 'news'), heard(ben, 'news')];
      const telling = setInterval(() => void here.ask('tell', 'first'), 20);
      expect(await Promise.all(news)).toEqual(['first', 'first']);
      clearInterval(telling);
      const ended = heard(ana, 'disconnect');
      await here.ask('revokeAll', 'ana');
      expect(await outcomeOf(connect(port, bySocket(token)))).toBe('session_invalid');
      expect(await ana.emitWithAck('say', 'hello')).toMatchObject({ code: 'session_invalid' });
      await ended;
      const waiting = connect(port, bySocket(await signIn('cleo')));
      expect(await outcomeOf(waiting)).toBe('connected');
      const waited = heard(waiting, 'disconnect');
      await here.ask('revokeAll', 'cleo');
      await there.ask('advance', 31_000);
      await waited;
      expect(await ben.emitWithAck('say', 'still here')).toBe('ben: still here');
    });
  });

  it('two applications in one process each let in by their own sessions', async () => {
    const open = () => start({ platform, providers: [Chat] });
    const [one, other] = [await open(), await open()];
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
    const { app } = await start({ platform, providers: [Own] });
    expect(await outcomeOf(connect(own, { transports: ['websocket'] }))).toBe('session_required');
    const { token } = await signInAs(app as INestApplication, { userId: 'ana' });
    const socket = connect(own, bySocket(token));
    expect(await socket.emitWithAck('say')).toBe('ana');
  });
});
