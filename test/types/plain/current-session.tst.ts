import {
  type ActiveSession,
  type AnonymousSession,
  CurrentSession,
  EnsureSession,
  type JsonObject,
  OptionalSession,
  Public,
  type Role,
  type SessionClient,
} from 'nestjs-sessions';
import { expect, test } from 'tstyche';

interface Cart {
  readonly items: readonly string[];
}

test('@CurrentSession() of a wrong property', () => {
  // @ts-expect-error Argument of type '"usrId"' is not assignable to parameter of type..."userId"
  CurrentSession('usrId');
  // @ts-expect-error Argument of type '"token"' is not assignable to parameter of type..."userId"
  CurrentSession('token');
  // @ts-expect-error Argument of type '"toJSON"' is not assignable to parameter of type..."userId"
  CurrentSession('toJSON');
});

test('parameters that can take what they get', () => {
  class Handlers {
    whole(@CurrentSession() _session: ActiveSession) {}
    nullable(@CurrentSession() _session: ActiveSession | null) {}
    optional(@CurrentSession() _session?: ActiveSession) {}
    anonymous(@CurrentSession() _session: AnonymousSession) {}
    either(@CurrentSession() _session: ActiveSession | AnonymousSession) {}
    part(@CurrentSession() _session: { readonly userId: string }) {}
    userId(@CurrentSession('userId') _userId: string) {}
    nullableUserId(@CurrentSession('userId') _userId: string | null) {}
    unknown(@CurrentSession('userId') _userId: unknown) {}
    roles(@CurrentSession('roles') _roles: readonly Role[]) {}
    mutableRoles(@CurrentSession('roles') _roles: string[]) {}
    level(@CurrentSession('level') _level: 1 | 2 | 3) {}
    number(@CurrentSession('level') _level: number) {}
    date(@CurrentSession('authenticatedAt') _date: Date) {}
    client(@CurrentSession('client') _client: SessionClient) {}
    several(@CurrentSession('id') _id: string, _other: number, @CurrentSession('expiresAt') _date: Date) {}
    static onClass(@CurrentSession('id') _id: string) {}
    protected ofOthers(@CurrentSession('id') _id: string) {}
  }
  void Handlers;
});

test('the session that is optional', () => {
  @OptionalSession()
  class Pages {
    @OptionalSession() home(@CurrentSession() session: OptionalSession) {
      expect(session).type.toBe<ActiveSession | AnonymousSession | null>();
      // @ts-expect-error 'session' is possibly 'null'.
      return session.userId;
    }
    @EnsureSession() add(@CurrentSession() _session: ActiveSession | AnonymousSession) {}
    @EnsureSession({ transport: 'cookie' }) addById(@CurrentSession('id') _id: string) {}
  }
  @Public()
  class Health {}
  void [Pages, Health];
  expect(EnsureSession()).type.not.toBeAssignableTo<ClassDecorator>();
  // @ts-expect-error 'crossOrigin' does not exist in type 'EnsureSessionOptions'.
  EnsureSession({ crossOrigin: true });
});

test('data may be of any type where nobody has told it', () => {
  class Handlers {
    cart(@CurrentSession('data') _data: Cart) {}
    json(@CurrentSession('data') _data: JsonObject) {}
  }
  void Handlers;
});

test('parameters that cannot', () => {
  class Handlers {
    // @ts-expect-error @CurrentSession('userId') gives another type than that of this parameter.
    userId(@CurrentSession('userId') _userId: number) {}
    // @ts-expect-error @CurrentSession() gives another type than that of this parameter.
    whole(@CurrentSession() _session: string) {}
    // @ts-expect-error @CurrentSession() gives another type than that of this parameter.
    stranger(@CurrentSession() _session: { readonly token: string }) {}
    // @ts-expect-error @CurrentSession('expiresAt') gives another type than that of this parameter.
    second(@CurrentSession('id') _id: string, @CurrentSession('expiresAt') _date: string) {}
    // @ts-expect-error @CurrentSession('roles') gives another type than that of this parameter.
    roles(@CurrentSession('roles') _role: string) {}
  }
  void Handlers;
});

test('it can be passed on as a parameter decorator', () => {
  expect(CurrentSession('userId')).type.toBeAssignableTo<ParameterDecorator>();
  expect(CurrentSession()).type.toBeAssignableTo<ParameterDecorator>();
});
