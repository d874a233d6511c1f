import { applyDecorators, UseGuards } from '@nestjs/common';
import { type Duration, toMilliseconds } from '../core/model/duration.js';
import { InvalidArgumentError } from '../core/model/errors.js';
import type { ActiveSession, AnonymousSession, AuthenticationLevel, Role } from '../core/model/session.js';
import { DecoratorGuard } from './decorator.guard.js';
import { askFirst } from './handler-metadata.js';
import { addRule, type Rule } from './rules.js';

/**
 * Adds a rule, and the guard that carries it out: no decorator is without effect. It comes before other guards, which may
 * look at the session, or at credentials: a sign-in has to begin before that.
 */
export function ruled(rule: Rule): ClassDecorator & MethodDecorator {
  return applyDecorators(
    (target: object, method?: string | symbol, descriptor?: PropertyDescriptor) =>
      addRule(rule, target, method, descriptor),
    UseGuards(DecoratorGuard),
    (target: object, _method?: string | symbol, descriptor?: PropertyDescriptor) =>
      askFirst(DecoratorGuard, (descriptor?.value as object | undefined) ?? target),
  );
}

/**
 * Opens a method to everybody; no session is looked for. On a class it opens the handlers that are written in that very
 * class, and the boot is stopped where it has others, or any requirement.
 */
export function Public(): ClassDecorator & MethodDecorator {
  return ruled({ kind: 'public' });
}

/**
 * Lets in whoever comes, and looks who it is: `@CurrentSession()` is the session, or `null`. A token that is dead or has
 * expired counts as none. On a class as `@Public()`.
 */
export function OptionalSession(): ClassDecorator & MethodDecorator {
  return ruled({ kind: 'optional' });
}

/** What `@CurrentSession()` gives on a route with `@OptionalSession()`. */
export type OptionalSession = ActiveSession | AnonymousSession | null;

/** Needs a valid, signed-in session: what a handler without a decorator needs too. It says so in the code. */
export function RequireSession(): ClassDecorator & MethodDecorator {
  return ruled({ kind: 'session' });
}

/** Needs a valid session, of which an anonymous one is enough. */
export function AllowAnonymous(): ClassDecorator & MethodDecorator {
  return ruled({ kind: 'anonymous' });
}

/**
 * Needs one of these roles, or one that includes it by the option `roles`. Several of these decorators, on the method,
 * its class and their bases, all apply. Otherwise: 403 `role_required`.
 */
export function RequireRole(...anyOf: [Role, ...Role[]]): ClassDecorator & MethodDecorator {
  if (anyOf.length === 0 || anyOf.some((role: unknown) => typeof role !== 'string' || role === '')) {
    throw new InvalidArgumentError('@RequireRole()', anyOf, 'name at least one role.');
  }
  return ruled({ kind: 'role', anyOf });
}

/**
 * Needs a sign-in or step-up of at least this assurance level, no longer ago than the absolute timeout. Otherwise: 401
 * `reauthentication_required` (RFC 9470).
 */
export function RequireLevel(level: AuthenticationLevel): ClassDecorator & MethodDecorator {
  if (level !== 1 && level !== 2 && level !== 3) {
    throw new InvalidArgumentError('@RequireLevel()', level, 'use 1, 2 or 3.');
  }
  return ruled({ kind: 'level', level });
}

/**
 * Needs an authentication event no longer ago than this; where `@RequireLevel()` applies too, one of that level. Otherwise:
 * 401 `reauthentication_required` (RFC 9470).
 */
export function RequireRecentAuth(within: Duration): ClassDecorator & MethodDecorator {
  const maxAge = toMilliseconds(within);
  if (maxAge === null || maxAge === 0) {
    throw new InvalidArgumentError(
      '@RequireRecentAuth()',
      within,
      "use milliseconds, or a string such as '5m'.",
    );
  }
  return ruled({ kind: 'recent', maxAge });
}

/** For what a client polls by itself: checked like any request, but no activity, so it does not hold off the idle timeout. */
export function Background(): ClassDecorator & MethodDecorator {
  return ruled({ kind: 'background' });
}
