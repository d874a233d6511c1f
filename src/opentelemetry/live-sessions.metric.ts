import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { metrics, type ObservableGauge, type ObservableResult } from '@opentelemetry/api';
import { SessionService } from '../session.service.js';

/** In milliseconds. However often somebody collects the metrics, the database is asked once in this time. */
const EVERY = 60_000;

/**
 * How many sessions are live, for OpenTelemetry. It is the number of the whole database: provide it in one process, where you have
 * several, or take the greatest of what they say.
 */
@Injectable()
export class LiveSessionsMetric implements OnModuleInit, OnModuleDestroy {
  private gauge: ObservableGauge | null = null;
  private askedAt = -Infinity;
  private estimate: Promise<number | null> = Promise.resolve(null);

  /** @internal Nest makes it. */
  constructor(private readonly sessions: SessionService) {}

  /** Asks the global meter provider for its instrument. */
  onModuleInit(): void {
    this.gauge = metrics.getMeter('nestjs-sessions').createObservableGauge('nestjs_sessions.live', {
      description: 'Live sessions, of users and of nobody; an estimate where there are many.',
      unit: '{session}',
    });
    this.gauge.addCallback(this.observe);
  }

  /** Is collected no more. */
  onModuleDestroy(): void {
    this.gauge?.removeCallback(this.observe);
  }

  private readonly observe = async (result: ObservableResult): Promise<void> => {
    const live = await this.latest();
    if (live !== null) result.observe(live);
  };

  /** By a clock that nobody sets. What could not be asked is no number: neither 0 nor an old one. */
  private latest(): Promise<number | null> {
    if (performance.now() - this.askedAt >= EVERY) {
      this.askedAt = performance.now();
      this.estimate = this.sessions.estimateLive().catch(() => null);
    }
    return this.estimate;
  }
}
