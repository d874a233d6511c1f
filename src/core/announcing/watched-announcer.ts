import type { Announcement, Announcer } from '../model/announcement.js';
import type { UncertainChange } from '../outage/watched-store.js';

/** Tells of each change that is made, and that other nodes may not have heard of. */
export class WatchedAnnouncer implements Announcer {
  constructor(
    private readonly announcer: Announcer,
    private readonly onOutcomeUnknown: (change: UncertainChange) => void,
  ) {}

  async announce(changes: readonly Announcement[]): Promise<void> {
    try {
      await this.announcer.announce(changes);
    } catch (error) {
      for (const change of changes) this.onOutcomeUnknown({ attempt: 'announcement', ...subjectOf(change) });
      throw error;
    }
  }
}

function subjectOf(change: Announcement): Omit<UncertainChange, 'attempt'> {
  if (change.scope === 'session') return { sessionId: change.id };
  return change.scope === 'user' ? { userId: change.id } : {};
}
