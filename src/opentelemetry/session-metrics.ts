import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { metrics } from '@opentelemetry/api';
import type { Subscription } from 'rxjs';
import { MEASUREMENTS, type Measurements } from '../core/model/measurements.js';
import type { SessionEvent } from '../core/model/session-event.js';
import { SessionService } from '../session.service.js';
import { instrumentsOf } from './instruments.js';

type Listener = (message: unknown) => void;

/**
 * Metrics of sessions, for OpenTelemetry: provide it in any module, after the SDK has its meter provider. No attribute is an id, a
 * token, a user or an address. The measurements are those of the whole process; the events are those of the application.
 */
@Injectable()
export class SessionMetrics implements OnModuleInit, OnModuleDestroy {
  private readonly listeners = new Map<string | symbol, Listener>();
  private subscription: Subscription | null = null;

  /** @internal Nest makes it. */
  constructor(private readonly sessions: SessionService) {}

  /** Asks the global meter provider for its instruments, and begins to listen. */
  onModuleInit(): void {
    const { validations, storeDuration, groupSize, touches, events, purged } = instrumentsOf(
      metrics.getMeter('nestjs-sessions'),
    );
    this.listen('validation', ({ outcome }) => validations.add(1, { outcome }));
    this.listen('storeCall', ({ operation, seconds, isFailed }) =>
      storeDuration.record(seconds, { operation, outcome: isFailed ? 'failed' : 'done' }),
    );
    this.listen('lookupGroup', ({ size }) => groupSize.record(size));
    this.listen('touches', ({ written, dropped }) => {
      if (written > 0) touches.add(written, { outcome: 'written' });
      if (dropped > 0) touches.add(dropped, { outcome: 'dropped' });
    });
    this.subscription = this.sessions.events.subscribe((event) => {
      events.add(1, attributesOf(event));
      if (event.type === 'purged') purged.add(event.count);
    });
  }

  /** Listens no more. */
  onModuleDestroy(): void {
    this.subscription?.unsubscribe();
    for (const [channel, listener] of this.listeners) unsubscribe(channel, listener);
    this.listeners.clear();
  }

  private listen<Name extends keyof Measurements>(
    name: Name,
    listener: (measured: Measurements[Name]) => void,
  ): void {
    const channel = MEASUREMENTS[name].name;
    this.listeners.set(channel, listener as Listener);
    subscribe(channel, listener as Listener);
  }
}

/** Only what has few values: each combination is a time series of its own. */
function attributesOf(event: SessionEvent): Record<string, string> {
  if (event.type === 'revoked') return { type: event.type, reason: event.reason };
  return event.type === 'refused' ? { type: event.type, code: event.code } : { type: event.type };
}
