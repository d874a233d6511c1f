import type { SessionRecord } from '../core/model/record.js';
import type { Touch } from '../core/model/store.js';
import { TOUCH_DELAY } from '../core/outage/time-budgets.js';

/** Activity of a session since it was last written. */
export interface NotedTouch extends Touch {
  /**
   * When the first of the noted activity was. The row in the store still has the deadline from before all of it, and by
   * that deadline the session must have been live at this moment. Later activity is covered by the activity before it.
   */
  readonly since: number;
}

/** By the session's id. A session has several where it was signed in again, or got other roles, in the meantime. */
type NotedTouches = Map<string, readonly NotedTouch[]>;

/** Activity that is noted but not written yet. */
export class TouchBuffer {
  private noted: NotedTouches = new Map();
  private timer: NodeJS.Timeout | null = null;
  private writing: Promise<void> = Promise.resolve();
  private beingWritten: NotedTouches = new Map();

  /** @param write never fails */
  constructor(private readonly write: (touches: readonly NotedTouch[]) => Promise<void>) {}

  note(touch: Touch): void {
    const earlier = touchOf(this.noted, touch);
    if (earlier === undefined || earlier.lastSeenAt < touch.lastSeenAt) {
      // Not the object that came: it is a whole record, and its data may be large.
      const { id, roles, authenticatedAt, lastSeenAt, idleExpiresAt, expiresAt } = touch;
      const since = earlier?.since ?? lastSeenAt;
      const others = this.noted.get(id)?.filter((each) => each !== earlier) ?? [];
      this.noted.set(id, [
        ...others,
        { id, roles, authenticatedAt, lastSeenAt, idleExpiresAt, expiresAt, since },
      ]);
    }
    this.timer ??= setTimeout(() => void this.flush(), TOUCH_DELAY).unref();
  }

  /** Writes what was noted until now. */
  flush(): Promise<void> {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.writing = this.writing.then(async () => {
      this.beingWritten = this.noted;
      this.noted = new Map();
      if (this.beingWritten.size > 0) await this.write([...this.beingWritten.values()].flat());
      this.beingWritten = new Map();
    });
    return this.writing;
  }

  /** The record as it will be once its activity is written. */
  apply(record: SessionRecord): SessionRecord {
    const touch = touchOf(this.noted, record) ?? touchOf(this.beingWritten, record);
    if (touch === undefined || touch.lastSeenAt <= record.lastSeenAt) return record;
    // This activity will not be written: the session had expired before it.
    if (record.expiresAt <= touch.since) return record;
    const { lastSeenAt, idleExpiresAt, expiresAt } = touch;
    return { ...record, lastSeenAt, idleExpiresAt, expiresAt };
  }
}

/**
 * Activity counts only for the roles and the sign-in that its deadlines were reckoned from: a slow request may have read
 * older ones.
 */
function touchOf(touches: NotedTouches, { id, authenticatedAt, roles }: Touch): NotedTouch | undefined {
  return touches.get(id)?.find((each) => each.authenticatedAt === authenticatedAt && each.roles === roles);
}
