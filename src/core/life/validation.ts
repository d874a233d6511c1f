import type { SessionEvents } from '../events/session-events.js';
import { measure } from '../model/measurements.js';
import type { SessionRecord } from '../model/record.js';
import type { RefusalReason } from '../model/session.js';
import type { SessionStore } from '../model/store.js';
import { WRITE_BEHIND_MARGIN } from '../outage/time-budgets.js';
import type { RolePolicy, SessionPolicy } from '../policy/policy.js';
import { standingOf } from '../token/judgement.js';
import type { HashedToken, TokenFormat } from '../token/token.js';
import { AcceptedToken } from './accepted-token.js';
import type { Revocation } from './revocation.js';
import type { SessionLookup } from './session-lookup.js';

/** A token that is not accepted; `record` where its session exists. */
export interface RefusedToken {
  readonly record: SessionRecord | null;
  readonly reason: RefusalReason;
}

/** How a token was shown. */
export interface Showing {
  /** Whether the request holds off the idle timeout. Default: true. */
  readonly isActivity?: boolean;
  /** Whether the store is to be asked, also where this process may answer from memory. Default: false. */
  readonly isStrict?: boolean;
  /** When it arrived; default: now. */
  readonly arrivedAt?: number;
}

export interface ValidationRules {
  readonly grace: number;
  readonly clock: () => number;
}

/** Decides whether a token is accepted, on the state of the store at a moment after the token was shown. */
export class TokenValidation {
  constructor(
    private readonly store: SessionStore,
    private readonly tokens: TokenFormat,
    protected readonly policy: SessionPolicy,
    private readonly lookup: SessionLookup,
    private readonly revocation: Revocation,
    private readonly events: SessionEvents,
    protected readonly rules: ValidationRules,
  ) {}

  /** @param shown anything */
  async validate(shown: unknown, showing: Showing = {}): Promise<AcceptedToken | RefusedToken> {
    const token = this.tokens.parse(shown);
    const verdict: AcceptedToken | RefusedToken =
      token === null ? { record: null, reason: 'malformed' } : await this.examine(token, showing);
    measure('validation', { outcome: verdict.reason ?? 'accepted' });
    if (verdict.reason !== undefined) return verdict;
    // Nearly every request has nothing to write.
    const accepted = verdict.isFirstShown ? await this.confirm(verdict) : verdict;
    return showing.isActivity === false ? accepted : this.noteActivity(accepted);
  }

  /** What a token that was made just now is to the request that has it made: the client has not got it yet. */
  acceptedAs(record: SessionRecord, text: string): AcceptedToken {
    const token = this.tokens.parse(text) as HashedToken;
    return new AcceptedToken(
      token,
      record,
      'current',
      this.policy.of(record.roles),
      record.rotatedAt,
      this.rules.grace,
    );
  }

  /** Notes activity of a session whose token was accepted without. */
  noteActivity(accepted: AcceptedToken): AcceptedToken | Promise<AcceptedToken> {
    return accepted.isTouchDue ? this.touch(accepted) : accepted;
  }

  /** Judges a token on the newest state of its session, and changes nothing unless it was reused. */
  async judge(token: HashedToken, arrivedAt = this.rules.clock()): Promise<AcceptedToken | RefusedToken> {
    // As `SessionLookup.byToken` does, which would be one more promise for every request.
    const record =
      (await this.store.findBySeries(token.seriesHash)) ?? (await this.lookup.afterRotations(token));
    if (record === null) return { record, reason: 'unknown' };
    // Only now that the record is there: a time from before the read would accept what expired while it waited.
    const now = this.rules.clock();
    const { grace } = this.rules;
    const shownAt = Math.min(now, arrivedAt);
    const standing = standingOf(record, token.tokenHash, now, shownAt, grace);
    if (standing === 'reused') await this.detectReuse(record, token, shownAt);
    if (standing === 'reused' || standing === 'rotated') return { record, reason: standing };
    const policy = this.policy.of(record.roles);
    if (!policy.isLive(record, now)) {
      this.events.emit({ type: 'expired' }, record);
      return { record, reason: 'expired' };
    }
    return new AcceptedToken(token, record, standing, policy, now, grace);
  }

  /** What becomes of a token that a request shows. */
  protected examine(
    token: HashedToken,
    { arrivedAt }: Showing,
  ): AcceptedToken | Promise<AcceptedToken | RefusedToken> {
    return this.judge(token, arrivedAt);
  }

  /**
   * Judges once more, within its request, a token that was accepted: its session may have been ended, or given other
   * roles. That another token has replaced it since is no reason to refuse.
   */
  async review({ token, now }: AcceptedToken): Promise<AcceptedToken | RefusedToken> {
    const verdict = await this.judge(token, now);
    if (verdict.reason !== 'rotated' || verdict.record === null) return verdict;
    const { record } = verdict;
    return new AcceptedToken(token, record, 'outgoing', this.policy.of(record.roles), now, this.rules.grace);
  }

  /** Notes that the newest token has arrived at the client; from then on the sealed copy of it is not needed. */
  private async confirm(accepted: AcceptedToken): Promise<AcceptedToken> {
    const { record, now } = accepted;
    const change = { confirmedAt: now, successor: null };
    await this.store.change(record.id, { tokenHash: record.tokenHash, confirmedAt: null }, change);
    return accepted.with({ ...record, ...change });
  }

  private async touch(accepted: AcceptedToken): Promise<AcceptedToken> {
    const { record, policy, now } = accepted;
    const touched = { ...record, lastSeenAt: now };
    const active = { ...touched, ...policy.deadlines(touched) };
    await this.store.touch(active, isUrgent(record, policy, now)).then(
      () => this.onTouched(active),
      () => {}, // activity that is lost is no reason to refuse
    );
    return accepted.with(active);
  }

  /** Activity is on its way to the store. */
  protected onTouched(_active: SessionRecord): void {}

  private detectReuse(
    record: SessionRecord,
    { tokenHash: shownHash }: HashedToken,
    shownAt: number,
  ): Promise<void> {
    const { id, seriesHash, unshown } = record;
    return this.revocation.reused(record, {
      id,
      seriesHash,
      shownHash,
      unshown,
      settledBy: shownAt - this.rules.grace,
    });
  }
}

/** Whether the session could end too early if this activity were lost, as it may be when the process is killed now. */
function isUrgent({ idleExpiresAt }: SessionRecord, { touchEvery }: RolePolicy, now: number): boolean {
  return touchEvery === 0 || idleExpiresAt - now < Math.max(2 * touchEvery, WRITE_BEHIND_MARGIN);
}
