import { Controller, type INestApplication, type INestMicroservice, Scope, type Type } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type ClientProxy,
  ClientProxyFactory,
  EventPattern,
  MessagePattern,
  type MicroserviceOptions,
  Transport,
} from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { Public, RequireRole, SessionModule } from 'nestjs-sessions';
import { InMemorySessionStore } from 'nestjs-sessions/testing';
import { firstValueFrom } from 'rxjs';
import type { AddressInfo, Server } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { edgeApps } from './support/edge-apps.js';
import { attempt } from './support/outcomes.js';

const ran: string[] = [];
const note = (what: string): string => (ran.push(what), what);
const start = edgeApps();
const clients: ClientProxy[] = [];

beforeEach(() => {
  ran.length = 0;
});
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

@Controller()
class Undecorated {
  @MessagePattern('message') message(): string {
    return note('message');
  }
  @EventPattern('event') event(message: object): void {
    note(`event ${Object.keys(message).length}`);
  }
  @Public() @MessagePattern('public') public(): string {
    return 'public';
  }
}

@Controller()
class Decorated {
  @RequireRole('admin') @MessagePattern('message') message(): string {
    return note('message');
  }
  @RequireRole('admin') @EventPattern('event') event(message: object): void {
    note(`event ${Object.keys(message).length}`);
  }
  @Public() @MessagePattern('public') public(): string {
    return 'public';
  }
}

@Controller({ scope: Scope.REQUEST })
class Scoped {
  @MessagePattern('message') message(): string {
    return note('message');
  }
  @EventPattern('event') event(message: object): void {
    note(`event ${Object.keys(message).length}`);
  }
  @Public() @MessagePattern('public') public(): string {
    return 'public';
  }
}

class Inheriting extends Undecorated {}
Controller()(Inheriting);

// Without the global guard a handler without a decorator is open: the option says so.
const CLOSED: [Type, boolean][] = [
  [Undecorated, true],
  [Decorated, true],
  [Decorated, false],
  [Scoped, true],
  [Inheriting, true],
];
const WAYS = [{}, { inheritAppConfig: true }, { deferInitialization: true }];

async function connect(app: INestApplication, hybrid: object): Promise<ClientProxy> {
  const options: MicroserviceOptions = {
    transport: Transport.TCP,
    options: { host: '127.0.0.1', port: 0 },
  };
  const service = app.connectMicroservice(options, hybrid);
  await app.startAllMicroservices();
  return clientOf(service);
}

function clientOf(service: INestMicroservice): ClientProxy {
  const { port } = service.unwrap<Server>().address() as AddressInfo;
  const client = ClientProxyFactory.create({
    transport: Transport.TCP,
    options: { host: '127.0.0.1', port },
  });
  clients.push(client);
  return client;
}

describe.each(WAYS)('an application that is connected with %p', (hybrid) => {
  it.each(CLOSED)('has no open handlers: %p, globalGuard: %p', async (controller, globalGuard) => {
    let client: ClientProxy | undefined;
    const outcome = await attempt(
      () =>
        start({
          controllers: [controller],
          options: { globalGuard },
          configure: async (app) => (client = await connect(app, hybrid)),
        }),
      async () => {
        await firstValueFrom(client!.send('message', {})).catch(() => {});
        await firstValueFrom(client!.emit('event', {}), { defaultValue: null });
        await pause(50);
        return ran.length > 0;
      },
    );
    expect(outcome).not.toBe('open');
  });

  it.each([Undecorated, Scoped, Inheriting])('opens what has @Public(): %p', async (controller) => {
    let client: ClientProxy | undefined;
    await start({
      controllers: [controller],
      configure: async (app) => (client = await connect(app, hybrid)),
    });
    expect(await firstValueFrom(client!.send('public', {}))).toBe('public');
  });
});

it('has no open handlers as a microservice alone', async () => {
  const builder = Test.createTestingModule({
    imports: [SessionModule.forRoot({ store: InMemorySessionStore })],
    controllers: [Undecorated],
  });
  const service = (await builder.compile()).createNestMicroservice<MicroserviceOptions>({
    transport: Transport.TCP,
    options: { host: '127.0.0.1', port: 0 },
  });
  service.useLogger(false);
  await service.listen();
  const client = clientOf(service);
  await expect(firstValueFrom(client.send('message', {}))).rejects.toBeDefined();
  expect(await firstValueFrom(client.send('public', {}))).toBe('public');
  expect(ran).toEqual([]);
  await service.close();
});
