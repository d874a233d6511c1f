import { type ExecutionContext, Injectable } from '@nestjs/common';
import { MetadataScanner } from '@nestjs/core';
import { SessionDecoratorError } from '../core/model/errors.js';
import { SessionCore } from '../core/session-core.js';
import { isForReading } from './handler-metadata.js';
import { assertNoStray } from './rules-of-functions.js';
import { ownRules } from './rules.js';
import type { Class } from './lineage.js';
import { compileClassRequirement, compileRequirement, type Requirement } from './requirement.js';

interface Compiled {
  readonly byMethod: ReadonlyMap<string, Requirement>;
  readonly byFunction: Map<unknown, Requirement>;
}

/** The requirements of all handlers, compiled at boot: a contradiction stops it, and no request pays for reflection. */
@Injectable()
export class RequirementRegistry {
  // By class first: one function is the handler of every class that inherits it.
  private readonly compiled = new WeakMap<object, Compiled>();

  constructor(
    private readonly scanner: MetadataScanner,
    private readonly core: SessionCore,
  ) {}

  /**
   * By the function that runs. What is mounted after boot is compiled on its first request.
   *
   * @throws SessionDecoratorError
   */
  of(context: ExecutionContext): Requirement {
    const type = context.getClass();
    const handler = context.getHandler();
    const requirement = (this.compiled.get(type) ?? this.compile(type)).byFunction.get(handler);
    if (requirement) return requirement;
    throw unknownHandler(context);
  }

  /** Those of a class, by the names of its methods. @throws SessionDecoratorError */
  ofMethods(type: Class): ReadonlyMap<string, Requirement> {
    return (this.compiled.get(type) ?? this.compile(type)).byMethod;
  }

  /** What a class asks for by itself. @throws SessionDecoratorError */
  ofClass(type: Class): Requirement {
    return compileClassRequirement(type, this.core.hierarchy);
  }

  /**
   * An instance has a function of its own in the place of a method, such as a bound one. The route is that of the
   * method, whatever the function is called; so is the requirement.
   *
   * @throws SessionDecoratorError where it is the function of another method with other decorators
   */
  admit(type: Class, method: string, handler: object): void {
    const { byMethod, byFunction } = this.compiled.get(type) ?? this.compile(type);
    const requirement = byMethod.get(method)!;
    assertNoStray(
      handler,
      ownRules(Reflect.get(type.prototype as object, method) as object),
      requirement.handler,
    );
    enter(byFunction, handler, requirement);
    const original = byMethod.get((handler as () => void).name.replace(/^(bound )+/, ''));
    if (original) assertAlike(original, requirement);
  }

  private compile(type: Class): Compiled {
    const byMethod = new Map<string, Requirement>();
    const byFunction = new Map<unknown, Requirement>();
    const prototype = type.prototype as Record<string, unknown>;
    for (const method of this.scanner.getAllMethodNames(prototype)) {
      const requirement = compileRequirement(type, method, this.core.hierarchy);
      const handler = prototype[method] as object;
      if (isForReading(handler)) this.assertReadOnly(requirement);
      byMethod.set(method, requirement);
      enter(byFunction, handler, requirement);
    }
    const compiled = { byMethod, byFunction };
    this.compiled.set(type, compiled);
    return compiled;
  }

  /** What a link or an image of any page can make a browser send signs nobody out, and nobody in. */
  private assertReadOnly({ handler, opens, session, life }: Requirement): void {
    if (opens === 'end') {
      throw new SessionDecoratorError(
        `${handler} has @EndSession() on a route for GET: a link or a prefetch would sign people out. Use @Post().`,
      );
    }
    if (session === 'ensured') {
      throw new SessionDecoratorError(
        `${handler} has @EnsureSession() on a route for GET: every bot that reads the page would be given a session. Use ` +
          '@OptionalSession() there, and @EnsureSession() on the @Post() where something is first kept.',
      );
    }
    const { transport = this.core.options.transport, crossOrigin = false } = life;
    if (opens === 'start' && transport === 'cookie' && !crossOrigin) {
      throw new SessionDecoratorError(
        `${handler} has @StartSession() with a cookie on a route for GET: a link could sign people in as somebody else. ` +
          'Use @Post(), or `crossOrigin: true` where it is the callback of an identity provider that checks `state`.',
      );
    }
  }
}

/** What runs is no method of its class. */
export function unknownHandler(context: ExecutionContext): SessionDecoratorError {
  return new SessionDecoratorError(
    `The handler '${context.getHandler().name}' of ${context.getClass().name} is none of its methods, so that its decorators ` +
      'cannot be found. Do not replace or bind the methods of a class after boot, or where each request has an instance of ' +
      'its own.',
  );
}

function enter(byFunction: Map<unknown, Requirement>, handler: object, requirement: Requirement): void {
  const known = byFunction.get(handler);
  if (known) assertAlike(known, requirement);
  else byFunction.set(handler, requirement);
}

/** By the function that runs one cannot tell which of two methods it is. @throws SessionDecoratorError */
function assertAlike(one: Requirement, other: Requirement): void {
  if (one === other || !(one.isDeclared || other.isDeclared)) return;
  throw new SessionDecoratorError(
    `${one.handler} and ${other.handler} are one function, so that their session decorators cannot be told apart. ` +
      'Write each out as a method of its own, or give one route several paths.',
  );
}
