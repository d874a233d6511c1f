import { Injectable } from '@nestjs/common';
import type { SessionEvent } from '../core/model/session-event.js';
import { TOKEN_CHANGE_MEMORY } from '../core/outage/time-budgets.js';
import { SessionCore } from '../core/session-core.js';

const CHANGES: ReadonlySet<SessionEvent['type']> = new Set(['authenticated', 'rotated', 'revoked']);
const WITHDRAWALS: ReadonlySet<SessionEvent['type']> = new Set(['revoked', 'roles-changed']);

interface TokenChange {
  readonly number: number;
  /** In milliseconds of the process's clock. */
  readonly at: number;
}

/**
 * Which sessions were given another token at once, or were ended, in this process and of late. An answer that brings a
 * renewed token can be overtaken by one that brings a newer one.
 */
@Injectable()
export class TokenChanges {
  /** The number of the latest change. */
  latest = 0;
  /** How often sessions were ended, or were given other roles. */
  withdrawals = 0;
  private latestOfAll = 0;
  /** The latest change of each session, the oldest first. */
  private readonly bySession = new Map<string, TokenChange>();

  constructor(core: SessionCore) {
    core.events.stream.subscribe((event) => this.note(event));
  }

  /** @param number `latest`, as it was at some time */
  hasChangedSince(sessionId: string, number: number): boolean {
    return Math.max(this.latestOfAll, this.bySession.get(sessionId)?.number ?? 0) > number;
  }

  private note({ type, sessionId }: SessionEvent): void {
    if (WITHDRAWALS.has(type)) this.withdrawals++;
    if (!CHANGES.has(type)) return;
    this.latest++;
    // Of many at once each would take its place for so long. An answer of another session only brings its token later.
    if (sessionId === null) this.latestOfAll = this.latest;
    else {
      const at = Date.now();
      this.forgetBefore(at - TOKEN_CHANGE_MEMORY);
      this.bySession.delete(sessionId);
      this.bySession.set(sessionId, { number: this.latest, at });
    }
  }

  private forgetBefore(time: number): void {
    for (const [sessionId, { at }] of this.bySession) {
      if (at >= time) return;
      this.bySession.delete(sessionId);
    }
  }
}
