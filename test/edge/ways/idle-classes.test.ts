import { Controller, Get, Injectable, Module, Scope, SetMetadata, type Type } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { OnEvent } from '@nestjs/event-emitter';
import { Field, ObjectType, Query, Resolver } from '@nestjs/graphql';
import { Cron } from '@nestjs/schedule';
import { WebSocketGateway } from '@nestjs/websockets';
import { Public, RequireRole } from 'nestjs-sessions';
import { signInAs } from 'nestjs-sessions/testing';
import { edgeApps } from '../support/edge-apps.js';
import { APOLLO } from '../support/graphql.js';
import { attempt } from '../support/outcomes.js';
import { noteRuns } from '../support/runs.js';
import { SOCKET_IO, WS } from '../support/socket-clients.js';

/* Decorators on a class of which no method is called for a request. */

const { ran, note } = noteRuns();
const start = edgeApps();
const outcomeOf = (types: { imports?: Type[]; providers?: Type[] }) =>
  attempt(
    () => start(types),
    async () => true,
  );

@Injectable()
class Service {
  work(): void {}
}

@Injectable()
class Cronjobs {
  @Cron('0 0 1 1 *') yearly(): void {}
}

@Injectable()
class Listeners {
  @OnEvent('heard') heard(): void {}
}

@Injectable()
class Consumers {
  @SetMetadata('rabbit:handler', true) consume(): void {}
}

@Injectable({ scope: Scope.REQUEST })
class OfRequest {
  work(): void {}
}

/** As `@Processor()` of BullMQ marks it. */
@SetMetadata('bullmq:processor_metadata', {})
class Worker {
  process(): void {}
}

const CLASSES: Type[] = [Service, Cronjobs, Listeners, Consumers, OfRequest, Worker];

describe.each([RequireRole('admin'), Public()])('a decorator on a class: %#', (decorator) => {
  it.each(CLASSES)('stops the boot where Nest calls none of its methods for a request: %p', async (type) => {
    class Decorated extends type {}
    Injectable()(Decorated);
    decorator(Decorated);
    expect(await outcomeOf({ providers: [Decorated] })).toBe('stops the boot');
  });

  it('stops the boot on a module, whose controllers it would not guard', async () => {
    @Controller()
    class Routes {
      @Get('route') route(): void {}
    }
    @decorator
    @Module({ controllers: [Routes] })
    class Admin {}
    expect(await outcomeOf({ imports: [Admin] })).toBe('stops the boot');
  });
});

describe.each([WS, SOCKET_IO])('by $name', ({ adapter, send }) => {
  it('a decorator on a gateway without messages holds for connections', async () => {
    @RequireRole('admin')
    @WebSocketGateway()
    class Feed {
      handleConnection(): void {
        note('connection');
      }
      broadcast(): void {}
    }
    const { app, port } = await start({
      providers: [Feed],
      configure: (nest) => nest.useWebSocketAdapter(adapter(nest)),
    });
    const customer = await signInAs(app, { userId: 'ana', roles: ['customer'] });
    const admin = await signInAs(app, { userId: 'bob', roles: ['admin'] });
    await send(port, 'any').catch(() => {});
    await send(port, 'any', { ...customer.bearer }).catch(() => {});
    expect(ran).toEqual([]);
    await send(port, 'any', { ...admin.bearer }).catch(() => {});
    expect(ran).toEqual(['connection']);
  });
});

class Dto {
  amount!: number;
}

it('a decorator on a class that Nest does not know, such as a DTO, has no effect', async () => {
  RequireRole('admin')(Dto);
  @Controller()
  class Routes {
    @Public() @Get('amount') amount(): Dto {
      note('amount');
      return Object.assign(new Dto(), { amount: 1 });
    }
  }
  const { url } = await start({ controllers: [Routes] });
  await fetch(`${url}/amount`);
  expect(ran).toEqual(['amount']);
});

it('a decorator on a type of GraphQL, or on a field of it that is a method, stops the boot', async () => {
  @ObjectType()
  class WithMethod {
    @RequireRole('admin') @Field(() => String) secret(): string {
      return note('secret');
    }
  }
  @RequireRole('admin')
  @ObjectType()
  class Above {
    @Field(() => String) secret!: string;
  }
  @ObjectType()
  @RequireRole('admin')
  class Below {
    @Field(() => String) secret!: string;
  }
  @Resolver()
  class Types {
    @Public() @Query(() => WithMethod) method(): WithMethod {
      return new WithMethod();
    }
    @Public() @Query(() => Above) above(): Above {
      return { secret: '' };
    }
    @Public() @Query(() => Below) below(): Below {
      return { secret: '' };
    }
  }
  const boot = start({ imports: [APOLLO.module()], providers: [Types] });
  await expect(boot).rejects.toThrow('WithMethod, Above, Below');
});
