import type { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import { SessionDecoratorError } from '../../core/model/errors.js';
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

/** What `useGlobalGuards()` is given comes after messages and gateways were connected. @throws SessionDecoratorError */
export function assertNotGivenLate(config: ApplicationConfig): void {
  if (!config.getGlobalGuards().some((guard) => guard instanceof SessionGuard)) return;
  throw new SessionDecoratorError(
    'useGlobalGuards() was given SessionGuard, which would leave messages and gateways open: provide it in a module, as ' +
      '`{ provide: APP_GUARD, useExisting: SessionGuard }`.',
  );
}

/**
 * A guard that another module makes lacks what it needs: Nest would stop the boot without a word of what to do.
 *
 * @throws SessionDecoratorError
 */
export function assertNotUsedByHand(modules: ModulesContainer): void {
  const user = [...modules.values()].find(({ injectables }) => injectables.has(SessionGuard));
  if (user === undefined) return;
  throw new SessionDecoratorError(
    `A handler or class of ${user.metatype.name} has @UseGuards(SessionGuard): put @RequireSession() there instead, which ` +
      'brings the guard along.',
  );
}
