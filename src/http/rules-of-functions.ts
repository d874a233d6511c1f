import { isDeepStrictEqual } from 'node:util';
import { SessionDecoratorError } from '../core/model/errors.js';
import { addedBeside } from './added-handlers.js';
import { DECORATOR_NAMES, isOpening, ownRules, type Rule } from './rules.js';

const HELP =
  'Write the second one out as a method with decorators of its own, or give one route several paths.';

/**
 * Nest keeps a route on the function, and takes it for one wherever the function is. Rules that are not where the route
 * is would be lost, or would open another route: so the function must say the same as the method of this name.
 *
 * Only a requirement may be missing on it, where a decorator has put a function of its own there.
 *
 * @throws SessionDecoratorError
 */
export function assertRulesOfFunction(handler: object, definer: object, method: string, where: string): void {
  const here = ownRules(definer, method);
  const onFunction = ownRules(handler);
  assertNoStray(handler, here, where);
  const lost = here.filter((rule) => isOpening(rule) && !has(onFunction, rule));
  if (lost.length > 0) {
    throw new SessionDecoratorError(
      `${where} has ${namesOf(lost)}, but another function has been put in its place since. If that was another ` +
        'decorator, put the session decorators above it.',
    );
  }
  const beside = here.length === 0 ? addedBeside(definer, method) : undefined;
  if (beside !== undefined) {
    throw new SessionDecoratorError(
      `${where} was added by a decorator of the method '${beside}', whose session decorators it does not have. ${HELP}`,
    );
  }
}

/** A function must not bring rules with it that do not stand on the method. @throws SessionDecoratorError */
export function assertNoStray(handler: object, onMethod: readonly Rule[], where: string): void {
  const strayed = ownRules(handler).filter((rule) => !has(onMethod, rule));
  if (strayed.length === 0) return;
  throw new SessionDecoratorError(
    `${where} is a function with ${namesOf(strayed)}, which stands on another method: the function was copied, or has ` +
      `two names. ${HELP}`,
  );
}

function has(rules: readonly Rule[], rule: Rule): boolean {
  return rules.some((one) => isDeepStrictEqual(one, rule));
}

function namesOf(rules: readonly Rule[]): string {
  return [...new Set(rules.map(({ kind }) => DECORATOR_NAMES[kind]))].join(' and ');
}
