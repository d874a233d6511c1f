import { SessionDecoratorError } from '../core/model/errors.js';
import type { SessionPrincipal } from '../core/model/principal.js';
import type { Transport } from '../core/options/options.js';
import { noteAddedHandlers } from './added-handlers.js';
import { noteMethods } from './class-methods.js';
import { noteDecorated } from './decorated-classes.js';
import type { Class } from './lineage.js';

/** What a sign-in answers beside what it always does, which nothing can take the place of. */
export type SignInAnswerPart = object & {
  /** The library's. */
  readonly token?: never;
  /** The library's. */
  readonly expiresAt?: never;
  /** The library's. */
  readonly session?: never;
};

/** How one sign-in route differs from the module. */
export interface StartSessionOptions<Returned extends SessionPrincipal = never> {
  /** How the token is delivered. Default: the option `transport` of the module. */
  transport?: Transport;
  /**
   * Accept this request from pages of other origins: for callbacks such as SAML or `form_post`. Default: false. A route
   * for GET that answers with a cookie must say so: what begins there has to be tied to the browser, as by `state`.
   */
  crossOrigin?: boolean;
  /**
   * Who wanted to sign in, from the request, for the event and the audit entry of a sign-in that failed; cut to 100
   * characters. Not called when the sign-in succeeds. Default: none. People type passwords into the field for the name:
   * whoever reads the audit trail reads them then.
   */
  name?: (request: never) => string | null | undefined;
  /** A name for the device list, such as that of the device, from the request. Default: none. */
  label?: (request: never) => string | null | undefined;
  /**
   * What the answer says beside the token and the session, of what the handler has returned:
   * `answer: ({ user }: Verified) => ({ user })`. Default: nothing. Called before the session is made, and only where
   * somebody signs in; what it throws is a 500, and no session is made. It never gets the token.
   */
  answer?: (returned: Returned) => SignInAnswerPart;
}

/** How one route that makes sessions before sign-in differs from the module. */
export interface EnsureSessionOptions {
  /** How the token is delivered. Default: the option `transport` of the module. */
  transport?: Transport;
}

/** How one sign-out route differs from the module. */
export interface EndSessionOptions {
  /** Whether clients of this route have cookies. Default: the option `transport` of the module. */
  transport?: Transport;
  /** Accept this request from pages of other origins: for callbacks such as SAML logout. Default: false. */
  crossOrigin?: boolean;
}

/** What one decorator says. */
export type Rule =
  | { readonly kind: 'public' }
  | { readonly kind: 'start'; readonly options: StartSessionOptions }
  | { readonly kind: 'end'; readonly options: EndSessionOptions }
  | { readonly kind: 'ensure'; readonly options: EnsureSessionOptions }
  | { readonly kind: 'optional' }
  | { readonly kind: 'session' }
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'role'; readonly anyOf: readonly string[] }
  | { readonly kind: 'level'; readonly level: number }
  | { readonly kind: 'recent'; readonly maxAge: number }
  | { readonly kind: 'background' };

/** What lets in people who have no session. */
export type Opening = Extract<Rule, { kind: 'public' | 'optional' | 'ensure' | 'start' | 'end' }>;

const RULES = Symbol('nestjs-sessions:rules');

/** The decorator's name, for error messages. */
export const DECORATOR_NAMES: Readonly<Record<Rule['kind'], string>> = {
  public: '@Public()',
  start: '@StartSession()',
  end: '@EndSession()',
  ensure: '@EnsureSession()',
  optional: '@OptionalSession()',
  session: '@RequireSession()',
  anonymous: '@AllowAnonymous()',
  role: '@RequireRole()',
  level: '@RequireLevel()',
  recent: '@RequireRecentAuth()',
  background: '@Background()',
};

/**
 * Adds a rule to a class, or to a method of it. It is kept by the method's name, since another decorator may put a
 * function of its own in its place; and on the function, by which one sees that it was copied to another place.
 *
 * @throws SessionDecoratorError on what is never a handler
 */
export function addRule(
  rule: Rule,
  target: object,
  method?: string | symbol,
  descriptor?: PropertyDescriptor,
): void {
  if (method === undefined) {
    noteDecorated(target as Class);
    if (isOpening(rule)) noteMethods(target);
    return Reflect.defineMetadata(RULES, [...ownRules(target), rule], target);
  }
  const handler: unknown = descriptor?.value;
  if (typeof handler !== 'function' || typeof target === 'function' || typeof method === 'symbol') {
    throw new SessionDecoratorError(
      `${DECORATOR_NAMES[rule.kind]} stands on ${String(method)}, which is no method that Nest calls: it may not be ` +
        'static, an accessor, a property or named by a symbol.',
    );
  }
  noteDecorated(target.constructor as Class);
  noteAddedHandlers(target, method);
  Reflect.defineMetadata(RULES, [...ownRules(target, method), rule], target, method);
  Reflect.defineMetadata(RULES, [...ownRules(handler), rule], handler);
}

export function isOpening(rule: Rule): rule is Opening {
  const { kind } = rule;
  return kind === 'public' || kind === 'optional' || kind === 'ensure' || kind === 'start' || kind === 'end';
}

/**
 * The rules on this very class or function, or on this method of this very prototype: not on what it inherits from.
 */
export function ownRules(target: object, method?: string): readonly Rule[] {
  const rules: unknown =
    method === undefined
      ? Reflect.getOwnMetadata(RULES, target)
      : Reflect.getOwnMetadata(RULES, target, method);
  return (rules as readonly Rule[] | undefined) ?? [];
}
