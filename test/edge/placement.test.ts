import {
  Catch,
  Controller,
  type DynamicModule,
  Get,
  Injectable,
  type MessageEvent,
  Module,
  RequestMethod,
  SetMetadata,
  Sse,
  type Type,
} from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { Query, Resolver } from '@nestjs/graphql';
import { Cron, ScheduleModule } from '@nestjs/schedule';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  Background,
  EndSession,
  RequireLevel,
  RequireRole,
  RequireSession,
  type SessionPrincipal,
  StartSession,
} from 'nestjs-sessions';
import { signInAs } from 'nestjs-sessions/testing';
import { type Observable, of } from 'rxjs';
import { type EdgeApp, edgeApps } from './support/edge-apps.js';
import { APOLLO } from './support/graphql.js';
import { attempt, type Outcome } from './support/outcomes.js';

const start = edgeApps();
const bootWith = (boot: () => Promise<EdgeApp>): Promise<Outcome> => attempt(boot, async () => true);

@Injectable()
class Payments {
  @RequireRole('admin') pay(): string {
    return 'paid';
  }
}

@RequireSession()
@Injectable()
class GuardedAsAWhole {
  pay(): string {
    return 'paid';
  }
}

@Injectable()
class Jobs {
  @RequireLevel(2) @Cron('0 0 1 1 *') yearly(): void {}
}

@Injectable()
class Hooks {
  @RequireRole('admin') onApplicationBootstrap(): void {}
}

/** As nest-commander has them: in an application context, without any guard. */
@SetMetadata('CommandBuilder:Command:Meta', { name: 'pay' })
@Injectable()
class Command {
  @RequireRole('admin') async run(): Promise<void> {}
}

@Catch()
class Filter {
  @RequireRole('admin') catch(): void {}
}

@Injectable()
class Interceptor {
  @RequireRole('admin') intercept(): Observable<unknown> {
    return of(null);
  }
}

@Injectable()
class SignIns {
  @StartSession() open(): SessionPrincipal {
    return { userId: 'ana' };
  }
}

@Injectable()
class SignOuts {
  @EndSession() close(): void {}
}

@Resolver()
class ResolverWithHelper {
  @Query(() => String) hello(): string {
    return this.secret();
  }
  @RequireRole('admin') secret(): string {
    return 'secret';
  }
}

@WebSocketGateway()
class GatewayWithHook {
  @RequireRole('admin') handleConnection(): void {}

  @SubscribeMessage('message') message(): string {
    return 'answer';
  }
}

class Base {
  @RequireRole('admin') pay(): string {
    return 'paid';
  }
}

@Injectable()
class Heir extends Base {}

describe('a decorator where Nest runs no guard', () => {
  it.each<[string, Type, ...(DynamicModule | Type)[]]>([
    ['a method of a service', Payments],
    ['a service', GuardedAsAWhole],
    ['a method that a service inherits', Heir],
    ['a sign-in of a service', SignIns],
    ['a sign-out of a service', SignOuts],
    ['a lifecycle hook', Hooks],
    ['a scheduled method', Jobs, ScheduleModule.forRoot()],
    ['a method of a resolver that is no field', ResolverWithHelper, APOLLO.module()],
    ['a hook of a gateway', GatewayWithHook],
    ['a command of a command line', Command],
    ['an exception filter', Filter],
    ['an interceptor', Interceptor],
  ])('stops the boot on %s', async (_, provider, ...imports) => {
    expect(await bootWith(() => start({ imports, providers: [provider] }))).toBe('stops the boot');
  });

  it('stops the boot on a method of a controller that is no route', async () => {
    expect(await bootWith(() => start({ controllers: [WithHelper] }))).toBe('stops the boot');
  });

  it('stops the boot on middleware', async () => {
    expect(await bootWith(() => start({ imports: [WithMiddleware] }))).toBe('stops the boot');
  });

  it('stops the boot with one of the instances that a factory makes', async () => {
    const providers = [{ provide: 'payments', useFactory: () => new Payments() }];
    expect(await bootWith(() => start({ providers }))).toBe('stops the boot');
  });
});

@Controller()
class WithHelper {
  @Get('open') open(): string {
    return this.secret();
  }
  @RequireRole('admin') secret(): string {
    return 'secret';
  }
}

@Injectable()
class Gate {
  @RequireSession() use(_request: unknown, _response: unknown, next: () => void): void {
    next();
  }
}

@Module({})
class WithMiddleware {
  configure(consumer: { apply(type: Type): { forRoutes(path: string): void } }): void {
    consumer.apply(Gate).forRoutes('*path');
  }
}

@Controller()
class Streams {
  @Sse('stream') stream(): Observable<MessageEvent> {
    return of({ data: 'once' });
  }
  @Sse('posted', { method: RequestMethod.POST }) posted(): Observable<MessageEvent> {
    return of({ data: 'once' });
  }
  @Background() @Sse('background') background(): Observable<MessageEvent> {
    return of({ data: 'once' });
  }
  @Get('ordinary') ordinary(): string {
    return 'ordinary';
  }
}

describe.each(['express', 'fastify'] as const)('server-sent events on %s', (platform) => {
  it.each([
    ['stream', false, 'GET'],
    ['posted', false, 'POST'],
    ['background', false, 'GET'],
    ['ordinary', true, 'GET'],
  ])(
    'do not count as activity, as browsers connect again by themselves: %s',
    async (path, isActivity, method) => {
      const app = await start({ platform, controllers: [Streams] });
      const { session, bearer } = await signInAs(app.app, { userId: 'ana' });
      app.clock.advance('10m');
      const answer = await fetch(`${app.url}/${path}`, { method, headers: { ...bearer } });
      expect(answer.ok).toBe(true);
      await answer.text();
      const { lastSeenAt } = (await app.sessions.get(session.id))!;
      expect(lastSeenAt.getTime()).toBe(isActivity ? app.clock.now() : session.lastSeenAt.getTime());
    },
  );

  it('need a session', async () => {
    const app = await start({ platform, controllers: [Streams] });
    expect((await fetch(`${app.url}/stream`)).status).toBe(401);
  });
});
