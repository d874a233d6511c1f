import {
  RequireRole,
  type Role,
  type SessionModuleOptions,
  SessionModule,
  SessionService,
  StartSession,
} from 'nestjs-sessions';
import { signInAs } from 'nestjs-sessions/testing';
import { expect, test } from 'tstyche';

declare const sessions: SessionService;

test('roles are those of SessionTypes', () => {
  expect<Role>().type.toBe<'admin' | 'support' | 'customer'>();
  expect(RequireRole).type.toBeCallableWith('admin', 'customer');
  expect<{
    roles: { admin: ['support']; support: { includes: ['customer'] } };
  }>().type.toBeAssignableTo<SessionModuleOptions>();
});

test('@RequireRole() of a misspelt role', () => {
  // @ts-expect-error Argument of type '"admn"' is not assignable to parameter of type '"admin" | "support" | "customer"'.
  RequireRole('admn');
  // @ts-expect-error Argument of type '"Admin"' is not assignable to parameter of type '"admin" | "support" | "customer"'.
  RequireRole('support', 'Admin');
});

test('@RequireRole() of no role', () => {
  // @ts-expect-error Expected at least 1 arguments, but got 0.
  RequireRole();
});

test('the option `roles` with a misspelt role', () => {
  // @ts-expect-error 'admn' does not exist in type...Did you mean to write 'admin'?
  SessionModule.forRoot({ roles: { admn: ['support'] } });
  // @ts-expect-error Type '"suport"' is not assignable to type '"admin" | "support" | "customer"'. Did you mean '"support"'?
  SessionModule.forRoot({ roles: { admin: ['suport'] } });
  // @ts-expect-error Type '"suport"' is not assignable to type '"admin" | "support" | "customer"'. Did you mean '"support"'?
  SessionModule.forRoot({ roles: { admin: { includes: ['suport'] } } });
  // @ts-expect-error Type '"hihg"' is not assignable to type 'SecurityLevel | undefined'.
  SessionModule.forRoot({ roles: { admin: { securityLevel: 'hihg' } } });
});

test('a misspelt role where roles are given', () => {
  // @ts-expect-error Type '"admn"' is not assignable to type '"admin" | "support" | "customer"'. Did you mean '"admin"'?
  void sessions.setRoles('ana', ['admn']);
  // @ts-expect-error Type '"admn"' is not assignable to type '"admin" | "support" | "customer"'. Did you mean '"admin"'?
  void sessions.create({ userId: 'ana', roles: ['admn'] });
  // @ts-expect-error Type '"admn"' is not assignable to type '"admin" | "support" | "customer"'. Did you mean '"admin"'?
  void sessions.authenticate('id', { userId: 'ana', roles: ['admn'] });
  // @ts-expect-error Type '"admn"' is not assignable to type '"admin" | "support" | "customer"'. Did you mean '"admin"'?
  void signInAs({ get: () => null! }, { userId: 'ana', roles: ['admn'] });
});

test('a sign-in handler with roles that may be misspelt', () => {
  class Handlers {
    @StartSession() right() {
      return { userId: 'ana', roles: ['admin' as const] };
    }
    // @ts-expect-error Types of property 'roles' are incompatible...Type 'string' is not assignable to type '"admin" | "support" | "customer"'.
    @StartSession() wrong() {
      return { userId: 'ana', roles: ['admn'] };
    }
  }
  void Handlers;
});
