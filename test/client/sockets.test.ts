import { describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { connect, ORIGIN } from './wire.js';

const CHAT = 'wss://api.example.com/chat';
const OVER = { code: 'session_invalid' };
/** As browsers tell of the end of a WebSocket. */
const closed = (code: number, reason = '') => ({ type: 'close', code, reason });

async function asked({ requests }: { readonly requests: readonly unknown[] }): Promise<void> {
  while (requests.length === 0) await pause(10);
}

const withStatus = (options = {}) => connect({ statusPath: '/me/session', ...options });

describe('the token of a socket', () => {
  it('is shown in each form, and is the newest one at each connection', async () => {
    const { wire, client, signIn } = connect();
    const auth = client.socketAuth(CHAT);
    const connectionParams = client.connectionParams(CHAT);
    const shown = () => {
      const handed: unknown[] = [];
      auth((credentials) => handed.push(credentials));
      return [client.socketProtocols(CHAT, 'app', 'v2'), handed[0], connectionParams()];
    };
    expect(shown()).toEqual([['app', 'v2'], {}, {}]);
    await signIn('T1');
    expect(shown()).toEqual([['app', 'v2', 'bearer.T1'], { token: 'T1' }, { token: 'T1' }]);
    void client.fetch('/me');
    await wire.last.answer(200, {}, { 'Session-Token': 'T2' });
    expect(shown()).toEqual([['app', 'v2', 'bearer.T2'], { token: 'T2' }, { token: 'T2' }]);
    client.forget();
    expect(shown()).toEqual([['app', 'v2'], {}, {}]);
  });

  it('is not there where the browser has it in a cookie', async () => {
    const { client } = connect({ transport: 'cookie' });
    expect(client.socketProtocols(CHAT, 'app')).toEqual(['app']);
    expect(client.connectionParams(CHAT)()).toEqual({});
  });

  it.each([
    CHAT,
    'WSS://API.example.com/chat',
    'https://api.example.com',
    new URL('wss://api.example.com:443/chat?room=1'),
  ])('goes to %s', async (url) => {
    const { client, signIn } = connect();
    await signIn('T1');
    expect(client.socketProtocols(url, 'app')).toEqual(['app', 'bearer.T1']);
  });

  it.each([
    'wss://example.net/chat',
    'ws://api.example.com/chat',
    'http://api.example.com/chat',
    'wss://api.example.com:8443/chat',
    'wss://api.example.com.example.net/chat',
    'wss://api.example.com@example.net/chat',
    'wss://api.example.com\\@example.net/chat',
    'wss://api.example.com?@example.net/',
    'wss://api.example.com#@example.net/',
    'wss:/api.example.com/chat',
    'wss:api.example.com/chat',
    'wsss://api.example.com/chat',
    'ws+unix://api.example.com/chat',
    ' wss://api.example.com/chat',
    'blob:https://api.example.com/1',
    // Of the page, wherever that is.
    '/chat',
    '//api.example.com/chat',
    'chat',
    '',
    new URL('wss://user@api.example.com/chat'),
    new URL('wss://example.net/chat'),
  ])('does not go to %s', async (url) => {
    const { client, signIn } = connect();
    await signIn('T1');
    const message = `is not on ${ORIGIN}, the only place for the token: pass an address like 'wss://api.example.com/path'.`;
    expect(() => client.socketProtocols(url, 'app')).toThrow(message);
    expect(() => client.socketAuth(url)).toThrow(message);
    expect(() => client.connectionParams(url)).toThrow(message);
  });

  it('goes over plain HTTP on the own machine only', async () => {
    const { client, signIn } = connect({ origin: 'http://localhost:3000' });
    await signIn('T1');
    expect(client.socketProtocols('ws://localhost:3000/chat', 'app')).toContain('bearer.T1');
    expect(() => client.socketProtocols('wss://localhost:3000/chat', 'app')).toThrow('is not on');
    expect(() => client.socketProtocols('ws://localhost:3001/chat', 'app')).toThrow('is not on');
  });
});

describe('the end of a socket', () => {
  it.each([
    ['of a WebSocket', closed(4401, 'session_invalid')],
    ['that was refused at the handshake, which browsers do not show', closed(1006)],
    ['of socket.io', 'io server disconnect'],
    ['of socket.io that was refused', Object.assign(new Error(), { data: { code: 'session_invalid' } })],
    ['of graphql-ws that was refused', closed(4401, 'Unauthorized')],
  ])('%s is that of the session, where a route says so', async (_, end) => {
    const { wire, client, events, signIn } = withStatus();
    await signIn('T1');
    const told = client.socketEnded(end);
    expect([wire.last.url, wire.last.token]).toEqual([`${ORIGIN}/me/session`, 'T1']);
    await wire.last.answer(401, OVER);
    expect(await told).toBe('session_invalid');
    expect(events.at(-1)).toEqual({ type: 'ended', reason: 'session_invalid' });
  });

  it('may be that of its own token, and the session goes on with a newer one', async () => {
    const { wire, client, events, signIn } = withStatus();
    await signIn('T1');
    await signIn('T2');
    const told = client.socketEnded(closed(4401, 'session_invalid'));
    expect(wire.last.token).toBe('T2');
    await wire.last.answer(200, {});
    expect(await told).toBeNull();
    expect(events.map(({ type }) => type)).not.toContain('ended');
  });

  it('during a step-up waits for the new token', async () => {
    const { wire, client, events, signIn } = withStatus();
    await signIn('T1');
    const told = client.socketEnded(closed(4401, 'session_invalid'));
    const asked = wire.last;
    const stepUp = signIn('T2');
    await asked.answer(401, OVER);
    await stepUp;
    expect([wire.last.url, wire.last.token]).toEqual([`${ORIGIN}/me/session`, 'T2']);
    await wire.last.answer(200, {});
    expect(await told).toBeNull();
    expect(events.map(({ type }) => type)).not.toContain('ended');
  });

  it.each([
    [closed(4403, 'role_required'), 'role_required'],
    [Object.assign(new Error(), { data: { code: 'role_required' } }), 'role_required'],
    [Object.assign(new Error(), { data: { code: 'cross_origin' } }), 'cross_origin'],
    [closed(1000), 'closed'],
    [closed(1005), 'closed'],
    ['io client disconnect', 'closed'],
  ])('%j says nothing of the session, and nobody is asked', async (end, code) => {
    const { wire, client, events, signIn } = withStatus();
    await signIn('T1');
    expect(await client.socketEnded(end)).toBe(code);
    expect([wire.requests.length, events.length]).toEqual([1, 1]);
  });

  it('for what the route asks for too is told', async () => {
    const { wire, client, events, signIn } = withStatus();
    await signIn('T1');
    const told = client.socketEnded(closed(1006));
    await wire.last.answer(403, { code: 'role_required' });
    expect(await told).toBe('role_required');
    expect(events).toHaveLength(1);
  });

  it.each([
    ['the store is away', 503],
    ['too many guesses came from here', 429],
    ['the network is away', null],
  ])('is no end of the session where %s', async (_, status) => {
    const { wire, client, events, signIn } = withStatus();
    await signIn('T1');
    const told = client.socketEnded(closed(1006));
    await (status === null ? wire.last.fail() : wire.last.answer(status, { code: 'busy' }));
    expect(await told).toBeNull();
    expect(events).toHaveLength(1);
  });

  it.each(['bearer', 'cookie'] as const)('after a sign-out is no news (%s)', async (transport) => {
    const { wire, client, events } = withStatus({ transport });
    void client.signIn('/auth/sign-in', {});
    const session = { id: '1' };
    await wire.last.answer(201, transport === 'bearer' ? { token: 'T1', session } : { session });
    void client.signOut();
    const sent = wire.requests.length;
    expect(await client.socketEnded(closed(4401, 'session_invalid'))).toBe('session_required');
    expect(wire.requests).toHaveLength(sent);
    expect(events.map(({ type }) => type)).toEqual(['signed-in', 'ended']);
  });

  it('on a page that was loaded with the cookie there is asked about', async () => {
    const { wire, client, events } = withStatus({ transport: 'cookie' });
    const told = client.socketEnded(closed(4401, 'session_invalid'));
    await asked(wire);
    await wire.last.answer(401, OVER);
    expect(await told).toBe('session_invalid');
    expect(events).toEqual([{ type: 'ended', reason: 'session_invalid' }]);
  });

  it('waits for the cookie that another page may just be getting', async () => {
    const { wire, client } = withStatus({ transport: 'cookie' });
    const told = client.socketEnded(closed(4401, 'session_invalid'));
    await pause(200);
    expect(wire.requests).toEqual([]);
    await asked(wire);
    await wire.last.answer(200, {});
    expect(await told).toBeNull();
  });

  it('is no news either where the session ends meanwhile', async () => {
    const { wire, client, events } = withStatus({ transport: 'cookie' });
    const told = client.socketEnded(closed(4401, 'session_invalid'));
    void client.signOut();
    expect(await told).toBe('session_required');
    expect([wire.requests.length, events.length]).toEqual([1, 1]);
  });

  it('needs a route to ask', async () => {
    const { client } = connect();
    await expect(client.socketEnded(closed(1006))).rejects.toThrow('`statusPath` is missing');
    expect(() => connect({ statusPath: 'https://example.net/me' })).toThrow(`not on ${ORIGIN}`);
  });
});
