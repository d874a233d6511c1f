import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import { SessionDecoratorError } from '../../core/model/errors.js';
import { answersInEvents, isGateway, isGraphqlType, isRawGrpcStream } from '../handler-metadata.js';
import { decoratedClasses } from '../decorated-classes.js';
import { DecoratorGuard } from '../decorator.guard.js';
import { EnsureSessionInterceptor } from '../ensure-session.interceptor.js';
import { EndSessionInterceptor } from '../end-session.interceptor.js';
import { type Class, definerOf, lineageOf } from '../lineage.js';
import type { Requirement } from '../requirement.js';
import { RequirementRegistry } from '../requirement-registry.js';
import { ownRules } from '../rules.js';
import { StartSessionInterceptor } from '../start-session.interceptor.js';
import { assertNotGivenLate, GLOBAL_GUARD, hasGlobalGuardOfTheirs } from './global-guard.js';
import { GraphqlFields } from './graphql-fields.js';
import { givenTypes, standingTypes } from './given-instances.js';
import { type Called, calledFor } from './handlers.js';
import { type Host, hostsOf } from './hosts.js';
import { leaksThrough } from './kept-answers.js';
import { MessageClosing } from './message-closing.js';
import { NestEnhancers, unknownNest } from './nest-enhancers.js';
import { assertNestMetadata } from './nest-metadata-check.js';
import { closeForCallsWithoutGuard } from './outside-calls.js';
import { ScopedHandlers } from './scoped-handlers.js';

/**
 * Sees to it, at boot, that what the decorators say is carried out: where Nest will run no guard, or lacks an
 * interceptor, the boot is stopped.
 */
@Injectable()
export class PlacementCheck implements OnModuleInit {
  private readonly isGuarded: boolean;

  constructor(
    private readonly modules: ModulesContainer,
    private readonly config: ApplicationConfig,
    private readonly requirements: RequirementRegistry,
    private readonly enhancers: NestEnhancers,
    private readonly messages: MessageClosing,
    private readonly scoped: ScopedHandlers,
    @Inject(GLOBAL_GUARD) isGlobal: boolean,
  ) {
    this.isGuarded = isGlobal || hasGlobalGuardOfTheirs(modules);
  }

  /** @throws SessionDecoratorError */
  onModuleInit(): void {
    assertNestMetadata();
    if (!this.isGuarded) assertNotGivenLate(this.config);
    const fields = new GraphqlFields(this.modules);
    const calledOf = new Map<Class, Set<string>>();
    for (const host of hostsOf(this.modules)) {
      const names = calledOf.get(host.type) ?? new Set();
      calledOf.set(host.type, names);
      for (const [method, requirement] of this.requirements.ofMethods(host.type)) {
        const called = calledFor(host, method);
        this.closeOutside(host, method, called, requirement);
        if (called === null) continue;
        names.add(method);
        if (called.isReplaced) this.requirements.admit(host.type, method, called.handler);
        if (!host.isSingleton() && (this.isGuarded || requirement.isDeclared)) this.scoped.keepTo(host.type);
        this.assertGuarded(called, requirement, fields);
        this.assertRefusable(called, requirement);
        this.assertMessageFits(called, requirement);
        this.assertEnhanced(called, requirement);
        this.assertNotKept(called, requirement);
      }
    }
    for (const type of this.givenBeside(calledOf.keys()))
      if (!calledOf.has(type)) calledOf.set(type, new Set());
    for (const [type, names] of calledOf) this.assertNothingIdle(type, names);
    const types = [...decoratedClasses()].filter((type) => isGraphqlType(type) && !calledOf.has(type));
    if (types.length > 0) throw ofGraphqlTypes(types);
  }

  /** Where decorators alone bring the guard along, who calls a method of a controller by another way does not find it. */
  private closeOutside(
    { type, role }: Host,
    method: string,
    called: Called | null,
    { isDeclared, opens }: Requirement,
  ): void {
    const isBroughtAlong = isDeclared && !this.isGuarded && opens !== 'public';
    if (isBroughtAlong && role === 'controller') closeForCallsWithoutGuard(type, method, called?.handler);
  }

  /** The classes of what the application has made itself and given to Nest, or has put on one of these. */
  private givenBeside(types: Iterable<Class>): readonly Class[] {
    const methodsOf = (type: Class) => this.requirements.ofMethods(type).keys();
    const standing = [...types].flatMap((type) => standingTypes(type, methodsOf(type)));
    return [...givenTypes(this.config), ...standing];
  }

  /** Nest runs no guard before the fields of GraphQL types, unless its module asks for it. */
  private assertGuarded(called: Called, requirement: Requirement, fields: GraphqlFields): void {
    const { kinds, host } = called;
    const isReference = kinds.includes('reference');
    if (!isReference && !kinds.includes('field')) return;
    // A field is as open as what leads to it; to a reference anybody comes who names the entity.
    const isToBeGuarded = requirement.isDeclared || (isReference && this.isGuarded);
    if (!isToBeGuarded || requirement.opens === 'public') return;
    const needed =
      interceptorOf(requirement) === null ? (['guards'] as const) : (['guards', 'interceptors'] as const);
    if (needed.every((enhancers) => fields.run(enhancers, host.module, called.method))) return;
    throw new SessionDecoratorError(
      `${requirement.handler} would be open, as Nest runs no guard before fields and references of GraphQL: give its ` +
        `module \`fieldResolverEnhancers: [${needed.map((name) => `'${name}'`).join(', ')}]\`` +
        (isReference ? ', or put @Public() on it.' : ', or take the session decorators away.'),
    );
  }

  /** What a guard refuses there, Nest turns into a rejection that nobody handles: it ends the process. */
  private assertRefusable({ original }: Called, requirement: Requirement): void {
    if (!this.isJudged(requirement)) return;
    if (!isRawGrpcStream(original)) return;
    throw new SessionDecoratorError(
      `${requirement.handler} has @GrpcStreamCall(): sessions do not reach messages, and when a guard refuses such a ` +
        'call, Nest ends the process. Use @GrpcStreamMethod(), which can be refused, or put @Public() on it.',
    );
  }

  /** Whether the guard looks at it, so that there may be a session. */
  private isJudged({ opens, isDeclared }: Requirement): boolean {
    return opens !== 'public' && (this.isGuarded || isDeclared);
  }

  /** What is answered to one session, or brings its token, is not for others. */
  private assertNotKept(called: Called, requirement: Requirement): void {
    if (!this.isJudged(requirement)) return;
    const interceptors = [
      ...this.config.getGlobalInterceptors(),
      ...this.config.getGlobalRequestInterceptors().map(({ instance }) => instance as unknown),
      ...this.enhancers.interceptorsFor(called.host, called.handler),
    ];
    if (!interceptors.some((one) => leaksThrough(called, requirement, one))) return;
    throw new SessionDecoratorError(
      `${requirement.handler} answers each session by itself, and CacheInterceptor would give to all others what it has ` +
        'answered to one: keep it away from sign-ins, and elsewhere use a subclass of it with a `trackBy()` that has the ' +
        'session in the key.',
    );
  }

  /** Neither a message nor an event has an answer that could bring a token. */
  private assertMessageFits({ kinds, original }: Called, { handler, opens, session }: Requirement): void {
    if (!kinds.includes('socket-message') && !answersInEvents(original)) return;
    if (opens !== 'start' && opens !== 'end' && session !== 'ensured') return;
    throw new SessionDecoratorError(
      `${handler} starts, makes or ends a session, and answers a message, or with events: tokens travel in the heads of ` +
        'answers. Let the client do it by a request, and connect then; sockets end with their session.',
    );
  }

  /** What decorators bring along is on the function that they stood on: another may have been put in its place. */
  private assertEnhanced(
    { host, handler, kinds, isReplaced }: Called,
    { handler: where, ...requirement }: Requirement,
  ): void {
    const needed: Class[] = [];
    const interceptor = interceptorOf(requirement);
    if (interceptor) needed.push(interceptor);
    if (requirement.isDeclared && !this.isGuarded) needed.push(DecoratorGuard);
    if (needed.some((enhancer) => !this.enhancers.runs(enhancer, host, handler))) throw replaced(where);
    const isMessage = kinds.includes('message') || kinds.includes('socket-message');
    const { guard } = this.messages;
    if (!isMessage || guard === null || this.enhancers.runs(guard, host, handler)) return;
    throw isReplaced ? replaced(where) : unknownNest(`the guard of ${where} is not found`);
  }

  /**
   * A decorator on what Nest does not call for a request is without effect. But for `@Public()`: it asks for nothing, and
   * opens what other libraries call with the guards of Nest.
   */
  private assertNothingIdle(type: Class, called: ReadonlySet<string>): void {
    const methods = [...this.requirements.ofMethods(type).keys()];
    for (const method of methods) {
      const isDemanding = ownRules(definerOf(type, method), method).some(({ kind }) => kind !== 'public');
      if (!called.has(method) && isDemanding) throw idle(`${type.name}.${method}`);
    }
    if (called.size > 0 || isGateway(type) || !hasRules(type)) return;
    if (methods.length > 0 || this.isModule(type)) throw idle(`The class ${type.name}`);
  }

  private isModule(type: Class): boolean {
    return [...this.modules.values()].some(({ metatype }) => metatype === type);
  }
}

/** What carries out a decorator beside the guard. */
function interceptorOf({ opens, session }: Pick<Requirement, 'opens' | 'session'>): Class | null {
  if (opens === 'start') return StartSessionInterceptor;
  if (opens === 'end') return EndSessionInterceptor;
  return session === 'ensured' ? EnsureSessionInterceptor : null;
}

function hasRules(type: Class): boolean {
  return lineageOf(type).some((ancestor) => ownRules(ancestor).length > 0);
}

function replaced(where: string): SessionDecoratorError {
  return new SessionDecoratorError(
    `The session decorators of ${where} would not be carried out: another decorator has replaced the method, or it ` +
      'overrides one and has none of its own, or the instance has bound it. Put them above all others on the method ' +
      'itself, and do not bind it.',
  );
}

function idle(where: string): SessionDecoratorError {
  return new SessionDecoratorError(
    `${where} has session decorators, but is nothing that Nest calls for requests, so that no guard would run: put them ` +
      'on the routes, resolvers and message handlers that lead there.',
  );
}

function ofGraphqlTypes(types: readonly Class[]): SessionDecoratorError {
  return new SessionDecoratorError(
    `Session decorators stand on types of GraphQL, of which fields are read without a guard: ` +
      `${types.map(({ name }) => name).join(', ')}. Put them on resolvers, such as a @ResolveField().`,
  );
}
