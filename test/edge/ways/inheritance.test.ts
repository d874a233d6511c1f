import { Controller, Get, type INestApplication, type Type } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { Field, InterfaceType, Mutation, ObjectType, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { MessagePattern } from '@nestjs/microservices';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { Public, RequireRole } from 'nestjs-sessions';
import { signInAs } from 'nestjs-sessions/testing';
import { type EdgeApp, edgeApps } from '../support/edge-apps.js';
import { APOLLO, ask, MERCURIUS } from '../support/graphql.js';
import { attempt } from '../support/outcomes.js';
import { OwnTransport } from '../support/own-transport.js';
import { noteRuns } from '../support/runs.js';
import { WS } from '../support/socket-clients.js';

/* Handlers that a class has from the one that it extends: as they are, or with a body of its own. */

const { ran, note } = noteRuns();
const start = edgeApps();

@Controller()
class BaseRoutes {
  @RequireRole('admin') @Get('route') route(): string {
    return note('route');
  }
}

@Controller()
class InheritedRoutes extends BaseRoutes {}

@Controller()
class OverriddenRoutes extends BaseRoutes {
  @Get('route') override route(): string {
    return note('route');
  }
}

@Controller()
class BaseMessages {
  @RequireRole('admin') @MessagePattern('message') message(): string {
    return note('message');
  }
}

@Controller()
class InheritedMessages extends BaseMessages {}

@Controller()
class OverriddenMessages extends BaseMessages {
  @MessagePattern('message') override message(): string {
    return note('message');
  }
}

@Resolver({ isAbstract: true })
class BaseQueries {
  @RequireRole('admin') @Query(() => String) query(): string {
    return note('query');
  }
  @RequireRole('admin') @Mutation(() => String) mutation(): string {
    return note('mutation');
  }
}

@Resolver()
class InheritedQueries extends BaseQueries {}

@Resolver()
class OverriddenQueries extends BaseQueries {
  @Query(() => String) override query(): string {
    return note('query');
  }
  @Mutation(() => String) override mutation(): string {
    return note('mutation');
  }
}

@WebSocketGateway()
class BaseGateway {
  @RequireRole('admin') @SubscribeMessage('message') message(): string {
    return note('socket message');
  }
}

@WebSocketGateway()
class InheritedGateway extends BaseGateway {}

@WebSocketGateway()
class OverriddenGateway extends BaseGateway {
  @SubscribeMessage('message') override message(): string {
    return note('socket message');
  }
}

/** What somebody without a session, and somebody without the role, gets to run. */
async function reaches({ app, url, port }: EdgeApp, strategy: OwnTransport): Promise<boolean> {
  const customer = await signInAs(app, { userId: 'ana', roles: ['customer'] });
  for (const headers of [{}, { ...customer.bearer }]) {
    await fetch(`${url}/route`, { headers });
    await strategy.receive('message').catch(() => {});
    await WS.send(port, 'message', headers).catch(() => {});
    await ask({ url } as EdgeApp, '{ query }', headers).catch(() => {});
    await ask({ url } as EdgeApp, 'mutation { mutation }', headers).catch(() => {});
  }
  return ran.length > 0;
}

async function outcomeOf(types: { controllers?: Type[]; providers?: Type[] }, globalGuard: boolean) {
  const strategy = new OwnTransport();
  const boot = () =>
    start({
      ...types,
      imports: types.providers?.some((type) => type.prototype instanceof BaseQueries)
        ? [APOLLO.module()]
        : [],
      options: { globalGuard },
      configure: async (app: INestApplication) => {
        app.useWebSocketAdapter(WS.adapter(app));
        app.connectMicroservice({ strategy });
        await app.startAllMicroservices();
      },
    });
  return attempt(boot, (app) => reaches(app, strategy));
}

const INHERITED = [
  { controllers: [InheritedRoutes] },
  { controllers: [InheritedMessages] },
  { providers: [InheritedQueries] },
  { providers: [InheritedGateway] },
];
const OVERRIDDEN = [
  { controllers: [OverriddenRoutes] },
  { controllers: [OverriddenMessages] },
  { providers: [OverriddenQueries] },
  { providers: [OverriddenGateway] },
];

describe.each([true, false])('with globalGuard: %p', (globalGuard) => {
  it.each(INHERITED)(
    'a handler that a class inherits has the decorators that stand on it there: %p',
    async (types) => {
      expect(await outcomeOf(types, globalGuard)).toBe('refused');
    },
  );
});

it.each(OVERRIDDEN)('a handler that overrides one has the decorators of that one too: %p', async (types) => {
  expect(await outcomeOf(types, true)).toBe('refused');
});

it.each(OVERRIDDEN)(
  'with globalGuard: false a handler that overrides one with decorators, and has none, stops the boot: %p',
  async (types) => {
    expect(await outcomeOf(types, false)).toBe('stops the boot');
  },
);

@InterfaceType()
abstract class Node {
  @Field() id!: string;
}

@ObjectType({ implements: () => [Node] })
class Account implements Node {
  @Field() id!: string;
}

@Resolver(() => Node)
class Nodes {
  @RequireRole('admin') @ResolveField(() => String) secret(): string {
    return note('secret');
  }
}

@Resolver(() => Account)
class Accounts {
  @Public() @Query(() => Account) account(): Account {
    return { id: '1' };
  }
}

describe.each([APOLLO, MERCURIUS])('by $name', ({ platform, module }) => {
  it('a field of an interface is guarded in the types that implement it', async () => {
    const open = (options = {}) =>
      start({ platform, imports: [module(options)], providers: [Nodes, Accounts] });
    const boot = () => open();
    expect(await attempt(boot, async () => true)).toBe('stops the boot');
    const app = await open({ fieldResolverEnhancers: ['guards'] });
    const answer = await ask(app, '{ account { secret } }');
    expect(answer.errors).toHaveLength(1);
    expect(ran).toEqual([]);
  });
});
