import type { Announcement } from '../core/model/announcement.js';
import type { SessionRecord } from '../core/model/record.js';

const LENGTH = 4_096;

/** The latest announcements: what was read while one of them came may be from before it. */
export class AnnouncementRing {
  /** How many there were. */
  count = 0;
  private readonly latest: Announcement[] = [];

  note(announcement: Announcement): void {
    this.latest[this.count++ % LENGTH] = announcement;
  }

  /** Whether one of those after the first `count` is about this session. So are those that are forgotten. */
  hasNotedSince(count: number, record: SessionRecord): boolean {
    if (this.count - count > LENGTH) return true;
    for (let at = count; at < this.count; at++) {
      if (concerns(this.latest[at % LENGTH] as Announcement, record)) return true;
    }
    return false;
  }
}

function concerns(announcement: Announcement, { id, seriesHash, userId }: SessionRecord): boolean {
  switch (announcement.scope) {
    case 'session':
      return announcement.id === id;
    case 'series':
      return announcement.id === seriesHash;
    case 'user':
      return announcement.id === userId;
    case 'all':
      return true;
  }
}
