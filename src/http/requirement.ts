import { SessionDecoratorError } from '../core/model/errors.js';
import type { RoleHierarchy } from '../core/policy/roles.js';
import { isEventStream, takesOverResponse } from './handler-metadata.js';
import { assertRulesOfFunction } from './rules-of-functions.js';
import {
  DECORATOR_NAMES,
  type EndSessionOptions,
  ownRules,
  type Rule,
  type StartSessionOptions,
} from './rules.js';

/** Whom a handler lets in: what all decorators on it, its class and their bases come to. */
export interface Requirement {
  /** Class and method, for people. */
  readonly handler: string;
  /** Whether any decorator says something about it. */
  readonly isDeclared: boolean;
  /** What lifts the requirements of the class. */
  readonly opens: 'public' | 'start' | 'end' | null;
  readonly session: 'none' | 'anonymous' | 'signed-in';
  /** Of each set, the session must have one role. */
  readonly roleSets: readonly ReadonlySet<string>[];
  readonly level: number;
  /** Milliseconds since the authentication event. */
  readonly maxAge: number | null;
  readonly isBackground: boolean;
  /** Whether it answers by `@Res()`, so that what it returns goes nowhere. */
  readonly answersItself: boolean;
  readonly start: StartSessionOptions;
  readonly end: EndSessionOptions;
}

export type Class = abstract new (...args: never[]) => object;
type Opening = Extract<Rule, { kind: 'public' | 'start' | 'end' }>;

/** @throws SessionDecoratorError where decorators contradict each other or name unknown roles */
export function compileRequirement(type: Class, method: string, hierarchy: RoleHierarchy): Requirement {
  const where = `${type.name}.${method}`;
  const lineage = lineageOf(type);
  const onMethod = lineage.flatMap(({ prototype }) => ownRules(prototype as object, method));
  const onClass = lineage.flatMap((ancestor) => ownRules(ancestor));
  for (const rule of onClass) assertFitsClass(rule, type.name);
  const definer = definerOf(type, method);
  const handler = Reflect.get(definer, method) as object;
  assertRulesOfFunction(handler, definer, method, where);
  const opening = openingOf(ownRules(definer, method), where);
  const rules = [...onMethod, ...(opening ? [] : onClass)].filter((rule) => !isOpening(rule));
  assertConsistent(rules, onMethod, opening, where);
  const anyOf = rules.flatMap((rule) => (rule.kind === 'role' ? [rule.anyOf] : []));
  for (const roles of anyOf) hierarchy.assertKnown(roles, where);
  const ages = rules.flatMap((rule) => (rule.kind === 'recent' ? [rule.maxAge] : []));
  return {
    handler: where,
    isDeclared: onMethod.length + onClass.length > 0,
    opens: opening?.kind ?? null,
    session: sessionNeeded(rules, opening),
    roleSets: anyOf.map((roles) => hierarchy.satisfying(roles)),
    level: Math.max(0, ...rules.map((rule) => (rule.kind === 'level' ? rule.level : 0))),
    maxAge: ages.length > 0 ? Math.min(...ages) : null,
    // Browsers connect again by themselves: https://html.spec.whatwg.org/multipage/server-sent-events.html
    isBackground: isEventStream(handler) || rules.some(({ kind }) => kind === 'background'),
    answersItself: takesOverResponse(type, method),
    start: opening?.kind === 'start' ? opening.options : {},
    end: opening?.kind === 'end' ? opening.options : {},
  };
}

/** The prototype whose implementation of the method is the one that runs: only it may open the route. */
export function definerOf(type: Class, method: string): object {
  const lineage = lineageOf(type);
  const definer = lineage.find(({ prototype }) => Object.hasOwn(prototype as object, method)) ?? lineage[0];
  return definer?.prototype as object;
}

/** The class and those that it extends, nearest first. */
export function lineageOf(type: Class): Class[] {
  const lineage: Class[] = [];
  for (let ancestor = type; ancestor?.prototype; ancestor = Object.getPrototypeOf(ancestor) as Class) {
    lineage.push(ancestor);
  }
  return lineage;
}

function isOpening(rule: Rule): rule is Opening {
  return rule.kind === 'public' || rule.kind === 'start' || rule.kind === 'end';
}

/** Demands more than that there be a session. */
function isDemand({ kind }: Rule): boolean {
  return kind === 'session' || kind === 'role' || kind === 'level' || kind === 'recent';
}

function openingOf(rules: readonly Rule[], where: string): Opening | undefined {
  const openings = rules.filter(isOpening);
  if (openings.length > 1) throw contradiction(where, openings);
  return openings[0];
}

function sessionNeeded(rules: readonly Rule[], opening: Opening | undefined): Requirement['session'] {
  if (rules.some(isDemand)) return 'signed-in';
  if (rules.some(({ kind }) => kind === 'anonymous')) return 'anonymous';
  return opening ? 'none' : 'signed-in';
}

function assertFitsClass(rule: Rule, where: string): void {
  if (!isOpening(rule)) return;
  throw new SessionDecoratorError(
    `${DECORATOR_NAMES[rule.kind]} stands on the class ${where}: put it on the methods that it is meant for, ` +
      'so that no method is opened by what stands elsewhere.',
  );
}

function assertConsistent(
  rules: readonly Rule[],
  onMethod: readonly Rule[],
  opening: Opening | undefined,
  where: string,
): void {
  if (opening && opening.kind !== 'start' && rules.length > 0)
    throw contradiction(where, [opening, ...rules]);
  const anonymous = onMethod.find(({ kind }) => kind === 'anonymous');
  const demand = rules.find(isDemand);
  // On a class it is a default that methods may make stricter; on a method it would be without effect.
  if (anonymous && demand) throw contradiction(where, [anonymous, demand]);
}

function contradiction(where: string, rules: readonly Rule[]): SessionDecoratorError {
  const names = [...new Set(rules.map(({ kind }) => DECORATOR_NAMES[kind]))];
  return new SessionDecoratorError(
    `${where} has ${names.join(' and ')}, which contradict each other: keep one.`,
  );
}
