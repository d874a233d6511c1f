import type { Opened } from '../core/life/continuation.js';
import type { EntryRule } from './entry.js';
import { Few } from './few.js';

/** One socket or stream that a session has opened in this process. */
export interface Seat {
  readonly opened: Opened;
  /** `null` for a session of nobody. */
  readonly userId: string | null;
  /** Who may go on. */
  readonly entry: EntryRule;
  /** Ends it, and tells its client why. */
  close(code: string): void;
}

/** All seats of one session. */
export interface SeatGroup {
  readonly sessionId: string;
  readonly userId: string | null;
  readonly seats: Few<Seat>;
  /** When its session ends, as far as was known at the last look; epoch milliseconds. */
  deadline: number;
  /** Its place in the wheel. */
  due: number;
}

/** Who sits where, by session and by user. */
export class Seats {
  private readonly bySession = new Map<string, SeatGroup>();
  private readonly byUser = new Map<string, Few<SeatGroup>>();

  /** How many sessions have seats. */
  get size(): number {
    return this.bySession.size;
  }

  get(sessionId: string): SeatGroup | undefined {
    return this.bySession.get(sessionId);
  }

  /** The ids of the sessions of a user. */
  idsOf(userId: string): string[] {
    return Array.from(this.byUser.get(userId) ?? [], ({ sessionId }) => sessionId);
  }

  ids(): Iterable<string> {
    return this.bySession.keys();
  }

  add(seat: Seat): SeatGroup {
    const { userId, opened } = seat;
    const { sessionId } = opened;
    let group = this.bySession.get(sessionId);
    if (group === undefined) {
      group = { sessionId, userId, seats: new Few(), deadline: Infinity, due: 0 };
      this.bySession.set(sessionId, group);
      if (userId !== null) this.enter(userId, group);
    }
    group.seats.add(seat);
    return group;
  }

  /** @returns its group, where that is empty now; `null` otherwise, and where it had left before */
  remove(seat: Seat): SeatGroup | null {
    const group = this.bySession.get(seat.opened.sessionId);
    if (!group?.seats.delete(seat) || group.seats.size > 0) return null;
    this.bySession.delete(group.sessionId);
    const ofUser = group.userId === null ? undefined : this.byUser.get(group.userId);
    ofUser?.delete(group);
    if (group.userId !== null && ofUser?.size === 0) this.byUser.delete(group.userId);
    return group;
  }

  private enter(userId: string, group: SeatGroup): void {
    let ofUser = this.byUser.get(userId);
    if (ofUser === undefined) this.byUser.set(userId, (ofUser = new Few()));
    ofUser.add(group);
  }
}
