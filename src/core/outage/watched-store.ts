import { InvalidArgumentError, StoreRejectedError, StoreUnavailableError } from '../model/errors.js';
import type { SessionRecord } from '../model/record.js';
import type { Attempt } from '../model/session-event.js';
import {
  type Admission,
  type Admitted,
  type ChangeBatch,
  type Change,
  type BatchDone,
  type EndedSession,
  type Expected,
  type ExpectedOwner,
  type SessionPage,
  type ReuseJudgement,
  type RolesChange,
  SessionStore,
  type Touch,
} from '../model/store.js';
import { measuredCall } from '../model/measurements.js';
import { Deadline } from './deadline.js';
import { Patience } from './patience.js';

export interface OutageReporter {
  onOutage(cause: unknown): void;
  onRecovery(): void;
}

/** A change of which nobody knows whether it was made, or whether all nodes know of it. */
export interface UncertainChange {
  readonly attempt: Attempt;
  readonly sessionId?: string;
  readonly userId?: string | null;
}

/** What may be expected of an answer. */
interface Expectation {
  /** Whether it must come within `STORE_PATIENCE`. */
  readonly isBounded: boolean;
  /** Whether it tells that the store is there. */
  readonly isTelling: boolean;
}

const SOON: Expectation = { isBounded: true, isTelling: true };
/** Succeeds whether the store is there or not: activity may be only noted. */
const SOON_UNTELLING: Expectation = { isBounded: true, isTelling: false };
/** Takes as long as it needs, for as many rows as there are. */
const WHENEVER: Expectation = { isBounded: false, isTelling: true };
const WHENEVER_UNTELLING: Expectation = { isBounded: false, isTelling: false };

type Operation = Exclude<keyof SessionStore, 'clockSkew'>;

const REVOCATION = { attempt: 'revocation' } as const;

/**
 * The store, but whatever goes wrong in it, and an answer that does not come, is a `StoreUnavailableError`; an outage
 * is reported once, not once per request. A store that refuses what it was given is there: that is no outage.
 *
 * What changes something has a `Deadline`. A change that nobody knows the outcome of is told, each of them.
 */
export class WatchedStore extends SessionStore {
  private readonly patience = new Patience();
  private isDown = false;
  private calls = 0;
  /** How many calls had been made when the store was last seen to go or to come back. */
  private callsAtChange = 0;

  constructor(
    private readonly store: SessionStore,
    private readonly reporter: OutageReporter,
    private readonly onOutcomeUnknown: (change: UncertainChange) => void = () => {},
  ) {
    super();
  }

  findBySeries(seriesHash: string): Promise<SessionRecord | null> {
    return this.watch('findBySeries', SOON, () => this.store.findBySeries(seriesHash));
  }

  findByAnySeries(seriesHashes: readonly string[]): Promise<SessionRecord | null> {
    return this.watch('findByAnySeries', SOON, () => this.store.findByAnySeries(seriesHashes));
  }

  findById(id: string): Promise<SessionRecord | null> {
    return this.watch('findById', SOON, () => this.store.findById(id));
  }

  override findMany(ids: readonly string[]): Promise<SessionRecord[]> {
    return this.watch('findMany', SOON, () => this.store.findMany(ids));
  }

  latestChange(): Promise<number> {
    return this.watch('latestChange', SOON, () => this.store.latestChange());
  }

  findLive(userId: string, now: number, page: SessionPage): Promise<SessionRecord[]> {
    return this.watch('findLive', SOON, () => this.store.findLive(userId, now, page));
  }

  override countLive(below: string, now: number): Promise<number | null> {
    return this.watch('countLive', SOON, () => this.store.countLive(below, now));
  }

  insert(record: SessionRecord, admission: Admission | null): Promise<Admitted> {
    const { id: sessionId, userId } = record;
    return this.within('insert', { attempt: 'sign-in', sessionId, userId }, () =>
      this.store.insert(record, admission),
    );
  }

  admit(id: string, expected: ExpectedOwner, change: Change, admission: Admission): Promise<Admitted> {
    const about = { attempt: 'sign-in', sessionId: id, userId: admission.userId } as const;
    return this.within('admit', about, () => this.store.admit(id, expected, change, admission));
  }

  change(id: string, expected: Expected, change: Change): Promise<boolean> {
    return this.within('change', { attempt: 'change', sessionId: id }, () =>
      this.store.change(id, expected, change),
    );
  }

  touch(touch: Touch, durably: boolean): Promise<void> {
    return this.watch('touch', SOON_UNTELLING, () => this.store.touch(touch, durably));
  }

  flush(): Promise<void> {
    return this.watch('flush', WHENEVER_UNTELLING, () => this.store.flush());
  }

  mark(userId: string | null): Promise<number> {
    return this.within('mark', { attempt: 'mark', userId }, () => this.store.mark(userId));
  }

  setRoles(userId: string, change: RolesChange, batch: ChangeBatch): Promise<BatchDone<number>> {
    return this.within('setRoles', { attempt: 'roles', userId }, () =>
      this.store.setRoles(userId, change, batch),
    );
  }

  delete(id: string, userId?: string): Promise<SessionRecord | null> {
    return this.within('delete', { ...REVOCATION, sessionId: id }, () => this.store.delete(id, userId));
  }

  deleteExpected(id: string, expected: Expected): Promise<boolean> {
    return this.within('deleteExpected', { ...REVOCATION, sessionId: id }, () =>
      this.store.deleteExpected(id, expected),
    );
  }

  deleteReused(judgement: ReuseJudgement): Promise<boolean> {
    return this.within('deleteReused', { ...REVOCATION, sessionId: judgement.id }, () =>
      this.store.deleteReused(judgement),
    );
  }

  deleteByUser(
    userId: string,
    except: string | null,
    batch: ChangeBatch,
  ): Promise<BatchDone<readonly EndedSession[]>> {
    return this.within('deleteByUser', { ...REVOCATION, userId }, () =>
      this.store.deleteByUser(userId, except, batch),
    );
  }

  deleteAll(createdBefore: number | null, batch: ChangeBatch): Promise<BatchDone<number>> {
    return this.within('deleteAll', REVOCATION, () => this.store.deleteAll(createdBefore, batch));
  }

  purgeExpired(now: number, signal?: AbortSignal): Promise<number> {
    return this.watch('purgeExpired', WHENEVER, () => this.store.purgeExpired(now, signal));
  }

  /** Asked for no request. Whether the store is there is told by what requests find: that says more of what is wrong. */
  override async clockSkew(): Promise<number> {
    try {
      return await this.patience.within(this.store.clockSkew());
    } catch (cause) {
      throw unavailable(cause);
    }
  }

  /** What changes something. After its deadline nothing of it starts, in this class or in the store. */
  private async within<T>(operation: Operation, change: UncertainChange, ask: () => Promise<T>): Promise<T> {
    const deadline = Deadline.ofCall();
    deadline.assertAhead();
    return this.telling(change, deadline, () => this.watch(operation, SOON, () => deadline.run(ask)));
  }

  private async telling<T>(change: UncertainChange, deadline: Deadline, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } finally {
      if (deadline.isOutcomeUnknown) this.onOutcomeUnknown(change);
    }
  }

  private async watch<T>(operation: Operation, expectation: Expectation, ask: () => Promise<T>): Promise<T> {
    const call = ++this.calls;
    try {
      const asked = measuredCall(operation, ask);
      const answer = await (expectation.isBounded ? this.patience.within(asked) : asked);
      this.noteAnswer(expectation, call);
      return answer;
    } catch (cause) {
      if (cause instanceof StoreRejectedError || cause instanceof InvalidArgumentError) {
        this.noteAnswer(expectation, call);
        throw cause;
      }
      this.note(true, call, () => this.reporter.onOutage(cause));
      throw unavailable(cause);
    }
  }

  private noteAnswer({ isTelling }: Expectation, call: number): void {
    if (this.isDown && isTelling) this.note(false, call, () => this.reporter.onRecovery());
  }

  /**
   * An answer tells how the store was when it was asked. One that was asked before the last change comes late: it would
   * report a recovery in the middle of an outage, or an outage that is over.
   */
  private note(isDown: boolean, call: number, report: () => void): void {
    if (this.isDown === isDown || call <= this.callsAtChange) return;
    this.isDown = isDown;
    this.callsAtChange = this.calls;
    report();
  }
}

function unavailable(cause: unknown): StoreUnavailableError {
  return new StoreUnavailableError('The session store is unavailable.', { cause: withoutValues(cause) });
}

/** Drivers put the statement's parameters on their errors, and error trackers send them away. */
function withoutValues(cause: unknown): Error {
  const { name, message, stack } = cause instanceof Error ? cause : new Error(String(cause));
  return Object.assign(new Error(message), { name, stack });
}
