import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createSessionClient } from 'nestjs-sessions/client';
import { connect, issued, ORIGIN } from './wire.js';

describe('the origin', () => {
  it.each([
    'https://api.example.com',
    'https://api.example.com/',
    'https://API.example.com:443',
    'https://10.0.2.2:8443',
    'https://[2001:db8::1]',
    'http://localhost:3000',
    'http://127.0.0.1:3000',
    'http://127.1.2.3',
    'http://[::1]:3000',
  ])('may be %s', (origin) => {
    expect(() => createSessionClient({ origin, signOutPath: '/sign-out' })).not.toThrow();
  });

  it.each([
    'http://api.example.com',
    'http://localhost.example.com',
    'http://127.0.0.1.example.com',
    'http://127.example.com',
    'http://10.0.2.2:3000',
    'https://user:password@api.example.com',
    'https://api.example.com/v1',
    'https://api.example.com?x',
    'https://api.example.com\\@example.net',
    'https://',
    'api.example.com',
    'ftp://api.example.com',
    '',
  ])('may not be %s', (origin) => {
    expect(() => createSessionClient({ origin, signOutPath: '/sign-out' })).toThrow(
      "must be like 'https://api.example.com'",
    );
  });

  describe('over plain HTTP in development', () => {
    const { NODE_ENV } = process.env;
    afterEach(() => {
      process.env['NODE_ENV'] = NODE_ENV;
    });

    const create = (origin: string, insecureInDevelopment: boolean) => () =>
      createSessionClient({ origin, signOutPath: '/sign-out', insecureInDevelopment });

    it.each([
      'http://10.0.2.2:3000',
      'http://192.168.1.20',
      'http://laptop.local:3000',
      'http://[fd00::5]:3000',
    ])('may be %s where that is asked for, and only then', (origin) => {
      process.env['NODE_ENV'] = 'development';
      expect(create(origin, true)).not.toThrow();
      expect(create(origin, false)).toThrow('must be like');
    });

    it.each([
      'http://user@10.0.2.2',
      'http://10.0.2.2/api',
      'ftp://10.0.2.2',
      'http://10.0.2.2\\@example.net',
    ])('may not be %s all the same', (origin) => {
      process.env['NODE_ENV'] = 'development';
      expect(create(origin, true)).toThrow('must be like');
    });

    it.each(['production', 'test', '', undefined])('throws where NODE_ENV is %p', (environment) => {
      if (environment === undefined) delete process.env['NODE_ENV'];
      else process.env['NODE_ENV'] = environment;
      expect(create('http://10.0.2.2:3000', true)).toThrow('must be like');
      expect(create('https://api.example.com', true)).not.toThrow();
    });
  });

  it('is where the sign-out path is', () => {
    const options = { origin: ORIGIN, signOutPath: 'https://example.net/sign-out' };
    expect(() => createSessionClient(options)).toThrow(`not on ${ORIGIN}`);
  });
});

describe('the token', () => {
  it.each([
    ['/me', `${ORIGIN}/me`],
    [`${ORIGIN}/me?x=1`, `${ORIGIN}/me?x=1`],
    ['HTTPS://API.example.com/Me', `${ORIGIN}/Me`],
    [new URL(`${ORIGIN}:443/me`), `${ORIGIN}/me`],
    [new Request(`${ORIGIN}/me`), `${ORIGIN}/me`],
    // Not to be taken for an address without a scheme.
    ['//example.net/me', `${ORIGIN}//example.net/me`],
    ['/\\example.net/me', `${ORIGIN}/\\example.net/me`],
  ])('goes along to %s', async (input, address) => {
    const { wire, client, signIn } = connect();
    await signIn('T1');
    void client.fetch(input);
    expect([wire.last.url, wire.last.token]).toEqual([address, 'T1']);
  });

  it.each([
    'https://example.net/me',
    'http://api.example.com/me',
    'https://api.example.com:8443/me',
    'https://api.example.com.example.net/me',
    'https://api.example.com@example.net/me',
    'https://api.example.com\\@example.net/me',
    'https://api.example.com%2f@example.net/me',
    'https:/api.example.com/me',
    'https://api.example.com?@example.net/',
    'blob:https://api.example.com/1',
    'data:text/plain,hello',
    new URL('https://example.net/me'),
    new Request('https://example.net/me'),
  ])('does not go to %s, which is fetched as it is', async (input) => {
    const { wire, client, events, signIn, tokenInUse } = connect();
    await signIn('T1');
    const init = { headers: { 'X-Mine': '1' } };
    void client.fetch(input, init);
    expect(wire.last.token).toBeNull();
    expect(wire.last.init).toBe(init);
    await wire.last.answer(401, { code: 'session_invalid' }, { 'Session-Token': 'T2' });
    expect(tokenInUse()).toBe('T1');
    expect(events).toHaveLength(1);
  });

  it.each(['me', '', ' https://api.example.com/me', '\thttps://api.example.com'])(
    'goes nowhere when the address is %p',
    async (input) => {
      const { wire, client } = connect();
      await expect(client.fetch(input)).rejects.toThrow('neither a path');
      expect(wire.requests).toHaveLength(0);
    },
  );

  it('takes the place of an Authorization of the caller, and other headers stay', async () => {
    const { wire, client, signIn } = connect();
    await signIn('T1');
    void client.fetch(new Request(`${ORIGIN}/me`, { headers: { 'X-Mine': '1', Authorization: 'Basic x' } }));
    expect(Object.fromEntries(wire.last.headers)).toEqual({ authorization: 'Bearer T1', 'x-mine': '1' });
  });

  it('comes with no content type where there is no content', async () => {
    const { wire, client } = connect();
    const headers = { 'Content-Type': 'application/json' };
    void client.fetch('/a', { method: 'POST', headers });
    expect(wire.last.headers.has('Content-Type')).toBe(false);
    void client.fetch('/a', { method: 'POST', headers, body: '{}' });
    expect(wire.last.headers.get('Content-Type')).toBe('application/json');
  });
});

describe('a redirect', () => {
  const servers: ReturnType<typeof createServer>[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close().closeAllConnections();
  });

  /** A server on a port of its own, and what it was sent. */
  async function listen(answer: (request: IncomingMessage, response: ServerResponse) => void) {
    const received: { url: string | undefined; authorization: string | undefined; body: string }[] = [];
    const server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      received.push({ url: request.url, authorization: request.headers.authorization, body });
      answer(request, response);
    }).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
  }

  /** A thief's server, one that redirects to it, and a client of the latter that has signed in. */
  async function redirecting(status: number, location: (thief: string) => string) {
    const thief = await listen((_, response) => response.end());
    const server = await listen((request, response) => {
      if (request.url === '/auth/sign-in') response.end(JSON.stringify(issued('T1')));
      else response.writeHead(status, { Location: location(thief.origin), 'Session-Token': 'T2' }).end();
    });
    return { server, thief };
  }

  it.each([301, 302, 303, 307, 308])('to another origin is not followed (%p)', async (status) => {
    const { server, thief } = await redirecting(status, (origin) => `${origin}/stolen`);
    const client = createSessionClient({ origin: server.origin, signOutPath: '/auth/sign-out' });
    await client.signIn('/auth/sign-in', {});
    const request = { method: 'POST', body: 'secret' };
    await expect(client.fetch('/me', request)).rejects.toMatchObject({
      code: 'redirected',
      message: expect.stringContaining('request the final address'),
    });
    await expect(client.fetch('/me', { ...request, redirect: 'follow' })).rejects.toThrow();
    expect(server.received.at(-1)?.authorization).toBe('Bearer T1');
    expect(thief.received).toEqual([]);
  });

  it('of a sign-in takes the credentials nowhere', async () => {
    const { server, thief } = await redirecting(307, (origin) => origin);
    for (const transport of ['bearer', 'cookie'] as const) {
      const client = createSessionClient({ origin: server.origin, signOutPath: '/auth/sign-out', transport });
      await expect(client.signIn('/auth/old', { password: 'secret' })).rejects.toThrow();
      expect(server.received.at(-1)?.body).toContain('secret');
    }
    expect(thief.received).toEqual([]);
  });

  it('of a sign-out counts as not confirmed', async () => {
    const { server, thief } = await redirecting(302, (origin) => origin);
    const client = createSessionClient({ origin: server.origin, signOutPath: '/auth/sign-out' });
    await client.signIn('/auth/sign-in', {});
    expect(await client.signOut()).toBe(false);
    expect(thief.received).toEqual([]);
  });

  it('on the same origin is not followed either: no platform tells where it would lead', async () => {
    const { server } = await redirecting(302, () => '/elsewhere');
    const client = createSessionClient({ origin: server.origin, signOutPath: '/auth/sign-out' });
    await expect(client.fetch('/me')).rejects.toMatchObject({ code: 'redirected' });
    expect(server.received).toHaveLength(1);
  });

  it('is recognised as browsers show it', async () => {
    const opaque = { status: 0, type: 'opaqueredirect', ok: false, url: '', headers: new Headers() };
    const { client } = connect({ fetch: () => Promise.resolve(opaque as never) });
    await expect(client.fetch('/me')).rejects.toMatchObject({ code: 'redirected' });
  });

  it('leaves an unchanged answer (304) alone', async () => {
    const { wire, client } = connect();
    const done = client.fetch('/me', { headers: { 'If-None-Match': '"1"' } });
    await wire.last.answer(304);
    expect((await done).status).toBe(304);
  });

  it('that the platform has followed all the same, as React Native does, says nothing of the session', async () => {
    const { server, thief } = await redirecting(302, (origin) => `${origin}/stolen`);
    const disobedient = (input: string, init: RequestInit) => fetch(input, { ...init, redirect: 'follow' });
    const client = createSessionClient({
      origin: server.origin,
      signOutPath: '/auth/sign-out',
      fetch: disobedient as never,
    });
    await client.signIn('/auth/sign-in', {});
    await expect(client.fetch('/me')).rejects.toMatchObject({ code: 'redirected' });
    expect(thief.received).toMatchObject([{ url: '/stolen', authorization: undefined }]);
  });
});
