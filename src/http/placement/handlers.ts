import { type HandlerKind, isGateway, isUnknownMessage, kindsOf } from '../handler-metadata.js';
import type { Host } from './hosts.js';
import { unknownNest } from './nest-enhancers.js';

/** A method that Nest calls for requests. */
export interface Called {
  readonly host: Host;
  readonly method: string;
  readonly kinds: readonly HandlerKind[];
  /** The function that runs, and that Nest looks for guards on. */
  readonly handler: object;
  /** The method of its class, which bears what is said of it. */
  readonly original: object;
  /** Whether the instance has another function in its place. */
  readonly isReplaced: boolean;
}

/** What Nest calls a method of a host for; empty for nothing. */
export function kindsFor(host: Host, method: string): readonly HandlerKind[] {
  const handler = methodOf(host, method);
  const kinds = kindsOf(handler, host.type).filter((kind) => isLookedFor(kind, host));
  if (kinds.length === 0 && isUnknownMessage(handler)) {
    throw unknownNest('what it keeps on handlers of messages');
  }
  return kinds;
}

/** The same after boot, with what will run; `null` where Nest does not call it. */
export function calledFor(host: Host, method: string): Called | null {
  const kinds = kindsFor(host, method);
  if (kinds.length === 0) return null;
  const original = methodOf(host, method);
  const handler = functionOf(host, method) ?? original;
  return { host, method, kinds, handler, original, isReplaced: handler !== original };
}

function methodOf({ type }: Host, method: string): object {
  return Reflect.get(type.prototype as object, method) as object;
}

/** Routes and messages only in controllers, all else only in providers; gateways that a factory makes are not connected. */
function isLookedFor(kind: HandlerKind, { role, type, isGiven }: Host): boolean {
  if (kind === 'route' || kind === 'message') return role === 'controller';
  return role === 'provider' && (kind !== 'socket-message' || (isGiven && isGateway(type)));
}

/** Of a controller Nest calls what the instance has under the name of a method: `this.show = this.show.bind(this)`. */
function functionOf(host: Host, method: string): object | null {
  const { role, instance } = host;
  if (role !== 'controller' || instance === null || !host.isSingleton()) return null;
  const own: unknown = Reflect.get(instance, method);
  return typeof own === 'function' ? own : null;
}
