import type { Role } from 'nestjs-sessions';

// From here on `@RequireRole('custommer')` does not compile.
declare module 'nestjs-sessions' {
  interface SessionTypes {
    role: 'admin' | 'support' | 'customer';
  }
}

export const ROLES: readonly Role[] = ['admin', 'support', 'customer'];
