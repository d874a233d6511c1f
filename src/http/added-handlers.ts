import { kindsOf } from './handler-metadata.js';

/** By prototype and name: the method beside which a decorator has added a handler. */
const added = new WeakMap<object, Map<string, string>>();

/**
 * Decorators of a class are applied method after method, in the order of the class. So what comes after this one and is
 * a handler already was added by a decorator; where it was below, the rules of this method come too late to be copied.
 */
export function noteAddedHandlers(prototype: object, method: string): void {
  const names = Object.getOwnPropertyNames(prototype);
  for (const name of names.slice(names.indexOf(method) + 1)) {
    const handler: unknown = Object.getOwnPropertyDescriptor(prototype, name)?.value;
    // What has a name of its own was in the class, and decorators were applied to it by hand.
    if (typeof handler !== 'function' || handler.name === name) continue;
    if (kindsOf(handler, prototype.constructor).length === 0) continue;
    const beside = added.get(prototype) ?? new Map<string, string>();
    added.set(prototype, beside.set(name, method));
  }
}

/** The method beside which a decorator has added this one as a handler, without the rules of that one. */
export function addedBeside(prototype: object, name: string): string | undefined {
  return added.get(prototype)?.get(name);
}
