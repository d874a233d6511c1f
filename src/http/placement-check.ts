import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { SessionDecoratorError } from '../core/model/errors.js';
import { DecoratorGuard } from './decorator.guard.js';
import { EndSessionInterceptor } from './end-session.interceptor.js';
import type { Requirement } from './requirement.js';
import { RequirementRegistry } from './requirement-registry.js';
import { hasEnhancer } from './route-metadata.js';
import { SessionGuard } from './session.guard.js';
import { StartSessionInterceptor } from './start-session.interceptor.js';

/** Whether the module has put the guard before every handler. */
export const GLOBAL_GUARD = Symbol('nestjs-sessions:global-guard');

/**
 * Sees to it, at boot, that what the decorators say is carried out: another decorator may have put a function of its
 * own in the place of the method, and an overriding method has only the guards that stand on itself.
 */
@Injectable()
export class PlacementCheck implements OnModuleInit {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly requirements: RequirementRegistry,
    @Inject(GLOBAL_GUARD) private readonly isGlobal: boolean,
  ) {}

  onModuleInit(): void {
    const isGuarded = this.isGlobal || this.hasGlobalGuardOfTheirs();
    for (const { type, handler, requirement } of this.requirements.ofAllHandlers()) {
      if (requirement.opens === 'start') assertPlaced(requirement, type, handler, StartSessionInterceptor);
      if (requirement.opens === 'end') assertPlaced(requirement, type, handler, EndSessionInterceptor);
      if (requirement.isDeclared && !isGuarded) assertPlaced(requirement, type, handler, DecoratorGuard);
    }
  }

  /** `{ provide: APP_GUARD, useExisting: SessionGuard }` of the application: Nest adds a number to the token. */
  private hasGlobalGuardOfTheirs(): boolean {
    return this.discovery.getProviders().some(
      ({ token, instance, inject }) =>
        String(token).startsWith('APP_GUARD') &&
        // A test may have put another in its place.
        (instance instanceof SessionGuard || inject?.includes(SessionGuard)),
    );
  }
}

function assertPlaced(requirement: Requirement, type: object, handler: object, enhancer: object): void {
  if (hasEnhancer(type, handler, enhancer)) return;
  throw new SessionDecoratorError(
    `The session decorators of ${requirement.handler} would not be carried out: another decorator has replaced the ` +
      'method, or it overrides one and has none of its own. Put them above all others on the method itself.',
  );
}
