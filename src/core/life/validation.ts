import type { SessionEvents } from '../events/session-events.js';
import { judge } from '../token/judgement.js';
import type { SessionPolicy } from '../policy/policy.js';
import type { SessionRecord } from '../model/record.js';
import type { RefusalReason } from '../model/session.js';
import type { SessionStore } from '../model/store.js';
import type { HashedToken, TokenFormat } from '../token/token.js';

/** Activity is written behind only where a delay cannot let a session end early, in milliseconds. */
const WRITE_BEHIND_MARGIN = 5_000;

/** A token that is accepted, and the record it is accepted for. */
export interface Accepted {
  readonly record: SessionRecord;
  readonly token: HashedToken;
  readonly reason?: undefined;
}

/** A token that is not; `record` where its session exists. */
export interface Refused {
  readonly record: SessionRecord | null;
  readonly reason: RefusalReason;
}

/** How a token was shown. */
export interface Showing {
  /** Whether the request holds off the idle timeout. Default: true. */
  readonly isActivity?: boolean;
  /** When it arrived; default: now. */
  readonly arrivedAt?: number;
}

export interface ValidationRules {
  readonly grace: number;
  readonly onReuse: 'revoke' | 'report';
  readonly clock: () => number;
}

/** Decides whether a token is accepted, on the state of the store at a moment after the token was shown. */
export class TokenValidation {
  constructor(
    private readonly store: SessionStore,
    private readonly tokens: TokenFormat,
    private readonly policy: SessionPolicy,
    private readonly events: SessionEvents,
    private readonly rules: ValidationRules,
  ) {}

  /** @param shown anything */
  async validate(shown: unknown, showing: Showing = {}): Promise<Accepted | Refused> {
    const token = this.tokens.read(shown);
    if (token === null) return { record: null, reason: 'malformed' };
    const verdict = await this.look(token, showing.arrivedAt);
    if (verdict.reason !== undefined) return verdict;
    // Nearly every request has nothing to write.
    const accepted = isFirstShown(verdict) ? await this.confirm(verdict) : verdict;
    const isTouched = showing.isActivity !== false && this.isTouchDue(accepted);
    return isTouched ? this.touch(accepted) : accepted;
  }

  /** The session that a token belongs or belonged to, whether the token is accepted or not. */
  async find(token: HashedToken): Promise<SessionRecord | null> {
    return (await this.store.findBySeries(token.seriesHash)) ?? (await this.findLater(token));
  }

  /** After rotations by id, which put a series of their own in the place of the token's. */
  private findLater({ seriesHash }: HashedToken): Promise<SessionRecord | null> {
    return this.store.findByAnySeries(this.tokens.laterSeries(seriesHash));
  }

  /** Judges a token on the newest state of its session, and changes nothing unless it was reused. */
  async look(token: HashedToken, arrivedAt = this.rules.clock()): Promise<Accepted | Refused> {
    // As `find` does, which would be one more promise for every request.
    const record = (await this.store.findBySeries(token.seriesHash)) ?? (await this.findLater(token));
    if (record === null) return { record, reason: 'unknown' };
    const now = this.rules.clock();
    const shownAt = Math.min(now, arrivedAt);
    const standing = judge(record, token.tokenHash, now, shownAt, this.rules.grace);
    if (standing === 'reused') await this.detectReuse(record, token, shownAt);
    if (standing === 'reused' || standing === 'rotated') return { record, reason: standing };
    if (!this.policy.isLive(record, now)) {
      this.events.emit({ type: 'expired' }, record);
      return { record, reason: 'expired' };
    }
    return { record, token };
  }

  /** Notes that the newest token has arrived at the client; from then on the sealed copy of it is not needed. */
  private async confirm({ record, token }: Accepted): Promise<Accepted> {
    const change = { confirmedAt: this.rules.clock(), successor: null };
    await this.store.change(record.id, { tokenHash: record.tokenHash, confirmedAt: null }, change);
    return { record: { ...record, ...change }, token };
  }

  private isTouchDue({ record: { roles, lastSeenAt } }: Accepted): boolean {
    const age = this.rules.clock() - lastSeenAt;
    return age > 0 && age >= this.policy.of(roles).touchEvery;
  }

  private async touch({ record, token }: Accepted): Promise<Accepted> {
    const now = this.rules.clock();
    const { touchEvery } = this.policy.of(record.roles);
    const touched = { ...record, lastSeenAt: now };
    const active = { ...touched, ...this.policy.deadlines(touched) };
    const isUrgent = record.idleExpiresAt - now < Math.max(2 * touchEvery, WRITE_BEHIND_MARGIN);
    await this.store.touch(active, isUrgent).catch(() => {}); // activity that is lost is no reason to refuse
    return { record: active, token };
  }

  private async detectReuse(record: SessionRecord, token: HashedToken, shownAt: number): Promise<void> {
    const revokes = this.rules.onReuse === 'revoke';
    const isRevoked =
      revokes &&
      (await this.store.deleteReused({
        id: record.id,
        seriesHash: record.seriesHash,
        shownHash: token.tokenHash,
        settledBy: shownAt - this.rules.grace,
      }));
    // Nothing deleted: somebody else was first, or the judgement does not hold any more.
    if (revokes && !isRevoked) return;
    this.events.emit({ type: 'reuse-detected' }, record);
    if (isRevoked) this.events.emit({ type: 'revoked', reason: 'reuse' }, record);
  }
}

function isFirstShown({ record, token }: Accepted): boolean {
  return record.confirmedAt === null && record.tokenHash === token.tokenHash;
}
