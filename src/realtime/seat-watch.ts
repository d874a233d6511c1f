import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { SessionCluster } from '../cluster/session-cluster.js';
import type { Announcement } from '../core/model/announcement.js';
import type { SessionRecord } from '../core/model/record.js';
import type { SessionEvent } from '../core/model/session-event.js';
import { FOUND_AT_ONCE } from '../core/model/store.js';
import { SessionCore } from '../core/session-core.js';
import { SessionException, SessionExpiredException, refusalOf } from '../session.exceptions.js';
import { DeadlineWheel, TICK } from './deadline-wheel.js';
import { assertEntry } from './entry.js';
import { type Seat, type SeatGroup, Seats } from './seats.js';
import { SlicedWork } from './sliced-work.js';
import type { Ticket } from './ticket.js';

/** After so many milliseconds it is tried again to look, where the store did not answer. */
const RETRY = 1_000;

const ENDED = refusalOf('unknown').code;
const EXPIRED = new SessionExpiredException().code;

/**
 * Ends what a session has opened, with the session: at once where this process hears of it, and otherwise when it is looked
 * again. Without an answer of the store it stays open until the deadline that was known.
 */
@Injectable()
export class SeatWatch implements OnApplicationShutdown {
  /** How many changes were heard of. Who read a session before the latest one has to look again. */
  changesHeard = 0;
  private readonly seats = new Seats();
  private readonly wheel = new DeadlineWheel();
  private readonly logger = new Logger('SessionSockets');
  private readonly closing = new SlicedWork((error) => this.logger.error(error));
  private readonly wanted = new Set<string>();
  private isLooking = false;
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly core: SessionCore,
    { node }: SessionCluster,
  ) {
    core.events.stream.subscribe((event) => this.hear(event));
    node?.onForgetting((changes) => this.hearOf(changes));
  }

  onApplicationShutdown(): void {
    this.stopTimer();
  }

  /** Takes a seat; it is left by `leave`, or by the end of its session. */
  sit(seat: Seat, { deadline, checkedAt, changesHeard }: Ticket): void {
    const group = this.seats.add(seat);
    group.deadline = Math.min(group.deadline, deadline);
    this.plan(group, checkedAt);
    this.timer ??= setInterval(() => this.turn(), TICK).unref();
    this.lookAgain(seat, changesHeard);
  }

  /** Where something has changed since so many changes were heard of. */
  lookAgain({ opened }: Seat, changesHeard: number): void {
    if (changesHeard !== this.changesHeard) this.look([opened.sessionId]);
  }

  leave(seat: Seat): void {
    const group = this.seats.remove(seat);
    if (group === null) return;
    this.wheel.drop(group);
    if (this.seats.size === 0) this.stopTimer();
  }

  /** Ends one seat, because of the refusal with this code. */
  end(seat: Seat, code: string): void {
    this.leave(seat);
    this.closing.add(() => seat.close(code));
  }

  private hear(event: SessionEvent): void {
    const { type, origin, sessionId, userId } = event;
    if (!CHANGES.has(type)) return;
    this.changesHeard++;
    // What happens elsewhere is announced too, and is looked for then.
    if (origin === 'other') return;
    if (type === 'revoked' && event.count === undefined) this.endAll(event.sessionIds, ENDED);
    else if (type === 'revoked') this.look(this.seats.ids());
    else if (type === 'roles-changed') this.look(userId === null ? [] : this.seats.idsOf(userId));
    else if (sessionId !== null) this.look([sessionId]);
  }

  private hearOf(changes: readonly Announcement[]): void {
    this.changesHeard++;
    for (const change of changes) {
      if (change.scope === 'session') this.look([change.id]);
      else if (change.scope === 'user') this.look(this.seats.idsOf(change.id));
      // A series is not known here: what is found by it has no session any more.
      else this.look(this.seats.ids());
    }
  }

  private endAll(sessionIds: readonly string[], code: string): void {
    for (const id of sessionIds) for (const seat of this.seats.get(id)?.seats ?? []) this.end(seat, code);
  }

  private turn(): void {
    this.look(this.wheel.take(this.core.options.clock()));
  }

  private look(sessionIds: Iterable<string>): void {
    for (const id of sessionIds) if (this.seats.get(id) !== undefined) this.wanted.add(id);
    if (!this.isLooking && this.wanted.size > 0) void this.lookAtAll();
  }

  /** One group after the other. What is wanted anew while a read is under way is read again. */
  private async lookAtAll(): Promise<void> {
    this.isLooking = true;
    while (this.wanted.size > 0) {
      const ids: string[] = [];
      for (const id of this.wanted) {
        if (ids.length === FOUND_AT_ONCE) break;
        this.wanted.delete(id);
        ids.push(id);
      }
      await this.lookAt(ids);
    }
    this.isLooking = false;
  }

  private async lookAt(ids: readonly string[]): Promise<void> {
    const records = await this.core.continuation.read(ids).catch(() => null);
    const now = this.core.options.clock();
    for (const id of ids) {
      const group = this.seats.get(id);
      if (group === undefined) continue;
      if (records === null) this.hold(group, now);
      else this.judgeOrEnd(group, records.get(id) ?? null, now);
    }
  }

  /** A row that cannot be read ends its own session, and keeps nobody from looking at the others. */
  private judgeOrEnd(group: SeatGroup, record: SessionRecord | null, now: number): void {
    try {
      this.judge(group, record, now);
    } catch (error) {
      this.logger.error(error);
      this.endAll([group.sessionId], ENDED);
    }
  }

  /** The store did not answer: nobody is thrown out on a doubt, and nobody stays beyond what was known. */
  private hold(group: SeatGroup, now: number): void {
    if (now >= group.deadline) return this.endAll([group.sessionId], EXPIRED);
    this.wheel.plan(group, Math.min(group.deadline, now + RETRY));
  }

  private judge(group: SeatGroup, record: SessionRecord | null, now: number): void {
    // What has expired may have been purged since.
    if (record === null) return this.endAll([group.sessionId], now >= group.deadline ? EXPIRED : ENDED);
    for (const seat of group.seats) {
      const verdict = this.core.continuation.judge(seat.opened, record);
      if (verdict.reason !== undefined) this.end(seat, refusalOf(verdict.reason).code);
      else this.assertStay(seat, verdict.policy.roles);
    }
    group.deadline = this.core.policy.of(record.roles).expiresAt(record);
    if (group.seats.size > 0) this.plan(group, now);
  }

  private assertStay(seat: Seat, roles: readonly string[]): void {
    try {
      assertEntry(seat.entry, { userId: seat.userId, roles });
    } catch (error) {
      if (!(error instanceof SessionException)) throw error;
      this.end(seat, error.code);
    }
  }

  /** Not all at once, although they came at once. */
  private plan(group: SeatGroup, checkedAt: number): void {
    const { recheckEvery } = this.core.options;
    const at = checkedAt + recheckEvery * (0.5 + Math.random() / 2);
    this.wheel.plan(group, Math.min(at, group.deadline));
  }

  private stopTimer(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }
}

/** What may have taken something from a session. */
const CHANGES: ReadonlySet<SessionEvent['type']> = new Set([
  'revoked',
  'expired',
  'roles-changed',
  'rotated',
  'authenticated',
]);
