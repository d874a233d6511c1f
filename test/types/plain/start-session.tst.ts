import { type SessionPrincipal, StartSession } from 'nestjs-sessions';
import { type Observable } from 'rxjs';
import { test } from 'tstyche';

declare const principal: SessionPrincipal;
declare const later: Observable<SessionPrincipal | null>;
declare const found: { readonly id: string; readonly roles: string[] } | null;

test('handlers of sign-ins', () => {
  class Handlers {
    @StartSession() returns() {
      return principal;
    }
    @StartSession() async promises() {
      return principal;
    }
    @StartSession() emits() {
      return later;
    }
    @StartSession({ transport: 'cookie' }) async readsBest() {
      return found && { userId: found.id, roles: found.roles, level: 2 as const, data: { theme: 'dark' } };
    }
    @StartSession() takesArguments(_body: object, _count: number) {
      return { userId: 'ana' };
    }
    @StartSession() refuses() {
      return null;
    }
    @StartSession() async findsNobody() {
      return undefined;
    }
    @StartSession() throws(): never {
      throw new Error('not today');
    }
  }
  void Handlers;
});

test('handlers that return no principal', () => {
  class Handlers {
    // @ts-expect-error A handler with @StartSession() returns { userId, roles?, level?, data? }, or null when the credentials are wrong.
    @StartSession() text() {
      return 'ana';
    }
    // @ts-expect-error A handler with @StartSession() returns { userId, roles?, level?, data? }, or null when the credentials are wrong.
    @StartSession() misnamed() {
      return { user: 'ana' };
    }
    // @ts-expect-error A handler with @StartSession() returns { userId, roles?, level?, data? }, or null when the credentials are wrong.
    @StartSession() async textLater() {
      return 'ana';
    }
    // @ts-expect-error A handler with @StartSession() returns { userId, roles?, level?, data? }, or null when the credentials are wrong.
    @StartSession() says() {
      return principal.userId === 'ana';
    }
    // @ts-expect-error A handler with @StartSession() returns { userId, roles?, level?, data? }, or null when the credentials are wrong.
    @StartSession() nothing() {}
  }
  void Handlers;
});

test('handlers that return a principal with a fault', () => {
  class Handlers {
    // @ts-expect-error Types of property 'userId' are incompatible...Type 'number' is not assignable to type 'string'.
    @StartSession() numbered() {
      return { userId: 5 };
    }
    // @ts-expect-error Types of property 'roles' are incompatible...Type 'string' is not assignable to type 'readonly string[]'.
    @StartSession() async oneRole() {
      return { userId: 'ana', roles: 'admin' };
    }
    // @ts-expect-error Types of property 'level' are incompatible...Type 'number' is not assignable to type 'AuthenticationLevel | undefined'.
    @StartSession() levelled() {
      return { userId: 'ana', level: 4 };
    }
  }
  void Handlers;
});

test('what handlers return beside a principal', () => {
  class User {
    constructor(
      readonly userId: string,
      readonly roles: string[],
      readonly email: string,
    ) {}
  }
  class WithBoth extends User {
    readonly role = 'owner';
  }
  class Handlers {
    @StartSession() aUser() {
      return new User('ana', [], 'ana@example.com');
    }
    @StartSession() async aUserOrNobody() {
      return found ? new WithBoth('ana', [], 'ana@example.com') : null;
    }
    // @ts-expect-error A principal has `roles`, which is a list, and no `role`.
    @StartSession() misnamed() {
      return { userId: 'ana', role: 'admin' };
    }
    // @ts-expect-error A principal has `roles`, which is a list, and no `role`.
    @StartSession() async misnamedLater() {
      return found && { userId: 'ana', role: ['admin'], level: 1 as const };
    }
  }
  void Handlers;
});

test('where no sign-in can be', () => {
  // @ts-expect-error Unable to resolve signature of class decorator
  @StartSession()
  class Handlers {}
  void Handlers;
});

test('what a sign-in answers', () => {
  interface Verified extends SessionPrincipal {
    readonly user: { readonly name: string };
  }
  class Handlers {
    @StartSession({ answer: ({ user }: Verified) => ({ user }) }) async aUser(): Promise<Verified | null> {
      return found && { userId: found.id, user: { name: 'Ana' } };
    }
    @StartSession({ answer: ({ user }: Verified) => ({ user }) }) inferred() {
      return found && { userId: found.id, roles: found.roles, user: { name: 'Ana' } };
    }
    @StartSession({ answer: ({ userId }) => ({ userId }) }) ofThePrincipal() {
      return principal;
    }
    // @ts-expect-error Property 'user' is missing in type '{ userId: string; }' but required in type 'Verified'.
    @StartSession({ answer: ({ user }: Verified) => ({ user }) }) withoutUser() {
      return { userId: 'ana' };
    }
    // @ts-expect-error A handler with @StartSession() returns { userId, roles?, level?, data? }, or null when the credentials are wrong.
    @StartSession({ answer: ({ user }: Verified) => ({ user }) }) nobody() {
      return 'ana';
    }
  }
  void Handlers;
  // @ts-expect-error Property 'user' does not exist on type 'SessionPrincipal'.
  StartSession({ answer: ({ user }) => ({ user }) });
  // @ts-expect-error Type 'string' is not assignable to type 'SignInAnswerPart'.
  StartSession({ answer: () => 'Ana' });
  // @ts-expect-error Type 'string' is not assignable to type 'undefined'.
  StartSession({ answer: () => ({ token: 'csrf' }) });
});

test('options of @StartSession()', () => {
  // @ts-expect-error 'transpot' does not exist in type 'StartSessionOptions<SessionPrincipal>'. Did you mean to write 'transport'?
  StartSession({ transpot: 'cookie' });
  // @ts-expect-error Type '"cookies"' is not assignable to type 'Transport | undefined'. Did you mean '"cookie"'?
  StartSession({ transport: 'cookies' });
  StartSession({ name: ({ body }: { body: { username: string } }) => body.username });
  // @ts-expect-error Type 'number' is not assignable to type 'string'.
  StartSession({ name: () => 7 });
});
