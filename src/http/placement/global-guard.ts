import { type ModulesContainer } from '@nestjs/core';
import { SessionGuard } from '../session.guard.js';

/** Whether the module has put the guard before every handler. */
export const GLOBAL_GUARD = Symbol('nestjs-sessions:global-guard');

/** `{ provide: APP_GUARD, useExisting: SessionGuard }` of the application: Nest adds a number to the token. */
export function hasGlobalGuardOfTheirs(modules: ModulesContainer): boolean {
  return [...modules.values()].some(({ providers }) =>
    [...providers.values()].some(
      ({ token, instance, inject }) =>
        String(token).startsWith('APP_GUARD') &&
        // A test may have put another in its place.
        (instance instanceof SessionGuard || inject?.includes(SessionGuard)),
    ),
  );
}
