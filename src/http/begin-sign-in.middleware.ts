import { Injectable, type NestMiddleware } from '@nestjs/common';
import { toException } from '../session.exceptions.js';
import { SignInBeginnings } from './sign-in-beginnings.js';

/**
 * Notes that a sign-in begins, where something looks at credentials before `SessionGuard` does: a middleware such as
 * Passport's, or a guard that stands before it. Apply it before that, to the routes with `@StartSession()`:
 *
 * ```ts
 * configure(consumer: MiddlewareConsumer) {
 *   consumer.apply(BeginSignIn, passport.initialize()).forRoutes('auth/login');
 * }
 * ```
 */
@Injectable()
export class BeginSignIn implements NestMiddleware {
  /** @internal Nest makes it. */
  constructor(private readonly beginnings: SignInBeginnings) {}

  /** Goes on once the sign-in has begun. @throws SessionStoreUnavailableException (503) */
  async use(request: object, _response: unknown, next: () => void): Promise<void> {
    try {
      await this.beginnings.of(request);
    } catch (error) {
      throw toException(error);
    }
    next();
  }
}
