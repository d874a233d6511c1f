import {
  Controller,
  type ExecutionContext,
  Get,
  type INestApplication,
  Injectable,
  Module,
  type Provider,
  Query,
  Scope,
  SetMetadata,
  Sse,
  type Type,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
} from '@nestjs/common';
import { ExternalContextCreator, ModulesContainer } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { describe, expect, it } from '@jest/globals';
import {
  Public,
  RequireRole,
  RequireSession,
  SessionDecoratorError,
  SessionGuard,
  SessionModule,
  StartSession,
} from 'nestjs-sessions';
import { InMemorySessionStore, TestClock } from 'nestjs-sessions/testing';
import { EMPTY } from 'rxjs';
import { assertNestMetadata } from '../../src/http/placement/nest-metadata-check.js';
import { NestEnhancers } from '../../src/http/placement/nest-enhancers.js';
import { fakeContext } from '../support/fake-context.js';
import { PLATFORMS, withSockets } from '../support/platforms.js';
import { AccountController, bearer, signIn } from '../support/sign-in.js';
import { appsOn } from '../support/test-app.js';

/* What the packages for messages and GraphQL leave behind. The real ones are in `test/edge`. */
const MessagePattern = () => SetMetadata('microservices:handler_type', 1);
const GrpcStreamCall = () => SetMetadata('microservices:pattern', [{ streaming: 'pt_stream' }]);
const WebSocketGateway = () => SetMetadata('websockets:is_gateway', true);
const SubscribeMessage = () => SetMetadata('websockets:message_mapping', true);
const Resolver = () => SetMetadata('graphql:resolver_type', 'Account');
const ResolveField = () => SetMetadata('graphql:resolve_property', true);
const ResolveReference = () => SetMetadata('graphql:resolve_reference', true);
const graphql = (...fieldResolverEnhancers: string[]) => ({
  provide: 'GqlModuleOptions',
  useValue: { fieldResolverEnhancers },
});

@Injectable()
class Service {
  @RequireRole('admin') pay(): void {}
}

@RequireSession()
@Injectable()
class GuardedService {
  pay(): void {}
}

@Controller()
class Helping {
  @Get('open') open(): void {}
  @RequireRole('admin') secret(): void {}
}

@Injectable()
class NoController {
  @RequireRole('admin') @Get('secret') secret(): void {}
}

@Injectable()
class NoGateway {
  @RequireRole('admin') @SubscribeMessage() message(): void {}
}

@Resolver()
class Fields {
  @RequireRole('admin') @ResolveField() secret(): void {}
}

@RequireRole('admin')
@Resolver()
class FieldsOfClass {
  @ResolveField() secret(): void {}
}

@Resolver()
class Types {
  @RequireRole('admin') @ResolveField() __resolveType(): void {}
}

@Injectable()
class Operations {
  @RequireRole('admin') @SetMetadata('graphql:resolver_type', 'Query') secret(): void {}
}

@Resolver()
class SignInField {
  @StartSession() @ResolveField() open() {
    return { userId: 'ana' };
  }
}

@Injectable()
class SignInSubscription {
  @StartSession() @SetMetadata('graphql:resolver_type', 'Subscription') open() {
    return { userId: 'ana' };
  }
}

@Resolver()
class References {
  @ResolveReference() reference(): void {}
}

@Resolver()
class PublicReferences {
  @Public() @ResolveReference() reference(): void {}
  @Public() @ResolveField() field(): void {}
  @ResolveField() plain(): void {}
}

type Providers = Provider[];
const EVENTS = /answers a message, or with events/;
const IDLE = /nothing that Nest calls for requests/;
const FIELD = /fieldResolverEnhancers: \['guards'/;

const REFUSED: [what: string, providers: Providers, says: RegExp][] = [
  ['a method of a service', [Service], /Service\.pay has session decorators.*routes, resolvers/],
  ['a service', [GuardedService], /The class GuardedService .*nothing that Nest calls/],
  ['what a factory returns', [{ provide: 'payments', useFactory: () => new Service() }], IDLE],
  ['a value', [{ provide: 'payments', useValue: new Service() }], IDLE],
  ['a route where there is no controller', [NoController], IDLE],
  ['a message where there is no gateway', [NoGateway], IDLE],
  ['a subscription that is a sign-in', [SignInSubscription], EVENTS],
  ['a field, without any GraphQL module', [Fields], FIELD],
  ['a field, without guards', [Fields, graphql('filters')], FIELD],
  ['a class with fields, without guards', [FieldsOfClass, graphql()], FIELD],
  ['what tells the type, which is never guarded', [Types, graphql('guards', 'interceptors')], FIELD],
  [
    'a sign-in on a field, without interceptors',
    [SignInField, graphql('guards')],
    /'guards', 'interceptors'\]/,
  ],
  [
    'a reference without any decorator',
    [References, graphql()],
    /References\.reference.*or put @Public\(\) on it/,
  ],
];

@Controller({ scope: Scope.REQUEST })
class Messages {
  @MessagePattern() message(): void {}
  @Public() @MessagePattern() open(): void {}
}

@Controller()
class Plain {
  @MessagePattern() message(): void {}
}

@WebSocketGateway()
@Injectable()
class Gateway {
  @SubscribeMessage() message(): void {}
}

class Given {
  @RequireRole('admin') work(): void {}
  canActivate = () => true;
  intercept = () => EMPTY;
  transform = () => null;
  catch = () => null;
}

@Injectable()
class Listening {
  @Public() @SetMetadata('bot:command', true) command(): void {}
}

@Controller()
class RawStream {
  @MessagePattern() @GrpcStreamCall() raw(): void {}
}

@Controller()
class OpenRawStream {
  @Public() @MessagePattern() @GrpcStreamCall() raw(): void {}
}

@Controller()
class Streams {
  @Sse('stream') stream() {
    return EMPTY;
  }
  @Get('ordinary') ordinary(): void {}
}

/** What a guard says, which Nest finds by what stands on the function, in the module of this class. */
async function letsIn(modules: ModulesContainer, type: Type, method: string): Promise<boolean> {
  const guards = (Reflect.getMetadata('__guards__', type.prototype[method] as object) ?? []) as Type[];
  const module = [...modules.values()].find(
    ({ controllers, providers }) => controllers.has(type) || providers.has(type),
  )!;
  const context: ExecutionContext = fakeContext('rpc', type, method, [{}]);
  for (const guard of guards) {
    const instance = module.injectables.get(guard)?.instance as SessionGuard | undefined;
    if (instance && !(await instance.canActivate(context))) return false;
  }
  return true;
}

describe.each(PLATFORMS)('on %s', (platform) => {
  const start = appsOn(platform);
  const bootError = (options: Parameters<typeof start>[0]) =>
    start(options).then(
      () => null,
      (error: unknown) => error,
    );

  it.each(REFUSED)('decorators on %s stop the boot', async (_, providers, says) => {
    const error = await bootError({ controllers: [], providers });
    expect(error).toBeInstanceOf(SessionDecoratorError);
    expect((error as Error).message).toMatch(says);
  });

  it('decorators on a module stop the boot', async () => {
    @RequireRole('admin')
    @Module({ controllers: [AccountController] })
    class Admin {}
    expect(await bootError({ controllers: [], imports: [Admin] })).toMatchObject({
      message: expect.stringMatching(/The class Admin has session decorators/),
    });
  });

  it('decorators on a method of a controller that is no route stop the boot', async () => {
    expect(await bootError({ controllers: [Helping] })).toBeInstanceOf(SessionDecoratorError);
  });

  it.each<[string, (app: INestApplication) => unknown]>([
    ['a guard', (app) => app.useGlobalGuards(new Given())],
    ['an interceptor', (app) => app.useGlobalInterceptors(new Given())],
    ['a pipe', (app) => app.useGlobalPipes(new Given())],
    ['an exception filter', (app) => app.useGlobalFilters(new Given())],
  ])('decorators on %s that the application was given stop the boot', async (_, give) => {
    const error = await bootError({ configure: give });
    expect(error).toBeInstanceOf(SessionDecoratorError);
    expect((error as Error).message).toMatch(/Given\.work has session decorators/);
  });

  it('a route is closed to who calls it by another way, and finds no guard that decorators bring along', async () => {
    @Controller()
    class Called {
      @RequireRole('admin') @Get('secret') secret(): string {
        return 'secret';
      }
    }
    const { app } = await start({ controllers: [Called], options: { globalGuard: false } });
    const instance = app.get(Called);
    const call = app.get(ExternalContextCreator).create(instance, instance.secret, 'secret');
    await expect(call()).rejects.toThrow('Forbidden resource');
  });

  it('a method beside routes is closed to who calls it so, where decorators on its class bring the guard along', async () => {
    @RequireRole('admin')
    @Controller()
    class Called {
      @Get('route') route(): void {}
      @SetMetadata('bot:command', true) command(): string {
        return 'command';
      }
    }
    const { app } = await start({ controllers: [Called], options: { globalGuard: false } });
    const instance = app.get(Called);
    const call = app.get(ExternalContextCreator).create(instance, instance.command, 'command');
    await expect(call()).rejects.toThrow('Forbidden resource');
  });

  it('SessionGuard that the application was given stops the boot, where no module provides it', async () => {
    const give = (app: INestApplication) => app.useGlobalGuards(app.get(SessionGuard, { strict: false }));
    const error = await bootError({ configure: give, options: { globalGuard: false } });
    expect(error).toBeInstanceOf(SessionDecoratorError);
    expect((error as Error).message).toMatch(/useExisting: SessionGuard/);
    expect(await bootError({ configure: give })).toBeNull();
  });

  it.each<[string, MethodDecorator & ClassDecorator]>([
    ['a handler as a guard', UseGuards(new Given())],
    ['a handler as an interceptor', UseInterceptors(new Given())],
    ['a handler as a pipe', UsePipes(new Given())],
    ['a handler as an exception filter', UseFilters(new Given())],
  ])('decorators on an instance that stands on %s stop the boot', async (_, enhance) => {
    @Controller()
    class OnMethod {
      @enhance @Get() show(): void {}
    }
    @enhance
    @Controller()
    class OnClass {
      @Get() show(): void {}
    }
    for (const controller of [OnMethod, OnClass]) {
      const error = await bootError({ controllers: [controller] });
      expect(error).toBeInstanceOf(SessionDecoratorError);
      expect((error as Error).message).toMatch(/Given\.work has session decorators/);
    }
  });

  it('decorators on an instance that stands on a parameter stop the boot', async () => {
    @Controller()
    class OnParameter {
      @Get() show(@Query('page', new Given()) _page: string): void {}
    }
    expect(await bootError({ controllers: [OnParameter] })).toBeInstanceOf(SessionDecoratorError);
  });

  it('@Public() may stand on what another library calls', async () => {
    expect(await bootError({ controllers: [], providers: [Listening] })).toBeNull();
  });

  it('a raw stream of gRPC stops the boot, unless it is public', async () => {
    const error = await bootError({ controllers: [RawStream] });
    expect(error).toBeInstanceOf(SessionDecoratorError);
    expect((error as Error).message).toMatch(/RawStream\.raw has @GrpcStreamCall\(\)/);
    expect(await bootError({ controllers: [OpenRawStream] })).toBeNull();
    expect(await bootError({ controllers: [RawStream], options: { globalGuard: false } })).toBeNull();
  });

  it.each<[string, Providers]>([
    ['guards', [Fields, FieldsOfClass, References, graphql('guards')]],
    ['guards and interceptors', [SignInField, graphql('guards', 'interceptors')]],
    ['none, and nothing to guard', [PublicReferences, graphql()]],
  ])('fields and references boot with %s', async (_, providers) => {
    expect(await bootError({ controllers: [], providers })).toBeNull();
  });

  it('a reference without any decorator is open with globalGuard: false, as that says', async () => {
    const providers = [References, graphql()];
    expect(await bootError({ controllers: [], providers, options: { globalGuard: false } })).toBeNull();
  });

  it('a resolver that a factory makes is guarded by the global guard alone: without it the boot stops', async () => {
    const providers = [{ provide: 'operations', useFactory: () => new Operations() }];
    expect(await bootError({ controllers: [], providers })).toBeNull();
    const error = await bootError({ controllers: [], providers, options: { globalGuard: false } });
    expect(error).toBeInstanceOf(SessionDecoratorError);
    expect(
      await bootError({ controllers: [], providers: [Operations], options: { globalGuard: false } }),
    ).toBeNull();
  });

  it('messages are closed by a guard of their application alone', async () => {
    const app = { controllers: [Messages, Plain], providers: [Gateway], configure: withSockets };
    const closed = await start(app);
    const open = await start({ ...app, options: { globalGuard: false } });
    const without = await Test.createTestingModule({ controllers: [Plain], providers: [Gateway] }).compile();
    const again = await start(app);
    for (const { app } of [closed, again]) {
      const modules = app.get(ModulesContainer);
      for (const type of [Messages, Plain, Gateway])
        expect(await letsIn(modules, type, 'message')).toBe(false);
      expect(await letsIn(modules, Messages, 'open')).toBe(true);
    }
    for (const app of [open.app, without]) {
      for (const type of [Plain, Gateway])
        expect(await letsIn(app.get(ModulesContainer), type, 'message')).toBe(true);
    }
  });

  it('server-sent events do not hold off the idle timeout', async () => {
    const clock = new TestClock();
    const app = await start({ controllers: [AccountController, Streams], options: { clock: clock.now } });
    const token = await signIn(app);
    clock.advance('20m');
    await app.http.get('/stream').set(bearer(token)).expect(200);
    clock.advance('11m');
    await app.http.get('/ordinary').set(bearer(token)).expect(401);
  });
});

it('a decorator on what can be no handler is refused where it stands', () => {
  const decorator = RequireRole('admin') as (...args: unknown[]) => void;
  const value = (): void => {};
  class Odd {}
  expect(() => decorator(Odd, 'method', { value })).toThrow(/@RequireRole\(\) stands on method.*static/);
  expect(() => decorator(Odd.prototype, Symbol('method'), { value })).toThrow(SessionDecoratorError);
  expect(() => decorator(Odd.prototype, 'method', { get: value })).toThrow(SessionDecoratorError);
  expect(() => decorator(Odd.prototype, 'method')).toThrow(SessionDecoratorError);
});

it('a test may put another guard in the place of the global one, for messages too', async () => {
  const builder = Test.createTestingModule({
    imports: [SessionModule.forRoot({ store: InMemorySessionStore })],
    controllers: [Messages],
    providers: [Gateway],
  });
  builder.overrideProvider(SessionGuard).useValue({ canActivate: () => true });
  const app = (await builder.compile()).createNestApplication();
  withSockets(app);
  await app.init();
  expect(await letsIn(app.get(ModulesContainer), Gateway, 'message')).toBe(true);
  await app.close();
});

it('a Nest that is made in another way stops the boot', async () => {
  expect(() => new NestEnhancers({} as never)).toThrow(/This version of Nest is made in another way/);
  expect(assertNestMetadata).not.toThrow();
  @Controller()
  class Future {
    @SetMetadata('microservices:kind_of_handler', 1) message(): void {}
  }
  const imports = [SessionModule.forRoot({ store: InMemorySessionStore })];
  const error = await Test.createTestingModule({ imports, controllers: [Future] })
    .compile()
    .then(
      () => null,
      (reason: unknown) => reason,
    );
  expect(error).toBeInstanceOf(SessionDecoratorError);
});
