import { Injectable } from '@nestjs/common';
import { ExternalContextCreator } from '@nestjs/core';
import { SessionDecoratorError } from '../../core/model/errors.js';
import type { Host } from './hosts.js';

/** What finds the guards, or the interceptors, of a handler, in Nest itself. */
interface Finder {
  readonly container: unknown;
  create(instance: object, handler: object, module: string): readonly object[];
}

type FinderOf = new (container: unknown) => Finder;

/**
 * Asks Nest which guards and interceptors it will run for a handler, because of what stands on it and its class. The
 * global ones are left out, as Nest leaves them out for messages.
 */
@Injectable()
export class NestEnhancers {
  private readonly guards: Finder;
  private readonly interceptors: Finder;

  /** @throws SessionDecoratorError where Nest is made in another way than is known here */
  constructor(creator: ExternalContextCreator) {
    const inside = creator as unknown as Record<string, Finder | undefined>;
    this.guards = withoutGlobal(inside['guardsContextCreator']);
    this.interceptors = withoutGlobal(inside['interceptorsContextCreator']);
  }

  /** Whether Nest will run a guard or an interceptor of this class for a handler. */
  runs(enhancer: abstract new (...args: never[]) => object, host: Host, handler: object): boolean {
    const isOne = (one: object) => one instanceof enhancer;
    return find(this.guards, host, handler).some(isOne) || this.interceptorsFor(host, handler).some(isOne);
  }

  interceptorsFor(host: Host, handler: object): readonly object[] {
    return find(this.interceptors, host, handler);
  }
}

function find(finder: Finder, { instance, module }: Host, handler: object): readonly object[] {
  return instance === null ? [] : finder.create(instance, handler, module.token);
}

function withoutGlobal(finder: Finder | undefined): Finder {
  if (typeof finder?.create !== 'function' || !finder.container) throw unknownNest('how it finds guards');
  return new (finder.constructor as FinderOf)(finder.container);
}

/** Nest has changed inside: rather no application than open handlers. */
export function unknownNest(what: string): SessionDecoratorError {
  return new SessionDecoratorError(
    `This version of Nest is made in another way than those that nestjs-sessions knows (${what}), so that it cannot be ` +
      'made sure that handlers are guarded: use a version of both that fit together.',
  );
}
