import type { SessionEvents } from '../events/session-events.js';
import type { SessionStore } from '../model/store.js';

/** Removes what is left of sessions that have expired. */
export class Purge {
  constructor(
    private readonly store: SessionStore,
    private readonly events: SessionEvents,
    private readonly rules: { readonly clock: () => number },
  ) {}

  /** Until `signal` says to stop; how many sessions. */
  async purgeExpired(signal?: AbortSignal): Promise<number> {
    const count = await this.store.purgeExpired(this.rules.clock(), signal);
    if (count > 0) this.events.emit({ type: 'purged', count });
    return count;
  }
}
