import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { ClsPluginBase, type ClsService, ClsServiceManager } from 'nestjs-cls';
import type { Observable } from 'rxjs';
import type { ActiveSession, AnonymousSession } from '../core/model/session.js';
import { sessionOf } from '../http/request-state.js';

/** Holds what Nest has told of the handler, and not its session: a sign-in changes that. */
const CONTEXT = Symbol('nestjs-sessions:context');

function keepContext(cls: ClsService, context: ExecutionContext): void {
  if (cls.isActive()) cls.set(CONTEXT, context);
}

/** The session of the request at hand, for code that is not given it. */
@Injectable()
export class ClsSession {
  /**
   * That of the handler that runs: what `@CurrentSession()` gives it. `null` outside of requests, in guards and middleware,
   * and where there is none.
   */
  get current(): ActiveSession | AnonymousSession | null {
    const cls = ClsServiceManager.getClsService();
    const context = cls.isActive() ? cls.get<ExecutionContext | undefined>(CONTEXT) : undefined;
    return context ? sessionOf(context) : null;
  }
}

/** After all guards, whichever way the context of nestjs-cls was begun. */
class ContextInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    keepContext(ClsServiceManager.getClsService(), context);
    return next.handle();
  }
}

/** A plugin of nestjs-cls: with it any provider can inject `ClsSession`. */
export class SessionClsPlugin extends ClsPluginBase {
  constructor() {
    super('nestjs-sessions');
    this.providers = [ClsSession, { provide: APP_INTERCEPTOR, useClass: ContextInterceptor }];
    this.exports = [ClsSession];
    // Where an interceptor begins it, that may come after the one above.
    this.registerHooks({
      useFactory: () => ({
        afterSetup: (cls, context) => {
          if (context.kind === 'interceptor') keepContext(cls, context['ctx'] as ExecutionContext);
        },
      }),
    });
  }
}
