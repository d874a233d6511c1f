import { type ExecutionContext, Injectable, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { SessionDecoratorError } from '../core/model/errors.js';
import { SessionCore } from '../core/session-core.js';
import { type Class, compileRequirement, type Requirement } from './requirement.js';
import { isForReading, isRoute } from './route-metadata.js';

/** By the method's function, and by its name: what wraps or binds a handler keeps that. */
type Handlers = ReadonlyMap<unknown, Requirement>;

interface Handler {
  readonly type: Class;
  readonly handler: object;
  readonly requirement: Requirement;
}

/** The requirements of all handlers, compiled at boot: a contradiction stops it, and no request pays for reflection. */
@Injectable()
export class RequirementRegistry implements OnModuleInit {
  // By class first: one function is the handler of every class that inherits it.
  private readonly compiled = new WeakMap<object, Handlers>();

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly core: SessionCore,
  ) {}

  onModuleInit(): void {
    for (const type of this.classes()) this.handlersOf(type);
  }

  /** What is mounted after boot is compiled on its first request. @throws SessionDecoratorError */
  of(context: ExecutionContext): Requirement {
    const type = context.getClass();
    const handlers = this.handlersOf(type);
    const handler = context.getHandler();
    const requirement = handlers.get(handler) ?? handlers.get(handler.name.replace(/^bound /, ''));
    if (requirement) return requirement;
    throw new SessionDecoratorError(
      `The handler '${handler.name}' of ${type.name} is none of its methods, so that its decorators cannot be found. ` +
        'Do not replace the methods of a controller.',
    );
  }

  /** The handlers of HTTP routes, and whatever else bears a decorator of ours. */
  *ofAllHandlers(): Generator<Handler> {
    for (const type of this.classes()) {
      for (const [handler, requirement] of this.handlersOf(type)) {
        if (typeof handler === 'function' && (requirement.isDeclared || isRoute(handler))) {
          yield { type, handler, requirement };
        }
      }
    }
  }

  /** Controllers, resolvers and gateways; other providers have no handlers and compile to what nobody asks for. */
  private classes(): Class[] {
    const wrappers = [...this.discovery.getControllers(), ...this.discovery.getProviders()];
    return wrappers.map(({ metatype }) => metatype).filter(isClass);
  }

  private handlersOf(type: Class): Handlers {
    const known = this.compiled.get(type);
    if (known) return known;
    const handlers = new Map<unknown, Requirement>();
    const prototype = type.prototype as Record<string, unknown>;
    for (const method of this.scanner.getAllMethodNames(prototype)) {
      const requirement = compileRequirement(type, method, this.core.hierarchy);
      const handler = prototype[method] as object;
      if (isForReading(handler)) this.assertReadOnly(requirement);
      handlers.set(handler, requirement).set(method, requirement);
    }
    this.compiled.set(type, handlers);
    return handlers;
  }

  /** What a link or an image of any page can make a browser send signs nobody out, and nobody in. */
  private assertReadOnly({ handler, opens, start }: Requirement): void {
    if (opens === 'end') {
      throw new SessionDecoratorError(
        `${handler} has @EndSession() on a route for GET: a link or a prefetch would sign people out. Use @Post().`,
      );
    }
    const { transport = this.core.options.transport, crossOrigin = false } = start;
    if (opens === 'start' && transport === 'cookie' && !crossOrigin) {
      throw new SessionDecoratorError(
        `${handler} has @StartSession() with a cookie on a route for GET: a link could sign people in as somebody else. ` +
          'Use @Post(), or `crossOrigin: true` where it is the callback of an identity provider that checks `state`.',
      );
    }
  }
}

function isClass(metatype: unknown): metatype is Class {
  return (
    typeof metatype === 'function' && typeof metatype.prototype === 'object' && metatype.prototype !== null
  );
}
