import { Controller, type INestApplication, type Type } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { Query, Resolver } from '@nestjs/graphql';
import { MessagePattern } from '@nestjs/microservices';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { Public, RequireRole } from 'nestjs-sessions';
import { edgeApps } from '../support/edge-apps.js';
import { APOLLO, ask } from '../support/graphql.js';
import { attempt } from '../support/outcomes.js';
import { OwnTransport } from '../support/own-transport.js';
import { noteRuns } from '../support/runs.js';
import { SOCKET_IO, WS } from '../support/socket-clients.js';

/* Handlers that are no routes, with a second place or name. Those of routes are in `copies.test.ts`. */

const { ran, note } = noteRuns();
const start = edgeApps();

interface Kind {
  readonly name: string;
  /** Nest's decorators for the class, and for the method. */
  readonly onClass: ClassDecorator;
  readonly handles: (name: string) => MethodDecorator;
  /** Starts an application with this class, and comes to the handler without a session. */
  open(type: Type): ReturnType<typeof start>;
  visit(app: Awaited<ReturnType<typeof start>>, name: string): Promise<unknown>;
}

@Resolver()
class Hello {
  @Query(() => String) hello(): string {
    return 'hello';
  }
}

let strategy: OwnTransport;

const KINDS: readonly Kind[] = [
  {
    name: 'a query',
    onClass: Resolver() as ClassDecorator,
    handles: (name) => Query(() => String, { name }),
    open: (type) => start({ imports: [APOLLO.module()], providers: [Hello, type] }),
    visit: (app, name) => ask(app, `{ ${name} }`),
  },
  {
    name: 'a message of a microservice',
    onClass: Controller(),
    handles: (name) => MessagePattern(name),
    open: (type) =>
      start({
        controllers: [type],
        configure: async (app: INestApplication) => {
          app.connectMicroservice({ strategy: (strategy = new OwnTransport()) });
          await app.startAllMicroservices();
        },
      }),
    visit: (_, name) => strategy.receive(name),
  },
  ...[WS, SOCKET_IO].map(({ name: by, adapter, send }) => ({
    name: `a message of a gateway of ${by}`,
    onClass: WebSocketGateway(),
    handles: (name: string) => SubscribeMessage(name),
    open: (type: Type) =>
      start({ providers: [type], configure: (app) => app.useWebSocketAdapter(adapter(app)) }),
    visit: ({ port }: Awaited<ReturnType<typeof start>>, name: string) => send(port, name),
  })),
];

describe.each(KINDS)('$name', ({ onClass, handles, open, visit }) => {
  /** A class with a handler, made anew. */
  function source(...ours: MethodDecorator[]): Type {
    class Source {
      secret(): string {
        return note('secret');
      }
    }
    const descriptor = descriptorOf(Source, 'secret');
    for (const decorate of [handles('secret'), ...ours]) decorate(Source.prototype, 'secret', descriptor);
    onClass(Source);
    return Source;
  }

  function mixin(from: Type): Type {
    class Mixed {}
    Object.defineProperty(Mixed.prototype, 'secret', descriptorOf(from, 'secret'));
    onClass(Mixed);
    return Mixed;
  }

  it('with a decorator that a mixin has copied stops the boot', async () => {
    const boot = () => open(mixin(source(RequireRole('admin'))));
    expect(await attempt(boot, async () => true)).toBe('stops the boot');
  });

  it('without one that a mixin has copied is closed', async () => {
    // A query is in no schema then, which stops the boot.
    const app = await open(mixin(source())).catch(() => null);
    if (app) await visit(app, 'secret').catch(() => {});
    expect(ran).toEqual([]);
  });

  it.each([[[]], [[Public()]]])(
    'with a decorator that has a second name stops the boot: %#',
    async (ours) => {
      const type = source(RequireRole('admin'));
      const descriptor = descriptorOf(type, 'secret');
      Object.defineProperty(type.prototype, 'second', descriptor);
      for (const decorate of ours) decorate(type.prototype as object, 'second', descriptor);
      expect(
        await attempt(
          () => open(type),
          async () => true,
        ),
      ).toBe('stops the boot');
    },
  );
});

function descriptorOf({ prototype }: Type, name: string): TypedPropertyDescriptor<never> {
  return Object.getOwnPropertyDescriptor(prototype, name) as TypedPropertyDescriptor<never>;
}
