import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { NOTICEABLE_SKEW } from '../core/clock/shared-clock.js';
import { SessionCore } from '../core/session-core.js';

/** In milliseconds. A clock that jumps is set right after this. */
const EVERY = 60_000;

/** Compares this machine's clock with the store's, when the application starts and again and again, and tells of skew. */
@Injectable()
export class ClockWatch implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Sessions');
  private timer: NodeJS.Timeout | null = null;
  private told = 0;

  constructor(private readonly core: SessionCore) {}

  async onApplicationBootstrap(): Promise<void> {
    this.timer = setInterval(() => void this.look(), EVERY).unref();
    await this.look();
  }

  onModuleDestroy(): void {
    if (this.timer !== null) clearInterval(this.timer);
  }

  private async look(): Promise<void> {
    // A store that cannot be reached is told of elsewhere, and is asked again.
    const skew = await this.core.clock.adjust().catch(() => null);
    if (skew === null || Math.abs(skew - this.told) < NOTICEABLE_SKEW) return;
    this.told = skew;
    if (skew === 0) this.logger.log('The clock of this machine is right again.');
    else
      this.logger.warn(
        `The clock of this machine is ${Math.abs(skew)} ms ${skew > 0 ? 'behind' : 'ahead of'} that of the session store. ` +
          'Sessions go by the store’s. Synchronise both (NTP).',
      );
  }
}
