import { Controller, Get, type INestApplication, Injectable } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { EventEmitter2, EventEmitterModule, OnEvent } from '@nestjs/event-emitter';
import { Query, Resolver } from '@nestjs/graphql';
import { MessagePattern } from '@nestjs/microservices';
import { Interval, ScheduleModule } from '@nestjs/schedule';
import { Public, RequireRole } from 'nestjs-sessions';
import { edgeApps } from '../support/edge-apps.js';
import { APOLLO, ask } from '../support/graphql.js';
import { attempt } from '../support/outcomes.js';
import { OwnTransport } from '../support/own-transport.js';
import { noteRuns } from '../support/runs.js';

/* One method that Nest, another library or the application itself comes to by several ways. */

const { ran, note } = noteRuns();
const start = edgeApps();

@Controller()
class Heard {
  @RequireRole('admin') @Get('heard') @OnEvent('heard') heard(): string {
    return note('heard');
  }
}

@RequireRole('admin')
@Controller()
class Listening {
  @Get('route') route(): void {}
  @OnEvent('heard') heard(): void {
    note('heard');
  }
  @Interval(5) scheduled(): void {
    note('scheduled');
  }
}

@Controller()
class Scheduled {
  @RequireRole('admin') @Get('scheduled') @Interval(5) scheduled(): string {
    return note('scheduled');
  }
}

@Controller()
class Messages {
  @Get('message') @MessagePattern('message') message(): string {
    return note('message');
  }
}

/** As classes are that stand under `controllers` and under `providers`. */
@Resolver()
@Controller()
class Asked {
  @Query(() => String) @MessagePattern('message') message(): string {
    return note('message');
  }
}

@Injectable()
class Own {
  constructor(private readonly heard: Heard) {}
  call(): string {
    return this.heard.heard();
  }
}

const connect = (strategy: OwnTransport) => async (app: INestApplication) => {
  app.connectMicroservice({ strategy });
  await app.startAllMicroservices();
};

describe.each(['express', 'fastify'] as const)('on %s', (platform) => {
  it('a route that is a listener of events too is guarded as a route, and runs by an event', async () => {
    const imports = [EventEmitterModule.forRoot()];
    const { app, url } = await start({ platform, imports, controllers: [Heard] });
    expect((await fetch(`${url}/heard`)).status).toBe(401);
    expect(ran).toEqual([]);
    app.get(EventEmitter2).emit('heard');
    while (ran.length === 0) await new Promise(setImmediate);
  });

  it('a route that is scheduled too is guarded as a route, and runs by the clock', async () => {
    const imports = [ScheduleModule.forRoot()];
    const { url } = await start({ platform, imports, controllers: [Scheduled] });
    expect((await fetch(`${url}/scheduled`)).status).toBe(401);
    while (ran.length === 0) await new Promise(setImmediate);
  });

  it('a listener and a schedule in a class of routes run, whatever stands on the class', async () => {
    const imports = [EventEmitterModule.forRoot(), ScheduleModule.forRoot()];
    const { app, url } = await start({ platform, imports, controllers: [Listening] });
    expect((await fetch(`${url}/route`)).status).toBe(401);
    app.get(EventEmitter2).emit('heard');
    while (new Set(ran).size < 2) await new Promise(setImmediate);
  });

  it('a route that is a message too is closed by both ways', async () => {
    const strategy = new OwnTransport();
    const { url } = await start({ platform, controllers: [Messages], configure: connect(strategy) });
    expect((await fetch(`${url}/message`)).status).toBe(401);
    await expect(strategy.receive('message')).rejects.toBeDefined();
    expect(ran).toEqual([]);
  });

  it('a route that the application calls itself runs', async () => {
    const { app } = await start({ platform, controllers: [Heard], providers: [Heard, Own] });
    expect(app.get(Own).call()).toBe('heard');
  });
});

it('a query that is a message too is closed by both ways', async () => {
  const strategy = new OwnTransport();
  const app = await start({
    imports: [APOLLO.module()],
    controllers: [Asked],
    providers: [Asked],
    configure: connect(strategy),
  });
  expect((await ask(app, '{ message }')).errors).toHaveLength(1);
  await expect(strategy.receive('message')).rejects.toBeDefined();
  expect(ran).toEqual([]);
});

/** As `@Transactional()` and `@Span()` of other libraries: a new function, with what stood on the old one. */
const Wrapped =
  (isCopying = true): MethodDecorator =>
  (_target, _name, descriptor) => {
    const method = descriptor.value as object as (...args: unknown[]) => unknown;
    const wrapper = function (this: unknown, ...args: unknown[]) {
      return method.apply(this, args);
    };
    if (isCopying)
      for (const key of Reflect.getMetadataKeys(method))
        Reflect.defineMetadata(key, Reflect.getMetadata(key, method), wrapper);
    return { ...descriptor, value: wrapper as never };
  };

it.each([true, false])(
  'a method that another decorator replaces is guarded as ever: %p',
  async (isCopying) => {
    @Controller()
    class Replaced {
      @Get('plain') @Wrapped(isCopying) plain(): string {
        return note('plain');
      }
      @RequireRole('admin') @Get('role') @Wrapped(isCopying) role(): string {
        return note('role');
      }
      @Public() @Get('public') @Wrapped(isCopying) public(): string {
        return note('public');
      }
    }
    const { url } = await start({ controllers: [Replaced] });
    for (const path of ['plain', 'role', 'public']) await fetch(`${url}/${path}`);
    expect(ran).toEqual(['public']);
  },
);

it('the same above @Public() stops the boot, unless it copies what stands on the method', async () => {
  for (const isCopying of [true, false]) {
    @Controller()
    class Replaced {
      @Get('public') @Wrapped(isCopying) @Public() public(): string {
        return note('public');
      }
    }
    const outcome = await attempt(
      () => start({ controllers: [Replaced] }),
      async ({ url }) => (await fetch(`${url}/public`)).ok,
    );
    expect(outcome).toBe(isCopying ? 'open' : 'stops the boot');
  }
});
