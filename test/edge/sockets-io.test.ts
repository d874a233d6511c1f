import type { INestApplicationContext, Type } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { SubscribeMessage, WebSocketGateway, WebSocketServer } from '@nestjs/websockets';
import { type ActiveSession, CurrentSession, Public, RequireRole, sessionOf } from 'nestjs-sessions';
import { signInAs } from 'nestjs-sessions/testing';
import type { Socket } from 'socket.io-client';
import { type EdgeApp, type EdgeAppOptions, edgeApps } from './support/edge-apps.js';
import { connect, disconnectAll, heard, outcomeOf } from './support/io-visitor.js';
import { NOBODY, seatsTaken } from '../support/seats-taken.js';
import { noteRuns } from './support/runs.js';

const { ran, note } = noteRuns();
const start = edgeApps();
afterEach(disconnectAll);

@WebSocketGateway()
class Chat {
  handleConnection(client: object): void {
    note(`connected as ${sessionOf(client)?.userId}`);
  }
  @SubscribeMessage('say') say(client: object, text: string) {
    return `${sessionOf(client)?.userId}: ${text}`;
  }
  @RequireRole('admin') @SubscribeMessage('kick') kick(@CurrentSession() session: ActiveSession) {
    return note(`kick by ${session.userId}`);
  }
}

@RequireRole('admin')
@WebSocketGateway({ namespace: 'admin' })
class Admins {
  @SubscribeMessage('rule') rule() {
    return note('rule');
  }
}

@WebSocketGateway({ namespace: /^\/room-\d+$/ as never })
class Rooms {
  @SubscribeMessage('say') say() {
    return 'said';
  }
}

@WebSocketGateway()
class Refusing {
  @WebSocketServer() server!: { sockets: { sockets: Map<string, object> } };
  afterInit(server: {
    use(middleware: (socket: object, next: (error?: Error) => void) => void): void;
  }): void {
    server.use((socket, next) => {
      note('middleware');
      next(
        'x-unwanted' in (socket as { handshake: { headers: object } }).handshake.headers
          ? new Error('no')
          : undefined,
      );
    });
  }
  @SubscribeMessage('say') say() {
    return 'said';
  }
}

@WebSocketGateway({ connectionStateRecovery: { maxDisconnectionDuration: 60_000 } })
class Recovering {
  @WebSocketServer() server!: { to(room: string): { emit(event: string, data: string): void } };
  handleConnection(client: { join(room: string): void }): void {
    client.join('room');
  }
  tell(what: string): void {
    this.server.to('room').emit('news', what);
  }
}

const withIo = (gateway: Type, options: EdgeAppOptions = {}): Promise<EdgeApp> =>
  start({
    providers: [gateway],
    ...options,
    configure: (app) => app.useWebSocketAdapter(new IoAdapter(app as INestApplicationContext)),
  });

const END = { status: 'error', code: 'session_invalid' };
const TRANSPORTS = [['websocket'], ['polling', 'websocket'], ['polling']];

describe.each(['express', 'fastify'] as const)('a gateway of socket.io on %s', (platform) => {
  describe.each(TRANSPORTS.map((transports) => ({ transports })))('by $transports', ({ transports }) => {
    const isPolling = transports.length === 1 && transports[0] === 'polling';

    it('lets in by cookie and header, and ends with the session', async () => {
      const { app, port, sessions } = await withIo(Chat, { platform });
      const { bearer, cookie } = await signInAs(app, { userId: 'ana' });
      const opened: Socket[] = [];
      for (const extraHeaders of [{ ...bearer }, { ...cookie }]) {
        const socket = connect(port, { transports, extraHeaders });
        opened.push(socket);
        expect(await outcomeOf(socket)).toBe('connected');
        expect(await socket.emitWithAck('say', 'hello')).toBe('ana: hello');
      }
      const told: unknown[] = [];
      const ends = opened.map((socket) => {
        socket.on('exception', (body) => told.push(body));
        return heard(socket, 'disconnect');
      });
      await sessions.revokeAll('ana');
      await Promise.all(ends);
      // Between two requests of polling nobody can be told: the next one is refused.
      if (!isPolling) expect(told).toEqual([END, END]);
    });

    it('lets in by `auth`, unless polling is all there is', async () => {
      const { app, port, sessions } = await withIo(Chat, { platform });
      const { token } = await signInAs(app, { userId: 'ana' });
      const socket = connect(port, { transports, auth: { token } });
      if (isPolling) return expect(await outcomeOf(socket)).toBe('session_required');
      expect(await outcomeOf(socket)).toBe('connected');
      expect(await socket.emitWithAck('say', 'hello')).toBe('ana: hello');
      const ended = heard(socket, 'disconnect');
      await sessions.revokeAll('ana');
      await ended;
      expect(await outcomeOf(connect(port, { transports, auth: { token } }))).toBe('session_invalid');
    });

    it('refuses who has no session, or a dead one', async () => {
      const { app, port, sessions } = await withIo(Chat, { platform });
      const { bearer, cookie } = await signInAs(app, { userId: 'ana' });
      const origin = 'https://elsewhere.example';
      expect(await outcomeOf(connect(port, { transports }))).toBe('session_required');
      expect(await outcomeOf(connect(port, { transports, extraHeaders: { ...cookie, origin } }))).not.toBe(
        'connected',
      );
      await sessions.revokeAll('ana');
      expect(await outcomeOf(connect(port, { transports, extraHeaders: { ...bearer } }))).not.toBe(
        'connected',
      );
      expect(ran).toEqual([]);
    });
  });

  it('an answer to polling says what is wrong, with the status of a request', async () => {
    const { port } = await withIo(Chat, { platform });
    const url = `http://127.0.0.1:${port}/socket.io/?EIO=4&transport=polling`;
    const answer = await fetch(url, { headers: { authorization: 'Bearer garbage' } });
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
      401,
      'Bearer error="invalid_token"',
    ]);
    expect(await answer.json()).toMatchObject({ code: 'session_invalid' });
  });

  it('the id of a connection opens nothing without the session of it', async () => {
    const { app, port } = await withIo(Chat, { platform });
    const [ana, ben] = await Promise.all([
      signInAs(app, { userId: 'ana' }),
      signInAs(app, { userId: 'ben' }),
    ]);
    const socket = connect(port, { transports: ['polling'], extraHeaders: { ...ana.bearer } });
    expect(await outcomeOf(socket)).toBe('connected');
    const url = `http://127.0.0.1:${port}/socket.io/?EIO=4&transport=polling&sid=${socket.io.engine.id}`;
    const statusFor = async (headers: Record<string, string>) =>
      (await fetch(url, { method: 'POST', body: '42["say","x"]', headers })).status;
    expect(await statusFor({})).toBe(401);
    expect(await statusFor({ ...ben.bearer })).toBe(401);
    expect(await statusFor({ ...ana.bearer })).toBe(200);
    const upgrade = new Promise((resolve) => {
      const own = connect(port, { transports: ['websocket'], query: { sid: socket.io.engine.id } });
      own.once('connect_error', () => resolve('refused'));
      own.once('connect', () => resolve('connected'));
    });
    expect(await upgrade).toBe('refused');
  });

  it('a message that is refused is told by an event and by its acknowledgement', async () => {
    const { app, port } = await withIo(Chat, { platform });
    const { bearer } = await signInAs(app, { userId: 'ana' });
    const socket = connect(port, { transports: ['websocket'], extraHeaders: { ...bearer } });
    const told = heard(socket, 'exception');
    const body = {
      status: 'error',
      statusCode: 403,
      message: 'You are not allowed to do this.',
      error: 'Forbidden',
      code: 'role_required',
      cause: { pattern: 'kick' },
    };
    expect(await socket.emitWithAck('kick', {})).toEqual(body);
    expect(await told).toEqual(body);
    expect(ran).toEqual(['connected as ana']);
  });

  it('a namespace lets in whom its gateway does; one without a gateway, the default one too, who has signed in', async () => {
    const { app, port } = await withIo(Admins, { platform });
    const ana = await signInAs(app, { userId: 'ana' });
    const boss = await signInAs(app, { userId: 'boss', roles: ['admin'] });
    const by = (token: string | undefined, namespace: string) =>
      outcomeOf(connect(port, { transports: ['websocket'], auth: { token } }, namespace));
    expect(await by(undefined, '/admin')).toBe('session_required');
    expect(await by(ana.token, '/admin')).toBe('role_required');
    expect(await by(boss.token, '/admin')).toBe('connected');
    expect(await by(undefined, '')).toBe('session_required');
    expect(await by(ana.token, '')).toBe('connected');
  });

  it('namespaces that are made from a pattern are guarded', async () => {
    const { app, port, sessions } = await withIo(Rooms, { platform });
    const { token } = await signInAs(app, { userId: 'ana' });
    const to = (auth: object) => connect(port, { transports: ['websocket'], auth }, '/room-7');
    expect(await outcomeOf(to({}))).toBe('session_required');
    const socket = to({ token });
    expect(await outcomeOf(socket)).toBe('connected');
    expect(await socket.emitWithAck('say')).toBe('said');
    const ended = heard(socket, 'disconnect');
    await sessions.revokeAll('ana');
    await ended;
  });

  it('middleware of the application comes after the check, and may refuse too', async () => {
    const { app, port } = await withIo(Refusing, { platform });
    const { bearer } = await signInAs(app, { userId: 'ana' });
    const by = (extraHeaders: Record<string, string>) =>
      outcomeOf(connect(port, { transports: ['websocket'], extraHeaders }));
    expect(await by({})).toBe('session_required');
    expect(ran).toEqual([]);
    expect(await by({ ...bearer, 'x-unwanted': '1' })).toBe('no');
    expect(seatsTaken(app)).toEqual(NOBODY);
    expect(await by({ ...bearer })).toBe('connected');
  });

  it('nothing that was missed is sent before the check', async () => {
    const { app, port, sessions } = await withIo(Recovering, { platform });
    const { token } = await signInAs(app, { userId: 'ana' });
    const auth: Record<string, unknown> = { token };
    const socket = connect(port, { transports: ['websocket'], auth });
    const news: unknown[] = [];
    socket.on('news', (what) => news.push(what));
    expect(await outcomeOf(socket)).toBe('connected');
    const gateway = app.get(Recovering);
    const first = heard(socket, 'news');
    gateway.tell('first');
    await first;
    const gone = heard(socket, 'disconnect');
    socket.io.engine.close();
    await gone;
    await sessions.revokeAll('ana');
    gateway.tell('secret');
    socket.connect();
    expect(await outcomeOf(socket)).toBe('session_invalid');
    expect(news).toEqual(['first']);
  });

  it('what is public is open to everybody, and tells of nobody', async () => {
    @WebSocketGateway()
    class Open {
      @Public() @SubscribeMessage('public') public(@CurrentSession() session: unknown) {
        return { session };
      }
      @SubscribeMessage('closed') closed() {
        return note('closed');
      }
    }
    const { port } = await withIo(Open, { platform });
    const socket = connect(port, { transports: ['websocket'] });
    expect(await socket.emitWithAck('public', {})).toEqual({ session: null });
    expect(await socket.emitWithAck('closed', {})).toMatchObject({ code: 'session_required' });
    expect(ran).toEqual([]);
  });
});
