import type { Type } from '@nestjs/common';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { Public, RequireRole, RequireSession } from 'nestjs-sessions';
import { signInAs } from 'nestjs-sessions/testing';
import { edgeApps } from './support/edge-apps.js';
import { attempt } from './support/outcomes.js';
import { SOCKET_IO, WS } from './support/socket-clients.js';

const ran: string[] = [];
const note = (what: string): string => (ran.push(what), what);
const start = edgeApps();

beforeEach(() => {
  ran.length = 0;
});

@WebSocketGateway()
class Undecorated {
  @SubscribeMessage('message') message(): string {
    return note('message');
  }
  @Public() @SubscribeMessage('public') public(): string {
    return 'public';
  }
}

@WebSocketGateway()
class DecoratedMethods {
  @RequireRole('admin') @SubscribeMessage('message') message(): string {
    return note('message');
  }
  @Public() @SubscribeMessage('public') public(): string {
    return 'public';
  }
}

@RequireSession()
@WebSocketGateway()
class DecoratedClass {
  @SubscribeMessage('message') message(): string {
    return note('message');
  }
  @Public() @SubscribeMessage('public') public(): string {
    return 'public';
  }
}

@WebSocketGateway()
class Inheriting extends Undecorated {}

// Without the global guard a handler without a decorator is open: the option says so.
const CLOSED: [Type, boolean][] = [
  [Undecorated, true],
  [Inheriting, true],
  [DecoratedMethods, true],
  [DecoratedMethods, false],
  [DecoratedClass, true],
  [DecoratedClass, false],
];

describe.each([WS, SOCKET_IO])('a gateway of $name', ({ adapter, send }) => {
  const open = (gateway: Type, globalGuard: boolean) =>
    start({
      providers: [gateway],
      options: { globalGuard },
      configure: (app) => app.useWebSocketAdapter(adapter(app)),
    });

  it.each(CLOSED)('is not open: %p, globalGuard: %p', async (gateway, globalGuard) => {
    const outcome = await attempt(
      () => open(gateway, globalGuard),
      async ({ app, port, sessions }) => {
        const customer = await signInAs(app, { userId: 'ana', roles: ['customer'] });
        await send(port, 'message');
        if (gateway === DecoratedMethods) await send(port, 'message', { ...customer.bearer });
        await sessions.revokeAll('ana');
        await send(port, 'message', { ...customer.bearer });
        return ran.length > 0;
      },
    );
    expect(outcome).not.toBe('open');
  });

  it.each([Undecorated, Inheriting])('is open with @Public(): %p', async (gateway) => {
    const { port } = await open(gateway, true);
    expect(await send(port, 'public')).toBe('public');
  });

  it('is closed in each of two applications of one process, whichever is there first', async () => {
    const first = await open(Undecorated, true);
    const second = await open(Undecorated, true);
    for (const { port } of [first, second]) await send(port, 'message');
    await first.app.close();
    await send(second.port, 'message');
    expect(ran).toEqual([]);
    expect(await send(second.port, 'public')).toBe('public');
  });
});
