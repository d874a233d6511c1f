import {
  type Duration,
  EndSession,
  RequireLevel,
  RequireRecentAuth,
  RequireRole,
  type Role,
  SessionModule,
} from 'nestjs-sessions';
import { TestClock } from 'nestjs-sessions/testing';
import { expect, test } from 'tstyche';

test('without SessionTypes any string is a role', () => {
  expect<Role>().type.toBe<string>();
  expect(RequireRole).type.toBeCallableWith('whatever');
});

test('@RequireRole() of no role', () => {
  // @ts-expect-error Expected at least 1 arguments, but got 0.
  RequireRole();
});

test('@RequireLevel() of a level that there is not', () => {
  // @ts-expect-error Argument of type '4' is not assignable to parameter of type 'AuthenticationLevel'.
  RequireLevel(4);
});

test('durations', () => {
  expect(RequireRecentAuth).type.toBeCallableWith('5m');
  expect(RequireRecentAuth).type.toBeCallableWith('1.5 h');
  expect(RequireRecentAuth).type.toBeCallableWith(300_000);
  expect<'500ms' | '30s' | '15m' | '12h' | '30d' | '2w'>().type.toBeAssignableTo<Duration>();
});

test('what is no duration', () => {
  // @ts-expect-error Argument of type '"15 minits"' is not assignable to parameter of type 'Duration'.
  RequireRecentAuth('15 minits');
  // @ts-expect-error Argument of type '"5 parsecs"' is not assignable to parameter of type 'Duration'.
  RequireRecentAuth('5 parsecs');
  // @ts-expect-error Argument of type '"15"' is not assignable to parameter of type 'Duration'.
  RequireRecentAuth('15');
  // @ts-expect-error Argument of type '""' is not assignable to parameter of type 'Duration'.
  RequireRecentAuth('');
  // @ts-expect-error Type '"15 minits"' is not assignable to type 'Duration | undefined'.
  SessionModule.forRoot({ timeouts: { idle: '15 minits' } });
  // @ts-expect-error Type '""' is not assignable to type 'Duration | undefined'.
  SessionModule.forRoot({ grace: '' });
  // @ts-expect-error Types of property 'grace' are incompatible...Type '"5 parsecs"' is not assignable to type 'Duration | undefined'.
  SessionModule.forRootAsync({ useFactory: () => ({ grace: '5 parsecs' }) });
  // @ts-expect-error Argument of type '"31 minits"' is not assignable to parameter of type 'Duration'.
  new TestClock().advance('31 minits');
});

test('options that there are not', () => {
  // @ts-expect-error 'ttl' does not exist in type 'SessionModuleOptions
  SessionModule.forRoot({ ttl: '15m' });
  // @ts-expect-error 'idel' does not exist in type 'TimeoutOptions'.
  SessionModule.forRoot({ timeouts: { idel: '15m' } });
  // @ts-expect-error 'transpot' does not exist in type...Did you mean to write 'transport'?
  SessionModule.forRoot({ transpot: 'cookie' });
  // @ts-expect-error 'domain' does not exist in type 'CookieOptions'.
  SessionModule.forRoot({ cookie: { domain: 'example.com' } });
  // @ts-expect-error 'crossOrigins' does not exist in type 'EndSessionOptions'. Did you mean to write 'crossOrigin'?
  EndSession({ crossOrigins: true });
});

test('options with values that there are not', () => {
  // @ts-expect-error Type '"hihg"' is not assignable to type 'SecurityLevel | undefined'.
  SessionModule.forRoot({ securityLevel: 'hihg' });
  // @ts-expect-error Type '"evict"' is not assignable to type '"evict-oldest" | "reject" | undefined'.
  SessionModule.forRoot({ onSessionLimit: 'evict' });
});
