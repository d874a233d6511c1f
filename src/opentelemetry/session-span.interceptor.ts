import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { trace } from '@opentelemetry/api';
import type { Observable } from 'rxjs';
import { sessionOf } from '../http/request-state.js';

/**
 * Puts the id of the session on the span of its request, as `session.id`: provide it as `APP_INTERCEPTOR`, or use it on a
 * controller. The id is public and cannot be used in place of the token, but it tells which requests belong together.
 */
@Injectable()
export class SessionSpanInterceptor implements NestInterceptor {
  /** Names the session that the guard has let in, if there is one. */
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const session = sessionOf(context);
    if (session) trace.getActiveSpan()?.setAttribute('session.id', session.id);
    return next.handle();
  }
}
