import { Injectable, type INestApplication, SetMetadata } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  CurrentSession,
  EnsureSession,
  RequireRole,
  SessionGuard,
  sessionOf,
  SessionService,
  SessionStore,
} from 'nestjs-sessions';
import { signInAs } from 'nestjs-sessions/testing';
import { EventEmitter, once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { SessionCore } from '../../src/core/session-core.js';
import { Handshake } from '../../src/realtime/handshake.js';
import { fakeContext, fakeExchange } from '../support/fake-context.js';
import { startApp } from '../support/platforms.js';
import { asMutation, asQuery, resolverCaller } from '../support/resolver-calls.js';
import { NOBODY, seatsTaken } from '../support/seats-taken.js';

const asSubscription = () => SetMetadata('graphql:resolver_type', 'Subscription');

@Injectable()
class Account {
  @asQuery() me(@CurrentSession('userId') userId: string): string {
    return userId;
  }
  @EnsureSession() @asMutation() basket(): string {
    return 'basket';
  }
  @RequireRole('admin') @asSubscription() alarms(): string {
    return 'alarms';
  }
}

/** As the server of `ws` has it. */
class Client extends EventEmitter {
  readyState = 1;
  close(code: number, reason: string): void {
    this.readyState = 2;
    this.emit('sent away', code, reason);
    this.drop();
  }
  drop(): void {
    this.readyState = 3;
    this.emit('close');
  }
}

let app: INestApplication;
let sessions: SessionService;
let call: ReturnType<typeof resolverCaller>;

beforeEach(async () => {
  app = await startApp('express', { providers: [Account], options: { requireHttps: false } });
  sessions = app.get(SessionService);
  call = resolverCaller(app, Account);
});
afterEach(() => app.close());

/** What graphql-ws hands on, as Nest puts it into the context. */
function contextOf(client: Client, headers: Record<string, string>, connectionParams: object = {}): object {
  const { req } = fakeExchange({ headers });
  return { req: { extra: { socket: client, request: req }, connectionParams } };
}

const refusal = (code: string) => expect.objectContaining({ code, extensions: { code } });

describe('operations of GraphQL over a WebSocket', () => {
  it('say by `extensions` why they are refused, and are judged on the newest state', async () => {
    const { bearer, session } = await signInAs(app, { userId: 'ana' });
    const client = new Client();
    const sentAway = once(client, 'sent away');
    const context = () => contextOf(client, { ...bearer });
    expect(await call('me', context(), 'query')).toBe('ana');
    await expect(call('alarms', context(), 'subscription')).rejects.toEqual(refusal('role_required'));
    await app.get(SessionStore).delete(session.id);
    await expect(call('me', context(), 'query')).rejects.toEqual(refusal('session_invalid'));
    expect(await sentAway).toEqual([4401, 'session_invalid']);
  });

  it('neither start, end nor make sessions', async () => {
    const { bearer } = await signInAs(app, { userId: 'ana' });
    const basket = call('basket', contextOf(new Client(), { ...bearer }), 'mutation');
    await expect(basket).rejects.toThrow('by HTTP requests');
  });

  it('go by the headers that came over the wire', async () => {
    const { cookie } = await signInAs(app, { userId: 'ana' });
    const { req } = fakeExchange({ headers: { ...cookie, origin: 'https://elsewhere.example' } });
    // As Mercurius does with what the client says after the handshake.
    req.headers['sec-fetch-site'] = 'same-origin';
    const context = { req: { extra: { socket: new Client(), request: req } } };
    await expect(call('me', context, 'query')).rejects.toEqual(refusal('cross_origin'));
  });

  it('are not let in by a context that another operation had', async () => {
    const { bearer } = await signInAs(app, { userId: 'ana' });
    const shared = contextOf(new Client(), { ...bearer });
    expect(await call('me', shared, 'query')).toBe('ana');
    await expect(call('me', shared, 'query')).rejects.toThrow('shared by operations');
  });

  it('are not let in by what only looks like a WebSocket', async () => {
    const { bearer } = await signInAs(app, { userId: 'ana' });
    const { req } = fakeExchange({ headers: { ...bearer } });
    const sent = { extra: { socket: { readyState: 1, close: 'close' }, request: req } };
    for (const context of [{ req: sent }, { req: Object.assign(req, { upgrade: true }), ...sent }])
      await expect(call('me', context, 'query')).rejects.toThrow('need the WebSocket');
  });

  it('end their WebSocket with a role that is lost while a subscription begins', async () => {
    const { bearer } = await signInAs(app, { userId: 'ana', roles: ['admin'] });
    const client = new Client();
    const sentAway = once(client, 'sent away');
    const { continuation } = app.get(SessionCore);
    const check = continuation.check.bind(continuation);
    jest.spyOn(continuation, 'check').mockImplementationOnce(async (...given) => {
      const verdict = await check(...given);
      await sessions.setRoles('ana', []);
      // Until it was looked who has to go because of that.
      await pause(100);
      return verdict;
    });
    expect(await call('alarms', contextOf(client, { ...bearer }), 'subscription')).toBe('alarms');
    expect(await Promise.race([sentAway, pause(5_000, 'still there', { ref: false })])).toEqual([
      4403,
      'role_required',
    ]);
  });

  it('tell fields of what a subscription sends nothing, unless a guard stands before them', async () => {
    const { bearer } = await signInAs(app, { userId: 'ana', roles: ['admin'] });
    const context = contextOf(new Client(), { ...bearer });
    const later = fakeContext('graphql', Account, 'me', [
      {},
      {},
      context,
      { path: { prev: { prev: undefined } } },
    ]);
    expect(sessionOf(later)).toBe(null);
    await call('alarms', context, 'subscription');
    expect(sessionOf(later)).toBe(null);
    await app.get(SessionGuard).canActivate(later);
    expect(sessionOf(later)?.userId).toBe('ana');
  });

  it('ask again once the store answers', async () => {
    const { bearer } = await signInAs(app, { userId: 'ana' });
    const context = (() => {
      const client = new Client();
      return () => contextOf(client, { ...bearer });
    })();
    const down = jest
      .spyOn(app.get(SessionStore), 'findBySeries')
      .mockRejectedValue(new Error('The database is away.'));
    await expect(call('me', context(), 'query')).rejects.toEqual(refusal('session_store_unavailable'));
    down.mockRestore();
    expect(await call('me', context(), 'query')).toBe('ana');
  });

  it('leave no seat, whenever their client leaves', async () => {
    const { bearer, token } = await signInAs(app, { userId: 'ana' });
    const handshake = app.get(Handshake);
    const examine = handshake.examine.bind(handshake);
    for (let round = 0; round < 1_000; round++) {
      const client = new Client();
      const stage = round % 4;
      if (stage === 0) client.drop();
      if (stage === 1) {
        jest.spyOn(handshake, 'examine').mockImplementationOnce(async (...given) => {
          const ticket = await examine(...given);
          client.drop();
          return ticket;
        });
      }
      const headers = stage === 2 ? {} : { ...bearer };
      await call('me', contextOf(client, headers, stage === 3 ? { token } : {}), 'query').catch(() => {});
      if (stage > 1) client.drop();
    }
    expect(seatsTaken(app)).toEqual(NOBODY);
  });
});
