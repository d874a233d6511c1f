import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type {
  ActiveSession,
  AnonymousSession,
  ReadonlySessionData,
  SessionData,
} from '../core/model/session.js';
import { DISCLOSE, Envelope, hideClass } from './pipe-passage.js';
import { sessionFor } from './request-state.js';

type SessionProperty = Exclude<keyof ActiveSession, 'toJSON'>;

type DataValue = string extends keyof SessionData ? unknown : ReadonlySessionData;
type CurrentValue<Selected extends SessionProperty | undefined> = Selected extends 'data'
  ? DataValue
  : Selected extends SessionProperty
    ? ActiveSession[Selected] | AnonymousSession[Selected]
    : ActiveSession | AnonymousSession;

/** A parameter may leave out what cannot come, such as the `null` of those who have not signed in. */
type Overlap<Value, Parameter> = Extract<Value, Parameter> | Extract<Parameter, Value>;
type ParameterAt<Method, Index extends number> = Method extends (...args: infer Parameters) => unknown
  ? Parameters[Index]
  : unknown;

/** What the compiler says where the parameter is of another type. */
type Misfit<Selected extends SessionProperty | undefined> =
  `@CurrentSession(${Selected extends string ? `'${Selected}'` : ''}) gives another type than that of this parameter.`;

/** A decorator for parameters that can take what it gives. */
export type SessionParameterDecorator<Selected extends SessionProperty | undefined = undefined> = <
  Target extends object,
  Name extends string | symbol | undefined,
  Index extends number,
>(
  target: Target &
    (Name extends keyof Target
      ? [Overlap<CurrentValue<Selected>, ParameterAt<Target[Name], Index>>] extends [never]
        ? Misfit<Selected>
        : unknown
      : unknown),
  name: Name,
  index: Index,
) => void;

const currentSession = createParamDecorator(
  (property: keyof ActiveSession | undefined, context: ExecutionContext) => {
    const session = sessionFor(context);
    return new Envelope(property === undefined ? session : (session?.[property] ?? null));
  },
  [hideClass],
);

/**
 * The session of the request, or one of its properties. `null` where there need be none and is none: on `@Public()`
 * routes, and on `@StartSession()` and `@EndSession()` without a session. No pipe changes it: one that puts another value
 * in its place makes the request a 500.
 */
export function CurrentSession<
  Selected extends Exclude<keyof ActiveSession, 'toJSON'> | undefined = undefined,
>(property?: Selected): SessionParameterDecorator<Selected> {
  return currentSession(property, DISCLOSE);
}
