import { Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { SessionService } from '../session.service.js';

/** As an id looks; no session has it. */
const NOBODYS_ID = '00000000-0000-7000-8000-000000000000';

/** Whether sessions can be checked: for @nestjs/terminus. */
@Injectable()
export class SessionHealthIndicator {
  /** @internal Nest makes it. */
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly sessions: SessionService,
  ) {}

  /**
   * Reads one row of the session store by its key, as a request does: `down` after at most the five seconds that a request
   * waits. Why is in the log of the application, and not in the answer.
   *
   * @param key the name in the answer
   */
  async isHealthy<const Key extends string = 'sessions'>(
    key: Key = 'sessions' as Key,
  ): Promise<HealthIndicatorResult<Key>> {
    const indicator = this.indicators.check(key);
    try {
      await this.sessions.get(NOBODYS_ID);
      return indicator.up();
    } catch {
      return indicator.down('The session store is unavailable.');
    }
  }
}
