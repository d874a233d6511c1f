import type { Announcement, Announcer } from '../model/announcement.js';
import type { SessionRecord } from '../model/record.js';
import { StoreUnavailableError } from '../model/errors.js';
import {
  type Admission,
  type Admitted,
  type BatchDone,
  type Change,
  type ChangeBatch,
  type EndedSession,
  type Expected,
  type ExpectedOwner,
  type ReuseJudgement,
  type RolesChange,
  type SessionPage,
  SessionStore,
  type Touch,
} from '../model/store.js';

/**
 * The store of an application with several nodes: whatever takes something away is announced before it returns. All verbs
 * pass here, so that none can forget it.
 *
 * It is announced also where nothing was found to take away: another node may have taken it, and still wait. And where the
 * answer of the store was lost: the change may be there.
 */
export class AnnouncingStore extends SessionStore {
  constructor(
    private readonly store: SessionStore,
    private readonly announcer: Announcer,
  ) {
    super();
  }

  findBySeries(seriesHash: string): Promise<SessionRecord | null> {
    return this.store.findBySeries(seriesHash);
  }

  findByAnySeries(seriesHashes: readonly string[]): Promise<SessionRecord | null> {
    return this.store.findByAnySeries(seriesHashes);
  }

  findById(id: string): Promise<SessionRecord | null> {
    return this.store.findById(id);
  }

  override findMany(ids: readonly string[]): Promise<SessionRecord[]> {
    return this.store.findMany(ids);
  }

  latestChange(): Promise<number> {
    return this.store.latestChange();
  }

  findLive(userId: string, now: number, page: SessionPage): Promise<SessionRecord[]> {
    return this.store.findLive(userId, now, page);
  }

  override countLive(below: string, now: number): Promise<number | null> {
    return this.store.countLive(below, now);
  }

  /** Takes away what it evicts. Where its answer was lost, nobody knows which sessions these were. */
  insert(record: SessionRecord, admission: Admission | null): Promise<Admitted> {
    const act = () => this.store.insert(record, admission);
    if (!admission?.limit) return act();
    return this.announcing(act, (admitted) => (admitted ? evictedBy(admitted) : [user(admission.userId)]));
  }

  admit(id: string, expected: ExpectedOwner, change: Change, admission: Admission): Promise<Admitted> {
    return this.announcing(
      () => this.store.admit(id, expected, change, admission),
      (admitted) => [session(id), ...(admitted ? evictedBy(admitted) : [user(admission.userId)])],
    );
  }

  change(id: string, expected: Expected, change: Change): Promise<boolean> {
    const act = () => this.store.change(id, expected, change);
    return takesNothing(change) ? act() : this.announcing(act, () => [session(id)]);
  }

  touch(touch: Touch, durably: boolean): Promise<void> {
    return this.store.touch(touch, durably);
  }

  flush(): Promise<void> {
    return this.store.flush();
  }

  /** Takes nothing away yet. */
  mark(userId: string | null): Promise<number> {
    return this.store.mark(userId);
  }

  setRoles(userId: string, change: RolesChange, batch: ChangeBatch): Promise<BatchDone<number>> {
    return this.announcing(
      () => this.store.setRoles(userId, change, batch),
      () => [user(userId)],
    );
  }

  delete(id: string, userId?: string): Promise<SessionRecord | null> {
    return this.announcing(
      () => this.store.delete(id, userId),
      () => [session(id)],
    );
  }

  deleteExpected(id: string, expected: Expected): Promise<boolean> {
    return this.announcing(
      () => this.store.deleteExpected(id, expected),
      () => [session(id)],
    );
  }

  deleteReused(judgement: ReuseJudgement): Promise<boolean> {
    return this.announcing(
      () => this.store.deleteReused(judgement),
      () => [session(judgement.id)],
    );
  }

  deleteByUser(
    userId: string,
    except: string | null,
    batch: ChangeBatch,
  ): Promise<BatchDone<readonly EndedSession[]>> {
    return this.announcing(
      () => this.store.deleteByUser(userId, except, batch),
      () => [user(userId)],
    );
  }

  deleteAll(createdBefore: number | null, batch: ChangeBatch): Promise<BatchDone<number>> {
    return this.announcing(
      () => this.store.deleteAll(createdBefore, batch),
      () => [{ scope: 'all' }],
    );
  }

  /** What has expired is not answered from memory either. */
  purgeExpired(now: number, signal?: AbortSignal): Promise<number> {
    return this.store.purgeExpired(now, signal);
  }

  override clockSkew(): Promise<number> {
    return this.store.clockSkew();
  }

  /** @param changes what is to be announced; `null`: the answer was lost */
  private async announcing<T>(
    act: () => Promise<T>,
    changes: (answer: T | null) => readonly Announcement[],
  ): Promise<T> {
    let answer: T;
    try {
      answer = await act();
    } catch (error) {
      // Nobody waits for it: the verb has failed, and says so.
      void this.announcer.announce(changes(null)).catch(() => {});
      throw error;
    }
    await settled(this.announcer, changes(answer));
    return answer;
  }
}

/** @throws StoreUnavailableError where it is not certain that all nodes have forgotten */
export async function settled(announcer: Announcer, changes: readonly Announcement[]): Promise<void> {
  if (changes.length === 0) return;
  try {
    await announcer.announce(changes);
  } catch (cause) {
    const message = 'The change is made, but other nodes may not know of it yet: repeat the call.';
    throw new StoreUnavailableError(message, { cause });
  }
}

export function session(id: string): Announcement {
  return { scope: 'session', id };
}

function user(id: string): Announcement {
  return { scope: 'user', id };
}

function evictedBy(admitted: Admitted): readonly Announcement[] {
  return admitted.outcome === 'admitted' ? admitted.evicted.map(({ id }) => session(id)) : [];
}

const HARMLESS: ReadonlySet<string> = new Set([
  'confirmedAt',
  'successor',
  'ignoredFrom',
] satisfies (keyof Change)[]);

/**
 * A renewal leaves the earlier token alone, and whoever holds a record from before it sees by the record itself that it
 * is due. Whatever is not known to be harmless is announced.
 */
function takesNothing(change: Change): boolean {
  return change.previousKind === 'renewal' || Object.keys(change).every((field) => HARMLESS.has(field));
}
