import { applyDecorators, UseInterceptors } from '@nestjs/common';
import type { Observable } from 'rxjs';
import type { SessionPrincipal } from '../core/model/principal.js';
import { ruled } from './access.decorators.js';
import { EndSessionInterceptor } from './end-session.interceptor.js';
import { EnsureSessionInterceptor } from './ensure-session.interceptor.js';
import type { EndSessionOptions, EnsureSessionOptions, StartSessionOptions } from './rules.js';
import { StartSessionInterceptor } from './start-session.interceptor.js';

type HandlerOf<Outcome> = (...args: never[]) => Outcome | Promise<Outcome> | Observable<Outcome>;

/** Returns who signed in; `null` when the credentials are wrong. */
export type SignInHandler<Returned extends SessionPrincipal = SessionPrincipal> = HandlerOf<
  Returned | null | undefined
>;

/** What the compiler says of another handler: what is wrong with its principal, or that it returns none. */
type NoSignIn<Handler, Returned extends SessionPrincipal> =
  Handler extends HandlerOf<{ userId: unknown } | null | undefined>
    ? TypedPropertyDescriptor<SignInHandler<Returned>>
    : 'A handler with @StartSession() returns { userId, roles?, level?, data? }, or null when the credentials are wrong.';

/** Of a class with more fields than a principal, this one alone is refused: it would be ignored in silence. */
type Misnamed<Handler> =
  Handler extends HandlerOf<{ roles: unknown } | null | undefined>
    ? unknown
    : Handler extends HandlerOf<{ role: unknown } | null | undefined>
      ? 'A principal has `roles`, which is a list, and no `role`.'
      : unknown;

/** A decorator that fits sign-in handlers only, and of these such as return what its option `answer` takes. */
export type SignInDecorator<Returned extends SessionPrincipal = SessionPrincipal> = <
  Handler extends (...args: never[]) => unknown,
>(
  target: object,
  method: string | symbol,
  descriptor: TypedPropertyDescriptor<Handler> &
    (Handler extends SignInHandler<Returned> ? Misnamed<Handler> : NoSignIn<Handler, Returned>),
) => void;

/**
 * Opens a method, and makes a session of the principal that it returns. Nobody (`null`) is a 401 `sign_in_failed`; what is
 * no principal is a mistake of the code: a 500, and a line in the log. On a request
 * that carries a valid session it is the authentication event of that session: the sign-in of an anonymous one, the
 * step-up of the same user, or the replacement by another user's. The earlier token is dead in every case.
 *
 * The answer is `{ token, expiresAt, session }`, or by cookie `{ session }`, and what the option `answer` adds.
 */
export function StartSession<Returned extends SessionPrincipal = SessionPrincipal>(
  options: StartSessionOptions<Returned> = {},
): SignInDecorator<Returned> {
  return applyDecorators(ruled({ kind: 'start', options }), UseInterceptors(StartSessionInterceptor));
}

/**
 * Opens a method, and ends the session of the request before it runs. Idempotent: without a session nothing happens.
 * Not on GET, which links and prefetching would trigger.
 */
export function EndSession(options: EndSessionOptions = {}): MethodDecorator {
  return applyDecorators(ruled({ kind: 'end', options }), UseInterceptors(EndSessionInterceptor));
}

/**
 * Lets in whoever comes, and makes a session of nobody for those who have none, before the method runs: for what must be
 * kept before sign-in, where it is first kept. The answer brings the token, in the cookie or in the header
 * `Session-Token`. Not on GET, or every bot that reads a page would be given one.
 */
export function EnsureSession(options: EnsureSessionOptions = {}): MethodDecorator {
  return applyDecorators(ruled({ kind: 'ensure', options }), UseInterceptors(EnsureSessionInterceptor));
}
