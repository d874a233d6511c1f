import { type CanActivate, type ExecutionContext, Inject, Injectable, UseGuards } from '@nestjs/common';
import { MetadataScanner, ModulesContainer } from '@nestjs/core';
import type { Class } from '../lineage.js';
import { SessionGuard } from '../session.guard.js';
import { GLOBAL_GUARD, hasGlobalGuardOfTheirs } from './global-guard.js';
import { kindsFor } from './handlers.js';
import { type Host, hostsOf, type NestModule } from './hosts.js';
import { unknownNest } from './nest-enhancers.js';

/**
 * Stands on the functions that handle messages, which all applications of a process share; so it lets everything in.
 * Each application with sessions puts a subclass in its place, which asks the guard of that application.
 */
@Injectable()
class MessageGuard implements CanActivate {
  canActivate(_context: ExecutionContext): boolean | Promise<boolean> {
    return true;
  }
}

/** Functions that have the guard already: one function is the handler of every class that inherits it. */
const guarded = new WeakSet<object>();

/**
 * Puts the guard before the handlers of messages where Nest leaves out the global ones: in applications that call
 * `connectMicroservice` without `inheritAppConfig`, and before WebSocket gateways in Nest 11.
 */
@Injectable()
export class MessageClosing {
  /** What asks the guard of this application; `null` where it is not before every handler. */
  readonly guard: Class | null = null;

  /** In the constructor, as `connectMicroservice` looks for guards at once, before any `onModuleInit`. */
  constructor(
    modules: ModulesContainer,
    private readonly scanner: MetadataScanner,
    guard: SessionGuard,
    @Inject(GLOBAL_GUARD) isGlobal: boolean,
  ) {
    if (!isGlobal && !hasGlobalGuardOfTheirs(modules)) return;
    const subclass = subclassFor(guard);
    const hosts = [...hostsOf(modules)].filter((host) => this.close(host));
    for (const module of new Set(hosts.map((host) => host.module))) provide(module, subclass);
    this.guard = subclass;
  }

  /** @returns whether it has handlers of messages */
  private close(host: Host): boolean {
    const prototype = host.type.prototype as object;
    const methods = this.scanner.getAllMethodNames(prototype).filter((method) => isMessage(host, method));
    for (const method of methods) guardBefore(prototype, method);
    return methods.length > 0;
  }
}

function isMessage(host: Host, method: string): boolean {
  const kinds = kindsFor(host, method);
  return kinds.includes('message') || kinds.includes('socket-message');
}

function guardBefore(prototype: object, method: string): void {
  const value = Reflect.get(prototype, method) as object;
  if (guarded.has(value)) return;
  guarded.add(value);
  UseGuards(MessageGuard)(prototype, method, { value });
}

function subclassFor(guard: SessionGuard): Class {
  return class extends MessageGuard {
    override canActivate(context: ExecutionContext): boolean | Promise<boolean> {
      return guard.canActivate(context);
    }
  };
}

/** Nest looks a guard up by its class among what the module injects: there it finds the subclass. */
function provide(module: NestModule, subclass: Class): void {
  const wrapper: unknown = module.addInjectable(MessageGuard, 'guard');
  if (typeof wrapper !== 'object' || wrapper === null) throw unknownNest('how modules keep guards');
  // The class too: Nest may make the instance anew.
  Object.assign(wrapper, { metatype: subclass, instance: new (subclass as new () => object)() });
}
