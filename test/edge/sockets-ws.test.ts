import { Controller, Get, type INestApplicationContext, Post, type Type } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import { WsAdapter } from '@nestjs/platform-ws';
import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  type ActiveSession,
  AllowAnonymous,
  Background,
  CurrentSession,
  EndSession,
  OptionalSession,
  Public,
  RequireLevel,
  RequireRole,
  sessionOf,
} from 'nestjs-sessions';
import { recordSessionEvents, signInAs } from 'nestjs-sessions/testing';
import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { type EdgeApp, type EdgeAppOptions, edgeApps } from './support/edge-apps.js';
import { noteRuns } from './support/runs.js';
import { closeSockets, openSocket, refusedSocket } from './support/ws-visitor.js';

const { ran, note } = noteRuns();
const start = edgeApps();
afterEach(closeSockets);

@WebSocketGateway()
class Chat {
  handleConnection(client: object): void {
    note(`connected as ${sessionOf(client)?.userId}`);
  }
  @SubscribeMessage('say') say(@MessageBody() text: string, @CurrentSession() session: ActiveSession) {
    return { event: 'said', data: `${session.userId}: ${text}` };
  }
  @RequireRole('admin') @SubscribeMessage('kick') kick() {
    return { event: 'kicked', data: note('kick') };
  }
  @RequireLevel(2) @SubscribeMessage('pay') pay() {
    return { event: 'paid', data: note('pay') };
  }
  @Background() @SubscribeMessage('poll') poll() {
    return { event: 'polled', data: null };
  }
}

@RequireRole('admin')
@WebSocketGateway()
class Admins {
  @SubscribeMessage('rule') rule() {
    return { event: 'ruled', data: note('rule') };
  }
}

@WebSocketGateway()
class Pushing {
  handleConnection(client: object): void {
    note(`connected as ${sessionOf(client)?.userId}`);
  }
}

@WebSocketGateway()
class Open {
  @Public() @SubscribeMessage('public') public(@CurrentSession() session: unknown) {
    return { event: 'public', data: session };
  }
  @OptionalSession() @SubscribeMessage('who') who(@CurrentSession('userId') userId: string | null) {
    return { event: 'who', data: userId };
  }
  @AllowAnonymous() @SubscribeMessage('cart') cart(@CurrentSession('userId') userId: string | null) {
    return { event: 'cart', data: userId };
  }
  @SubscribeMessage('closed') closed() {
    return { event: 'closed', data: note('closed') };
  }
}

@RequireRole('admin')
class Ruled {
  @SubscribeMessage('inherited') inherited() {
    return { event: 'inherited', data: note('inherited') };
  }
  @SubscribeMessage('overridden') overridden() {
    return { event: 'overridden', data: note('overridden') };
  }
}

@WebSocketGateway()
class Inheriting extends Ruled {
  @Public() @SubscribeMessage('overridden') override overridden() {
    return { event: 'overridden', data: note('their own') };
  }
  @SubscribeMessage('added') added() {
    return { event: 'added', data: note('added') };
  }
}

@Controller()
class Leaving {
  @EndSession() @Post('sign-out') signOut(): void {}
}

@Controller()
class Account {
  @Get('me') me(@CurrentSession('userId') userId: string) {
    return { userId };
  }
}

const withWs = (options: EdgeAppOptions): Promise<EdgeApp> =>
  start({
    ...options,
    configure: async (app) => {
      app.useWebSocketAdapter(new WsAdapter(app as INestApplicationContext));
      await options.configure?.(app);
    },
  });

async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Until the check that runs every 100 ms, and what it asks the store, have come by. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10));
}

describe.each(['express', 'fastify'] as const)('a gateway of ws on %s', (platform) => {
  const open = (gateway: Type, options: EdgeAppOptions = {}) =>
    withWs({ platform, providers: [gateway], ...options });

  it('lets in by cookie, header and protocol, and says whose session it is', async () => {
    const { app, port } = await open(Chat);
    const { bearer, cookie, token } = await signInAs(app, { userId: 'ana' });
    for (const visit of [
      { headers: { ...bearer } },
      { headers: { ...cookie } },
      { protocols: ['app', `bearer.${token}`] },
    ]) {
      const { socket, ask } = await openSocket(port, visit);
      expect(await ask('say', 'hello')).toEqual({ event: 'said', data: 'ana: hello' });
      expect(socket.protocol).toBe(visit.protocols ? 'app' : '');
    }
    expect(ran).toEqual(Array(3).fill('connected as ana'));
  });

  it('refuses a handshake as a request would be refused', async () => {
    const { app, port, sessions, clock } = await open(Chat, {
      options: { guessing: { attempts: 3, refuse: true } },
    });
    const { bearer, cookie, token, session } = await signInAs(app, { userId: 'ana' });
    const other = await signInAs(app, { userId: 'ben' });
    const guest = await sessions.createAnonymous();
    expect(await refusedSocket(port)).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': 'Bearer', 'cache-control': 'no-store' },
      body: { statusCode: 401, code: 'session_required' },
    });
    const refused = async (visit: Parameters<typeof refusedSocket>[1]) => {
      const { status, body } = await refusedSocket(port, visit);
      return [status, body['code']];
    };
    const invalid = [401, 'session_invalid'];
    expect(await refused({ headers: { authorization: 'Bearer garbage' } })).toEqual(invalid);
    expect(await refused({ headers: { authorization: `Bearer ${guest.token}` } })).toEqual([
      401,
      'session_required',
    ]);
    expect(await refused({ headers: { ...bearer }, protocols: ['app', `bearer.${other.token}`] })).toEqual(
      invalid,
    );
    expect(await refused({ protocols: [`bearer.${token}`, `bearer.${other.token}`] })).toEqual(invalid);
    const origin = 'https://elsewhere.example';
    expect(await refused({ headers: { ...cookie, origin } })).toEqual([403, 'cross_origin']);
    expect(await refused({ headers: { ...cookie, origin: `http://127.0.0.1:${port + 1}` } })).toEqual([
      403,
      'cross_origin',
    ]);
    expect(await refused({ headers: { ...cookie, 'sec-fetch-site': 'same-site' } })).toEqual([
      403,
      'cross_origin',
    ]);
    // A token that was shown on purpose comes from no foreign page.
    await openSocket(port, { headers: { ...bearer, origin } });
    await openSocket(port, { headers: { ...cookie, origin: `http://127.0.0.1:${port}` } });
    await sessions.revoke(session.id);
    expect(await refused({ headers: { ...bearer } })).toEqual(invalid);
    clock.advance('31m');
    expect(await refused({ headers: { ...other.bearer } })).toEqual([401, 'session_expired']);
    for (const guess of ['one', 'two', 'three'])
      await refused({ headers: { authorization: `Bearer ${guess}` } });
    const tired = await refusedSocket(port, { headers: { authorization: 'Bearer four' } });
    expect([tired.status, tired.headers['retry-after']]).toEqual([429, expect.any(String)]);
    expect(ran.filter((what) => what !== 'connected as ana')).toEqual([]);
  });

  it('goes by what the platform knows of proxies', async () => {
    for (const trustProxy of [false, true]) {
      const { app, port } = await open(Chat, { trustProxy });
      const { bearer } = await signInAs(app, { userId: 'ana' });
      const forwarded = { ...bearer, 'x-forwarded-for': '203.0.113.1', 'x-forwarded-proto': 'https' };
      if (trustProxy) await openSocket(port, { headers: forwarded });
      else expect((await refusedSocket(port, { headers: forwarded })).body['code']).toBe('https_required');
    }
  });

  it('lets in who could use one of its messages, and refuses the others', async () => {
    const { app, port } = await open(Admins);
    const [ana, boss] = await Promise.all([
      signInAs(app, { userId: 'ana' }),
      signInAs(app, { userId: 'boss', roles: ['admin'] }),
    ]);
    const { status, body } = await refusedSocket(port, { headers: { ...ana.bearer } });
    expect([status, body['code']]).toEqual([403, 'role_required']);
    const { ask } = await openSocket(port, { headers: { ...boss.bearer } });
    expect(await ask('rule')).toEqual({ event: 'ruled', data: 'rule' });
  });

  it('tells the token to nobody, neither in the log nor in events', async () => {
    const told: unknown[] = [];
    const tell = (...what: unknown[]) => void told.push(...what);
    const logger = { log: tell, warn: tell, error: tell, debug: tell, verbose: tell };
    const { app, port, sessions } = await open(Chat, { configure: (nest) => nest.useLogger(logger) });
    const { events } = recordSessionEvents(app);
    const { token, session } = await signInAs(app, { userId: 'ana' });
    const protocols = ['app', `bearer.${token}`];
    const { ended } = await openSocket(port, { protocols });
    await sessions.revoke(session.id);
    await ended;
    await refusedSocket(port, { protocols });
    expect(events.map(({ type }) => type)).toEqual(['created', 'revoked', 'refused']);
    expect(inspect({ told, events }, { depth: null })).not.toContain(token.slice(4));
  });

  it('needs a session where it only sends', async () => {
    const { app, port } = await open(Pushing);
    expect((await refusedSocket(port)).status).toBe(401);
    const { bearer } = await signInAs(app, { userId: 'ana' });
    await openSocket(port, { headers: { ...bearer } });
    expect(ran).toEqual(['connected as ana']);
  });

  it('refuses a message as a request would be refused, and says which', async () => {
    const { app, port } = await open(Chat);
    const { bearer, session } = await signInAs(app, { userId: 'ana' });
    const { ask } = await openSocket(port, { headers: { ...bearer } });
    expect(await ask('kick')).toEqual({
      event: 'exception',
      data: {
        status: 'error',
        statusCode: 403,
        message: 'You are not allowed to do this.',
        error: 'Forbidden',
        code: 'role_required',
        cause: { pattern: 'kick' },
      },
    });
    expect(await ask('pay')).toMatchObject({ data: { code: 'reauthentication_required', statusCode: 401 } });
    expect(ran).toEqual(['connected as ana']);
    expect(session.userId).toBe('ana');
  });

  it('says whose session it is to each message by itself', async () => {
    const { app, port, sessions } = await open(Open);
    const { bearer } = await signInAs(app, { userId: 'ana' });
    const guest = await sessions.createAnonymous();
    const mine = await openSocket(port, { headers: { ...bearer } });
    const nobodys = await openSocket(port);
    const guests = await openSocket(port, { headers: { authorization: `Bearer ${guest.token}` } });
    expect(await mine.ask('who')).toEqual({ event: 'who', data: 'ana' });
    expect(await mine.ask('public')).toEqual({ event: 'public', data: null });
    expect(await nobodys.ask('who')).toEqual({ event: 'who', data: null });
    expect(await nobodys.ask('closed')).toMatchObject({ data: { code: 'session_required' } });
    expect(await guests.ask('cart')).toEqual({ event: 'cart', data: null });
    expect(await guests.ask('closed')).toMatchObject({ data: { code: 'session_required' } });
    expect(ran).toEqual([]);
    expect(await mine.ask('closed')).toEqual({ event: 'closed', data: 'closed' });
    // A hundred at once, of which half see nobody.
    const answers: string[] = [];
    mine.socket.on('message', (data) => answers.push(String(data)));
    for (let at = 0; at < 50; at++) {
      mine.socket.send(JSON.stringify({ event: 'who', data: {} }));
      mine.socket.send(JSON.stringify({ event: 'public', data: {} }));
    }
    await until(() => answers.length === 100);
    const counted = (text: string) => answers.filter((answer) => answer === text).length;
    expect(counted('{"event":"who","data":"ana"}')).toBe(50);
    expect(counted('{"event":"public","data":null}')).toBe(50);
  });

  it('asks what the classes ask that it inherits from, unless a method says otherwise', async () => {
    const { app, port } = await open(Inheriting);
    const ana = await signInAs(app, { userId: 'ana' });
    const boss = await signInAs(app, { userId: 'boss', roles: ['admin'] });
    const asked = ['inherited', 'overridden', 'added'];
    const outcomes = async (headers: Record<string, string>) => {
      const { ask } = await openSocket(port, { headers });
      const answers = [];
      for (const event of asked) answers.push((await ask(event)).data);
      return answers.map((data) => (data as { code?: string }).code ?? data);
    };
    expect(await outcomes({})).toEqual(['session_required', 'their own', 'session_required']);
    expect(await outcomes({ ...ana.bearer })).toEqual(['role_required', 'their own', 'role_required']);
    expect(await outcomes({ ...boss.bearer })).toEqual(['inherited', 'their own', 'added']);
  });

  it('messages are activity, unless in the background', async () => {
    const { app, port, sessions, clock } = await open(Chat);
    const { bearer, session } = await signInAs(app, { userId: 'ana' });
    clock.advance('10m');
    const { ask } = await openSocket(port, { headers: { ...bearer } });
    await ask('poll');
    const seen = async () => (await sessions.get(session.id))?.lastSeenAt.getTime();
    expect(await seen()).toBe(clock.now() - 600_000);
    await ask('say', 'hello');
    expect(await seen()).toBe(clock.now());
  });

  it('a gateway on a port and a path of its own is guarded', async () => {
    const own = await freePort();
    @WebSocketGateway(own, { path: '/own' })
    class Own {
      @SubscribeMessage('say') say(@ConnectedSocket() client: object) {
        return { event: 'said', data: sessionOf(client)?.userId };
      }
    }
    const { app, sessions } = await open(Own);
    expect((await refusedSocket(own, { path: '/own' })).status).toBe(401);
    const { token } = await signInAs(app, { userId: 'ana' });
    const { ask, ended } = await openSocket(own, { path: '/own', protocols: ['app', `bearer.${token}`] });
    expect(await ask('say')).toEqual({ event: 'said', data: 'ana' });
    await sessions.revokeAll('ana');
    expect(await ended).toEqual([4401, 'session_invalid']);
  });

  it('functions of the application still choose who comes in, and which protocol', async () => {
    const seen: unknown[] = [];
    @WebSocketGateway({
      verifyClient: ({ req }: { req: { headers: Record<string, string>; rawHeaders: string[] } }) => {
        seen.push(req.headers['sec-websocket-protocol'], ...req.rawHeaders);
        return !('x-unwanted' in req.headers);
      },
      handleProtocols: (protocols: Set<string>) => {
        seen.push(...protocols);
        return [...protocols].at(-1);
      },
    })
    class Choosing {
      @SubscribeMessage('say') say() {
        return { event: 'said', data: null };
      }
    }
    const { app, port } = await open(Choosing);
    const { token, bearer } = await signInAs(app, { userId: 'ana' });
    const { socket } = await openSocket(port, { protocols: ['one', `bearer.${token}`, 'two'] });
    expect(socket.protocol).toBe('two');
    expect(JSON.stringify(seen)).not.toContain(token);
    const unwanted = openSocket(port, { headers: { ...bearer, 'x-unwanted': '1' } });
    await expect(unwanted).rejects.toThrow('401');
  });
});

/** What ends a session, or what a socket has of it. */
const ENDS: Record<string, (app: EdgeApp, session: ActiveSession, token: string) => Promise<unknown>> = {
  revoke: ({ sessions }, { id }) => sessions.revoke(id),
  revokeAll: ({ sessions }, { userId }) => sessions.revokeAll(userId),
  revokeEveryone: ({ sessions }) => sessions.revokeEveryone(),
  rotation: ({ sessions }, { id }) => sessions.rotate(id),
  'a step-up': ({ sessions }, { id, userId }) =>
    sessions.authenticate(id, { userId, level: 2, roles: ['admin'] }),
  'sign-out over HTTP': ({ url }, _, token) =>
    fetch(`${url}/sign-out`, { method: 'POST', headers: { authorization: `Bearer ${token}` } }),
  'an eviction': ({ app }, { userId }) => signInAs(app, { userId, roles: ['admin'] }),
};

describe.each(['express', 'fastify'] as const)('sockets of ws on %s end with their session', (platform) => {
  const open = (gateway: Type, options: EdgeAppOptions = {}) =>
    withWs({ platform, providers: [gateway], ...options });

  it.each(Object.keys(ENDS))('by %s, at once', async (end) => {
    const app = await open(Admins, { controllers: [Leaving], options: { maxSessionsPerUser: 1 } });
    const { bearer, session, token } = await signInAs(app.app, { userId: 'boss', roles: ['admin'] });
    const sockets = await Promise.all(
      [1, 2].map(async () => openSocket(app.port, { headers: { ...bearer } })),
    );
    await ENDS[end]!(app, session, token);
    for (const { ended } of sockets) expect(await ended).toEqual([4401, 'session_invalid']);
  });

  it('by the reuse of a token that was replaced', async () => {
    const app = await open(Chat);
    const { token: stolen, session } = await signInAs(app.app, { userId: 'ana' });
    await app.sessions.validate(stolen);
    const { token } = await app.sessions.rotate(session.id);
    const { ended } = await openSocket(app.port, { headers: { authorization: `Bearer ${token}` } });
    app.clock.advance('1m');
    expect((await app.sessions.validate(stolen)).session).toBe(null);
    expect(await ended).toEqual([4401, 'session_invalid']);
  });

  it('by the renewal of its token, once `grace` is over', async () => {
    const app = await open(Chat, { controllers: [Account], options: { timeouts: { renewal: '5m' } } });
    const { bearer } = await signInAs(app.app, { userId: 'ana' });
    const { ended, ask } = await openSocket(app.port, { headers: { ...bearer } });
    app.clock.advance('6m');
    const { headers } = await fetch(`${app.url}/me`, { headers: { ...bearer } });
    const authorization = `Bearer ${headers.get('session-token')}`;
    expect((await fetch(`${app.url}/me`, { headers: { authorization } })).status).toBe(200);
    expect(await ask('say', 'in time')).toEqual({ event: 'said', data: 'ana: in time' });
    app.clock.advance('31s');
    expect(await ended).toEqual([4401, 'session_invalid']);
  });

  it('with the role that the gateway asks for', async () => {
    const app = await open(Admins);
    const { bearer } = await signInAs(app.app, { userId: 'boss', roles: ['admin'] });
    const { ended } = await openSocket(app.port, { headers: { ...bearer } });
    await app.sessions.setRoles('boss', ['customer']);
    expect(await ended).toEqual([4403, 'role_required']);
  });

  it('by time, where nothing happens', async () => {
    const app = await open(Chat);
    const { bearer } = await signInAs(app.app, { userId: 'ana' });
    const { ended } = await openSocket(app.port, { headers: { ...bearer } });
    app.clock.advance('31m');
    expect(await ended).toEqual([4401, 'session_expired']);
  });

  it('by time, whatever happens', async () => {
    const app = await open(Chat, { options: { timeouts: { absolute: '40m' } } });
    const { bearer } = await signInAs(app.app, { userId: 'ana' });
    const { ended, ask } = await openSocket(app.port, { headers: { ...bearer } });
    app.clock.advance('25m');
    await ask('say', 'still here');
    app.clock.advance('16m');
    expect(await ended).toEqual([4401, 'session_expired']);
  });

  it('spares the sockets of others', async () => {
    const app = await open(Chat);
    const [ana, ben] = await Promise.all([
      signInAs(app.app, { userId: 'ana' }),
      signInAs(app.app, { userId: 'ben' }),
    ]);
    const anas = await openSocket(app.port, { headers: { ...ana.bearer } });
    const bens = await openSocket(app.port, { headers: { ...ben.bearer } });
    await app.sessions.revokeAll('ana');
    await anas.ended;
    expect(await bens.ask('say', 'still here')).toEqual({ event: 'said', data: 'ben: still here' });
  });
});
