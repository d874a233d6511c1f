import { type CanActivate, UseGuards } from '@nestjs/common';
import { wasAsked } from '../decorator.guard.js';
import type { Called } from './handlers.js';

/**
 * Other libraries call handlers by Nest's `ExternalContextCreator`. Of a controller it finds no guards that need a module, as
 * it looks for that among providers: without a global guard nobody would be asked. This one needs no module.
 */
const DECORATOR_IS_ASKED: CanActivate = { canActivate: wasAsked };

/** All applications of a process share the functions. */
const closed = new WeakSet<object>();

/** Closes a handler for calls at which the guard that its decorators bring along is not asked. */
export function closeForCallsWithoutGuard({ host, method, handler }: Called): void {
  if (closed.has(handler)) return;
  closed.add(handler);
  UseGuards(DECORATOR_IS_ASKED)(host.type.prototype as object, method, { value: handler });
}
