import type { SessionRecord } from '../core/model/record.js';
import type { Touch } from '../core/model/store.js';
import { TOUCH_DISPATCH, TOUCH_PATIENCE, TOUCH_RETRY } from '../core/outage/time-budgets.js';

/** Activity of a session since it was last written. */
export interface NotedTouch extends Touch {
  /**
   * When the first of the noted activity was. The row in the store still has the deadline from before all of it, and by
   * that deadline the session must have been live at this moment. Later activity is covered by the activity before it.
   */
  readonly since: number;
  /** By `performance.now()`. Later it is not written: the session may have ended without it. */
  readonly expendableAt: number;
}

/** By the session's id. A session has several where it was signed in again, or got other roles, in the meantime. */
type NotedTouches = Map<string, readonly NotedTouch[]>;

/** Writes activity, and never fails. @returns what could not be written because its row was locked */
export type WriteTouches = (
  touches: readonly NotedTouch[],
  onSent: () => void,
) => Promise<readonly NotedTouch[]>;

/**
 * Activity on its way to the database. The first is sent at once; what comes while a write is under way goes together in
 * the next one, each session once. So nothing waits for a timer, which a process that is killed after its answer, or
 * frozen between two requests, would take with it; and the more there is, the fewer statements it takes.
 *
 * A row that somebody else holds is passed over, and tried again a little later. Otherwise one such row would stop the
 * activity of everybody, and all that has to wait for it.
 */
export class TouchBuffer {
  private noted: NotedTouches = new Map();
  private beingWritten: NotedTouches = new Map();
  /** Their rows were locked. */
  private resting: NotedTouches = new Map();
  private rest: Promise<void> | null = null;
  private writing: Promise<void> = Promise.resolve();
  /** Of what is to be written next; `null` where nothing is. */
  private dispatch: Dispatch | null = null;

  constructor(private readonly write: WriteTouches) {}

  /** @returns once the activity is on its way to the database; after `TOUCH_DISPATCH` in any case */
  async note({ id, roles, authenticatedAt, lastSeenAt, idleExpiresAt, expiresAt }: Touch): Promise<void> {
    // Not the object that came: it is a whole record, and its data may be large.
    const [since, expendableAt] = [lastSeenAt, performance.now() + TOUCH_PATIENCE];
    const activity = { id, roles, authenticatedAt, lastSeenAt, idleExpiresAt, expiresAt };
    const touch = { ...activity, since, expendableAt };
    if (touchOf(this.resting, touch) !== undefined) return add(this.resting, touch);
    add(this.noted, touch);
    return this.schedule().done;
  }

  /** Writes what was noted until now, but for what belongs to rows that are locked even now. */
  async flush(): Promise<void> {
    // What this write finds locked may be free once it is asked for.
    await this.writing;
    this.wake();
    await this.writing;
  }

  /** Returns once nothing of this session is left to be written, or after `TOUCH_PATIENCE`. */
  async settle(id: string): Promise<void> {
    const deadline = performance.now() + TOUCH_PATIENCE;
    await this.writing;
    while (this.resting.has(id) && performance.now() < deadline) {
      await this.rest;
      await this.writing;
    }
  }

  /**
   * To be called before records are read. What it returns gives them the activity that they will have once it is written:
   * also that which is written while they are read, and which neither the read nor the buffer may know of afterwards.
   */
  overlay(): (record: SessionRecord) => SessionRecord {
    const [noted, beingWritten] = [this.noted, this.beingWritten];
    return (record) => {
      const touch =
        touchOf(this.noted, record) ??
        touchOf(this.beingWritten, record) ??
        touchOf(this.resting, record) ??
        touchOf(noted, record) ??
        touchOf(beingWritten, record);
      if (touch === undefined || touch.lastSeenAt <= record.lastSeenAt) return record;
      // This activity will not be written: the session had expired before it.
      if (record.expiresAt <= touch.since) return record;
      const { lastSeenAt, idleExpiresAt, expiresAt } = touch;
      return { ...record, lastSeenAt, idleExpiresAt, expiresAt };
    };
  }

  private schedule(): Dispatch {
    if (this.dispatch !== null) return this.dispatch;
    const dispatch = new Dispatch();
    this.dispatch = dispatch;
    this.writing = this.writing.then(() => this.writeNoted(dispatch));
    return dispatch;
  }

  private async writeNoted(dispatch: Dispatch): Promise<void> {
    this.dispatch = null;
    this.beingWritten = this.noted;
    this.noted = new Map();
    const locked = await this.write([...this.beingWritten.values()].flat(), () => dispatch.end());
    dispatch.end();
    this.beingWritten = new Map();
    for (const touch of locked) add(this.resting, touch);
    if (this.resting.size > 0) this.rest ??= this.takeRest();
  }

  private takeRest(): Promise<void> {
    return new Promise((resolve) => {
      setTimeout(() => {
        this.wake();
        resolve();
      }, TOUCH_RETRY).unref();
    });
  }

  private wake(): void {
    this.rest = null;
    if (this.resting.size === 0) return;
    for (const touch of [...this.resting.values()].flat()) add(this.noted, touch);
    this.resting = new Map();
    this.schedule();
  }
}

/** Ends when a write has been sent, or when that takes too long: what holds up writes is not to hold up requests. */
class Dispatch {
  readonly done: Promise<void>;
  private readonly timer: NodeJS.Timeout;
  private resolve!: () => void;

  constructor() {
    this.done = new Promise((resolve) => {
      this.resolve = resolve;
    });
    this.timer = setTimeout(this.resolve, TOUCH_DISPATCH);
  }

  end(): void {
    clearTimeout(this.timer);
    this.resolve();
  }
}

/** Of activity of one kind only the latest counts, from the first of it on. */
function add(touches: NotedTouches, touch: NotedTouch): void {
  const present = touchOf(touches, touch);
  if (present === undefined) {
    touches.set(touch.id, [...(touches.get(touch.id) ?? []), touch]);
    return;
  }
  const latest = present.lastSeenAt < touch.lastSeenAt ? touch : present;
  const merged = {
    ...latest,
    since: Math.min(present.since, touch.since),
    expendableAt: Math.min(present.expendableAt, touch.expendableAt),
  };
  const others = touches.get(touch.id)?.filter((each) => each !== present) ?? [];
  touches.set(touch.id, [...others, merged]);
}

/**
 * Activity counts only for the roles and the sign-in that its deadlines were reckoned from: a slow request may have read
 * older ones.
 */
function touchOf(touches: NotedTouches, { id, authenticatedAt, roles }: Touch): NotedTouch | undefined {
  return touches.get(id)?.find((each) => each.authenticatedAt === authenticatedAt && each.roles === roles);
}
