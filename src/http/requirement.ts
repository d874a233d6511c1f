import type { RoleHierarchy } from '../core/policy/roles.js';
import { isEventStream, takesOverResponse } from './handler-metadata.js';
import { type Class, definerOf, lineageOf } from './lineage.js';
import { assertClassFits, assertFits, contradiction, openingOfClass, openingOn } from './openings.js';
import { assertRulesOfFunction } from './rules-of-functions.js';
import { isOpening, type Opening, ownRules, type Rule, type StartSessionOptions } from './rules.js';

/** Whom a handler lets in: what all decorators on it, its class and their bases come to. */
export interface Requirement {
  /** Class and method, for people. */
  readonly handler: string;
  /** Whether any decorator says something about it. */
  readonly isDeclared: boolean;
  /** Set where the session of the request is not just used: it is not looked at, or it is started or ended. */
  readonly opens: 'public' | 'start' | 'end' | null;
  readonly session: SessionNeed;
  /** Of each set, the session must have one role. */
  readonly roleSets: readonly ReadonlySet<string>[];
  readonly level: number;
  /** Milliseconds since the authentication event. */
  readonly maxAge: number | null;
  readonly isBackground: boolean;
  /** Whether its answer goes on, as that of server-sent events. */
  readonly isStream: boolean;
  /** Whether it answers by `@Res()`, so that what it returns goes nowhere. */
  readonly answersItself: boolean;
  /** Of what starts, ends or makes a session; each has some of them. */
  readonly life: StartSessionOptions;
}

/**
 * Whose session a handler asks for:
 * - `none`, `optional`: whoever comes is let in; of the first it does not matter who it is;
 * - `ensured`: the same, and who has none is given one of nobody;
 * - `anonymous`: that of nobody, or of somebody;
 * - `signed-in`: that of somebody.
 */
export type SessionNeed = 'none' | 'optional' | 'ensured' | 'anonymous' | 'signed-in';

/** Whether nobody is let in without a session. */
export function needsSession({ session }: Requirement): boolean {
  return session === 'anonymous' || session === 'signed-in';
}

/** @throws SessionDecoratorError where decorators contradict each other or name unknown roles */
export function compileRequirement(type: Class, method: string, hierarchy: RoleHierarchy): Requirement {
  const where = `${type.name}.${method}`;
  const lineage = lineageOf(type);
  const onMethod = lineage.flatMap(({ prototype }) => ownRules(prototype as object, method));
  const onClass = lineage.flatMap((ancestor) => ownRules(ancestor));
  for (const ancestor of lineage) assertClassFits(ancestor);
  const definer = definerOf(type, method);
  const handler = Reflect.get(definer, method) as object;
  assertRulesOfFunction(handler, definer, method, where);
  const onItself = openingOn(ownRules(definer, method), where);
  const demands = [...onMethod, ...(liftsClass(onItself) ? [] : onClass)].filter((rule) => !isOpening(rule));
  const opening = onItself ?? openingOfClass(type, method, demands.some(closes), where);
  assertConsistent(demands, onMethod, opening, where);
  return {
    ...requirementOf(where, demands, opening, hierarchy),
    isDeclared: onMethod.length + onClass.length > 0,
    // Browsers connect again by themselves: https://html.spec.whatwg.org/multipage/server-sent-events.html
    isStream: isEventStream(handler),
    isBackground: isEventStream(handler) || demands.some(({ kind }) => kind === 'background'),
    answersItself: takesOverResponse(type, method),
  };
}

/** What a class asks for by itself: of whoever connects to a gateway that handles no messages. */
export function compileClassRequirement(type: Class, hierarchy: RoleHierarchy): Requirement {
  assertClassFits(type);
  const rules = lineageOf(type).flatMap((ancestor) => ownRules(ancestor));
  const demands = rules.filter((rule) => !isOpening(rule));
  return {
    ...requirementOf(type.name, demands, openingOn(ownRules(type), type.name), hierarchy),
    isDeclared: rules.length > 0,
    isBackground: true,
    isStream: false,
    answersItself: false,
  };
}

function requirementOf(
  where: string,
  demands: readonly Rule[],
  opening: Opening | undefined,
  hierarchy: RoleHierarchy,
): Omit<Requirement, 'isDeclared' | 'isBackground' | 'isStream' | 'answersItself'> {
  const anyOf = demands.flatMap((rule) => (rule.kind === 'role' ? [rule.anyOf] : []));
  for (const roles of anyOf) hierarchy.assertKnown(roles, where);
  const ages = demands.flatMap((rule) => (rule.kind === 'recent' ? [rule.maxAge] : []));
  return {
    handler: where,
    opens: opensOf(opening),
    session: sessionNeeded(demands, opening),
    roleSets: anyOf.map((roles) => hierarchy.satisfying(roles)),
    level: Math.max(0, ...demands.map((rule) => (rule.kind === 'level' ? rule.level : 0))),
    maxAge: ages.length > 0 ? Math.min(...ages) : null,
    life: opening && 'options' in opening ? opening.options : {},
  };
}

/** What stands on the method itself was put there by somebody who knows what the class requires. */
function liftsClass(onItself: Opening | undefined): boolean {
  return opensOf(onItself) !== null;
}

function opensOf(opening: Opening | undefined): Requirement['opens'] {
  if (opening === undefined || opening.kind === 'optional' || opening.kind === 'ensure') return null;
  return opening.kind;
}

/** Says that not everybody is let in. */
function closes(rule: Rule): boolean {
  return isDemand(rule) || rule.kind === 'anonymous';
}

/** Demands more than that there be a session. */
function isDemand({ kind }: Rule): boolean {
  return kind === 'session' || kind === 'role' || kind === 'level' || kind === 'recent';
}

function sessionNeeded(demands: readonly Rule[], opening: Opening | undefined): SessionNeed {
  if (demands.some(isDemand)) return 'signed-in';
  if (demands.some(({ kind }) => kind === 'anonymous')) return 'anonymous';
  if (opening?.kind === 'optional') return 'optional';
  if (opening?.kind === 'ensure') return 'ensured';
  return opening ? 'none' : 'signed-in';
}

function assertConsistent(
  demands: readonly Rule[],
  onMethod: readonly Rule[],
  opening: Opening | undefined,
  where: string,
): void {
  if (opening) assertFits(opening, demands, where);
  const anonymous = onMethod.find(({ kind }) => kind === 'anonymous');
  const demand = demands.find(isDemand);
  // On a class it is a default that methods may make stricter; on a method it would be without effect.
  if (anonymous && demand) throw contradiction(where, [anonymous, demand]);
}
