import { LRUCache } from 'lru-cache';
import type { Announcement } from '../core/model/announcement.js';
import type { NearMemory, ReadBegun } from '../core/model/near-memory.js';
import type { SessionRecord } from '../core/model/record.js';
import { NEAR_CACHE_AGE } from '../core/outage/time-budgets.js';
import { AnnouncementRing } from './announcement-ring.js';
import type { NodeTime } from './node-time.js';

/** What a record without data takes, with its places in the indexes: measured. */
const BYTES_EACH = 1_500;

interface Kept {
  record: SessionRecord;
  /** When the read of it began. */
  readonly readAt: number;
}

/** Whether this node may answer from memory. */
export interface Permission {
  readonly isMember: boolean;
  mayAnswer(): boolean;
}

/** Records as they were read, by their series. */
export class NearCache implements NearMemory {
  private readonly ring = new AnnouncementRing();
  private readonly bySeries: LRUCache<string, Kept>;
  private readonly seriesById = new Map<string, string>();
  private readonly seriesByUser = new Map<string, Set<string>>();

  constructor(
    private readonly permission: Permission,
    private readonly time: NodeTime,
    maxBytes: number,
  ) {
    this.bySeries = new LRUCache({
      maxSize: maxBytes,
      // A character of what is not Latin takes two bytes.
      sizeCalculation: ({ record }) => BYTES_EACH + 2 * (record.data.length + record.roles.length),
      dispose: ({ record }, series) => this.unlink(record, series),
    });
  }

  /** How many sessions it holds. */
  get size(): number {
    return this.bySeries.size;
  }

  recall(seriesHash: string): SessionRecord | null {
    if (!this.permission.mayAnswer()) return null;
    const kept = this.bySeries.get(seriesHash);
    if (kept === undefined) return null;
    if (this.time.monotonic() - kept.readAt < NEAR_CACHE_AGE) return kept.record;
    this.bySeries.delete(seriesHash);
    return null;
  }

  beginRead(): ReadBegun {
    return { at: this.time.monotonic(), changesHeard: this.ring.count };
  }

  keep(record: SessionRecord, { at, changesHeard }: ReadBegun): void {
    if (!this.permission.isMember || this.ring.hasNotedSince(changesHeard, record)) return;
    const { id, seriesHash, userId } = record;
    const former = this.seriesById.get(id);
    if (former !== undefined) this.bySeries.delete(former);
    if (!this.bySeries.set(seriesHash, { record, readAt: at }).has(seriesHash)) return; // too large
    this.seriesById.set(id, seriesHash);
    if (userId === null) return;
    const ofUser = this.seriesByUser.get(userId);
    if (ofUser) ofUser.add(seriesHash);
    else this.seriesByUser.set(userId, new Set([seriesHash]));
  }

  /** As in the store: only where it has the roles and the sign-in that the deadlines were reckoned from. */
  touch({ seriesHash, roles, authenticatedAt, lastSeenAt, idleExpiresAt, expiresAt }: SessionRecord): void {
    const kept = this.bySeries.peek(seriesHash);
    if (kept === undefined || kept.record.lastSeenAt >= lastSeenAt) return;
    if (kept.record.roles !== roles || kept.record.authenticatedAt !== authenticatedAt) return;
    kept.record = { ...kept.record, lastSeenAt, idleExpiresAt, expiresAt };
  }

  /** Drops what is named, also from reads that are under way. */
  forget(announcements: readonly Announcement[]): void {
    for (const announcement of announcements) {
      this.ring.note(announcement);
      this.drop(announcement);
    }
  }

  private drop(announcement: Announcement): void {
    switch (announcement.scope) {
      case 'session': {
        const series = this.seriesById.get(announcement.id);
        if (series !== undefined) this.bySeries.delete(series);
        return;
      }
      case 'series':
        this.bySeries.delete(announcement.id);
        return;
      case 'user':
        for (const series of this.seriesByUser.get(announcement.id) ?? []) this.bySeries.delete(series);
        return;
      case 'all':
        this.bySeries.clear();
    }
  }

  private unlink({ id, userId }: SessionRecord, series: string): void {
    if (this.seriesById.get(id) === series) this.seriesById.delete(id);
    if (userId === null) return;
    const ofUser = this.seriesByUser.get(userId);
    ofUser?.delete(series);
    if (ofUser?.size === 0) this.seriesByUser.delete(userId);
  }
}
