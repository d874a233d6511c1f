import { Controller, Get, type INestApplication, Injectable, Scope, type Type } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { Query, Resolver } from '@nestjs/graphql';
import { MessagePattern } from '@nestjs/microservices';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { Public, RequireRole } from 'nestjs-sessions';
import { signInAs } from 'nestjs-sessions/testing';
import { edgeApps } from '../support/edge-apps.js';
import { APOLLO, ask } from '../support/graphql.js';
import { OwnTransport } from '../support/own-transport.js';
import { noteRuns } from '../support/runs.js';
import { SOCKET_IO, WS } from '../support/socket-clients.js';

/* Each request has an instance of its own, which puts another function in the place of a method: none that a guard is on. */

const { ran, note } = noteRuns();
const start = edgeApps();

/** Made anew, as what is done to a class is done to all applications with it. */
const makers = {
  routes(scope: Scope): Type {
    @Controller({ scope })
    class Routes {
      constructor() {
        this.secret = this.secret.bind(this);
      }
      @RequireRole('admin') @Get('secret') secret(): string {
        return note('secret');
      }
    }
    return Routes;
  },
  messages(scope: Scope): Type {
    @Controller({ scope })
    class Messages {
      constructor() {
        this.message = this.message.bind(this);
      }
      @RequireRole('admin') @MessagePattern('message') message(): string {
        return note('message');
      }
    }
    return Messages;
  },
  undecoratedMessages(scope: Scope): Type {
    @Controller({ scope })
    class Messages {
      constructor() {
        this.message = this.message.bind(this);
      }
      @MessagePattern('message') message(): string {
        return note('message');
      }
    }
    return Messages;
  },
  resolver(scope: Scope): Type {
    @Resolver()
    @Injectable({ scope })
    class Asked {
      constructor() {
        this.asked = this.asked.bind(this);
      }
      @RequireRole('admin') @Query(() => String) asked(): string {
        return note('asked');
      }
    }
    return Asked;
  },
  gateway(scope: Scope): Type {
    @WebSocketGateway()
    @Injectable({ scope })
    class Gateway {
      constructor() {
        this.message = this.message.bind(this);
      }
      @RequireRole('admin') @SubscribeMessage('message') message(): string {
        return note('socket message');
      }
      @SubscribeMessage('other') other(): string {
        return 'other';
      }
    }
    return Gateway;
  },
};

describe.each([Scope.REQUEST, Scope.TRANSIENT, Scope.DEFAULT])('with scope %p', (scope) => {
  describe.each([true, false])('and globalGuard: %p', (globalGuard) => {
    const options = { globalGuard };

    it('a bound route does not run', async () => {
      const controllers = [makers.routes(scope)];
      const app = await start({ controllers, options }).catch(() => null);
      if (app) expect((await fetch(`${app.url}/secret`)).status).toBeGreaterThanOrEqual(400);
      expect(ran).toEqual([]);
    });

    const kinds = globalGuard ? [makers.messages, makers.undecoratedMessages] : [makers.messages];
    it.each(kinds)('a bound message does not run: %p', async (make) => {
      for (const hybrid of [{}, { inheritAppConfig: true }]) {
        const strategy = new OwnTransport();
        const configure = async (app: INestApplication) => {
          app.connectMicroservice({ strategy }, hybrid);
          await app.startAllMicroservices();
        };
        const app = await start({ controllers: [make(scope)], options, configure }).catch(() => null);
        if (app) await expect(strategy.receive('message')).rejects.toBeDefined();
      }
      expect(ran).toEqual([]);
    });

    it('a bound query does not run', async () => {
      const providers = [makers.resolver(scope)];
      const app = await start({ imports: [APOLLO.module()], providers, options });
      expect((await ask(app, '{ asked }')).errors).toHaveLength(1);
      expect(ran).toEqual([]);
    });

    it.each([WS, SOCKET_IO])(
      'a bound message of a gateway does not run: $name',
      async ({ adapter, send }) => {
        const providers = [makers.gateway(scope)];
        const configure = (app: INestApplication) => app.useWebSocketAdapter(adapter(app));
        const { app, port } = await start({ providers, options, configure });
        const { bearer } = await signInAs(app, { userId: 'ana', roles: ['customer'] });
        await send(port, 'message', { ...bearer });
        expect(ran).toEqual([]);
        if (scope !== Scope.TRANSIENT) expect(await send(port, 'other', { ...bearer })).toBeTruthy();
      },
    );
  });
});

@Controller({ scope: Scope.REQUEST })
class Foreign {
  constructor() {
    const { open } = this;
    this.secret = open;
  }
  @Public() @Get('open') open(): string {
    return 'open';
  }
  @Get('secret') secret(): string {
    return note('secret');
  }
}

it('where each request has a controller of its own, a route whose place has the function of another one is as open as that', async () => {
  const { url } = await start({ controllers: [Foreign] });
  expect(await (await fetch(`${url}/secret`)).text()).toBe('open');
  expect(ran).toEqual([]);
});
