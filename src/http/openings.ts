import { SessionDecoratorError } from '../core/model/errors.js';
import { isMethodOf } from './class-methods.js';
import { kindsOf } from './handler-metadata.js';
import { type Class, lineageOf } from './lineage.js';
import { DECORATOR_NAMES, isOpening, type Opening, ownRules, type Rule } from './rules.js';

/** Of a method the decorator that opens it. @throws SessionDecoratorError where there are several */
export function openingOn(rules: readonly Rule[], where: string): Opening | undefined {
  const openings = rules.filter(isOpening);
  if (openings.length > 1) throw contradiction(where, openings);
  return openings[0];
}

/**
 * Of a class the decorator that opens its methods: those that this very class defines, and Nest calls. Where that leaves a
 * handler in doubt the boot is stopped, unless a requirement says that it is closed.
 *
 * @param isClosed whether a requirement stands on the method, its class or their bases
 * @throws SessionDecoratorError
 */
export function openingOfClass(
  type: Class,
  method: string,
  isClosed: boolean,
  where: string,
): Opening | undefined {
  const opened = lineageOf(type).find((ancestor) => ownRules(ancestor).some(isOpening));
  const handler = Reflect.get(type.prototype as object, method) as object;
  if (opened === undefined || kindsOf(handler, type).length === 0) return undefined;
  const opening = openingOn(ownRules(opened), opened.name) as Opening;
  if (opened === type && isMethodOf(type, method, handler)) return opening;
  if (opened !== type && isClosed) return undefined;
  const name = DECORATOR_NAMES[opening.kind];
  throw new SessionDecoratorError(
    `${name} on the class ${opened.name} does not open ${where}: it opens what is written as a method in that very class, ` +
      'and neither what is inherited nor what a mixin or another decorator has put there. ' +
      (opened === type
        ? `Take it from the class, and put ${name} on each method that is to be open.`
        : `Put ${name} on the method itself, or @RequireSession() where it is to be closed.`),
  );
}

/** @throws SessionDecoratorError where a class is opened that has requirements, or by what only methods can have */
export function assertClassFits(type: Class): void {
  const rules = lineageOf(type).flatMap((ancestor) => ownRules(ancestor));
  const opening = openingOn(ownRules(type), type.name);
  if (opening === undefined) return;
  if (opening.kind !== 'public' && opening.kind !== 'optional') {
    throw new SessionDecoratorError(
      `${DECORATOR_NAMES[opening.kind]} stands on the class ${type.name}: put it on the methods that it is meant for, ` +
        'so that no method is opened by what stands elsewhere.',
    );
  }
  assertFits(opening, rules, type.name);
}

/** @throws SessionDecoratorError where what is opened has a requirement that it cannot have */
export function assertFits(opening: Opening, rules: readonly Rule[], where: string): void {
  const misfits = rules.filter((rule) => !isOpening(rule) && !canHave(opening, rule));
  if (misfits.length > 0) throw contradiction(where, [opening, ...misfits]);
}

/** A step-up is a sign-in with requirements; who is let in without a session may poll. */
function canHave({ kind }: Opening, rule: Rule): boolean {
  if (kind === 'start') return true;
  return (kind === 'optional' || kind === 'ensure') && rule.kind === 'background';
}

export function contradiction(where: string, rules: readonly Rule[]): SessionDecoratorError {
  const names = [...new Set(rules.map(({ kind }) => DECORATOR_NAMES[kind]))];
  return new SessionDecoratorError(
    `${where} has ${names.join(' and ')}, which contradict each other: keep one.`,
  );
}
