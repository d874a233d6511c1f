import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { SessionCore } from '../core/session-core.js';
import { SessionService } from '../session.service.js';

/** Nodes that were started together must not purge together. */
const JITTER = 0.2;

/**
 * Removes expired sessions again and again. It has a timer of its own, since `ScheduleModule.forRoot()` inside a
 * library makes the application's own jobs run twice on Nest 11 and later.
 */
@Injectable()
export class SessionPurge implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('SessionPurge');
  private timer: NodeJS.Timeout | null = null;
  private running: Promise<void> = Promise.resolve();
  private readonly stop = new AbortController();

  constructor(
    private readonly sessions: SessionService,
    private readonly core: SessionCore,
  ) {}

  onApplicationBootstrap(): void {
    this.schedule();
  }

  async onModuleDestroy(): Promise<void> {
    this.stop.abort();
    if (this.timer !== null) clearTimeout(this.timer);
    await this.running;
  }

  /** The next run is set when the last has ended: they never overlap. */
  private schedule(): void {
    const { purge } = this.core.options;
    if (purge === null || this.stop.signal.aborted) return;
    const delay = purge.every * (1 - JITTER * Math.random());
    this.timer = setTimeout(() => {
      this.running = this.run().then(() => this.schedule());
    }, delay).unref();
  }

  private async run(): Promise<void> {
    try {
      await this.sessions.purgeExpired(this.stop.signal);
    } catch (error) {
      this.logger.warn(`Expired sessions could not be purged, and will be next time: ${String(error)}`);
    }
  }
}
