import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { ActiveSession } from '../core/session.js';
import { sessionOf } from './request-state.js';

const currentSession = createParamDecorator(
  (property: keyof ActiveSession | undefined, context: ExecutionContext) => {
    const session = sessionOf(context);
    return property === undefined ? session : (session?.[property] ?? null);
  },
);

/**
 * The session of the request, or one of its properties. `null` where there need be none and is none: on `@Public()`
 * routes, and on `@StartSession()` and `@EndSession()` without a session.
 */
export function CurrentSession(property?: Exclude<keyof ActiveSession, 'toJSON'>): ParameterDecorator {
  return currentSession(property);
}
