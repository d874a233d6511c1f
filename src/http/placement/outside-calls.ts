import { type CanActivate, type ExecutionContext, UseGuards } from '@nestjs/common';
import type { Class } from '../lineage.js';

/** Calls for which the guard was asked that decorators bring along. */
const asked = new WeakSet<ExecutionContext>();

/**
 * Whether a method is closed in any application of the process, as they share the functions. Where none is, nobody looks
 * for what would be noted.
 */
let isAnyClosed = false;

/** Notes that the guard was asked for this call. */
export function noteAsked(context: ExecutionContext): void {
  if (isAnyClosed) asked.add(context);
}

function wasAsked(context: ExecutionContext): boolean {
  return asked.has(context);
}

/**
 * Other libraries call handlers by Nest's `ExternalContextCreator`. Of a controller it finds no guards that need a module, as
 * it looks for that among providers: without a global guard nobody would be asked. This one needs no module.
 */
const DECORATOR_IS_ASKED: CanActivate = { canActivate: wasAsked };

/** All applications of a process share the functions. */
const closed = new WeakSet<object>();

/**
 * Closes a method for calls at which the guard that its decorators, or those of its class, bring along is not asked.
 *
 * @param handler what the instance has in its place
 */
export function closeForCallsWithoutGuard(
  { prototype }: Class,
  method: string,
  handler = Reflect.get(prototype as object, method) as object,
): void {
  if (closed.has(handler)) return;
  closed.add(handler);
  isAnyClosed = true;
  UseGuards(DECORATOR_IS_ASKED)(prototype as object, method, { value: handler });
}
