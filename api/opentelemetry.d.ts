import type {
  CallHandler,
  ExecutionContext,
  NestInterceptor,
  OnModuleDestroy,
  OnModuleInit,
} from '@nestjs/common';

import type { Observable } from 'rxjs';

export declare class LiveSessionsMetric implements OnModuleInit, OnModuleDestroy {
  onModuleInit(): void;
  onModuleDestroy(): void;
}

export declare class SessionMetrics implements OnModuleInit, OnModuleDestroy {
  onModuleInit(): void;
  onModuleDestroy(): void;
}

export declare class SessionSpanInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown>;
}
