import type { SessionEvents } from './events.js';
import { judge } from './judgement.js';
import type { SessionPolicy } from './policy.js';
import type { SessionRecord } from './record.js';
import type { RefusalReason } from './session.js';
import type { SessionStore } from './store.js';
import { type HashedToken, laterSeries, type TokenFormat } from './token.js';

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

  /** @param isActivity whether the request holds off the idle timeout */
  async validate(shown: unknown, isActivity = true): Promise<Accepted | Refused> {
    const token = this.tokens.read(shown);
    if (token === null) return { record: null, reason: 'malformed' };
    const verdict = await this.look(token);
    if (verdict.reason !== undefined) return verdict;
    const confirmed = await this.confirm(verdict);
    return isActivity ? this.touch(confirmed) : confirmed;
  }

  /** The session that a token belongs or belonged to, whether the token is accepted or not. */
  async find(token: HashedToken): Promise<SessionRecord | null> {
    return (
      (await this.store.findBySeries(token.seriesHash)) ??
      (await this.store.findByAnySeries(laterSeries(token.seriesHash)))
    );
  }

  /** Judges a token on the newest state of its session, and changes nothing unless it was reused. */
  async look(token: HashedToken): Promise<Accepted | Refused> {
    const record = await this.find(token);
    if (record === null) return { record, reason: 'unknown' };
    const now = this.rules.clock();
    const standing = judge(record, token.tokenHash, now, this.rules.grace);
    if (standing === 'reused') await this.detectReuse(record, token, now);
    if (standing === 'reused' || standing === 'rotated') return { record, reason: standing };
    if (now >= this.policy.expiresAt(record)) {
      this.events.emit({ type: 'expired' }, record);
      return { record, reason: 'expired' };
    }
    return { record, token };
  }

  /** Notes that the newest token has arrived at the client; from then on the sealed copy of it is not needed. */
  private async confirm({ record, token }: Accepted): Promise<Accepted> {
    if (record.confirmedAt !== null || record.tokenHash !== token.tokenHash) return { record, token };
    const change = { confirmedAt: this.rules.clock(), successor: null };
    await this.store.change(record.id, { tokenHash: record.tokenHash, confirmedAt: null }, change);
    return { record: { ...record, ...change }, token };
  }

  private async touch({ record, token }: Accepted): Promise<Accepted> {
    const now = this.rules.clock();
    const { touchEvery } = this.policy.of(record.roles);
    if (now - record.lastSeenAt < touchEvery || now <= record.lastSeenAt) return { record, token };
    const touched = { ...record, lastSeenAt: now };
    const active = { ...touched, ...this.policy.deadlines(touched) };
    const isUrgent = record.idleExpiresAt - now < 2 * touchEvery;
    await this.store.touch(active, isUrgent).catch(() => {}); // activity that is lost is no reason to refuse
    return { record: active, token };
  }

  private async detectReuse(record: SessionRecord, token: HashedToken, now: number): Promise<void> {
    const revokes = this.rules.onReuse === 'revoke';
    const isRevoked =
      revokes &&
      (await this.store.deleteReused({
        id: record.id,
        seriesHash: record.seriesHash,
        shownHash: token.tokenHash,
        settledBy: now - this.rules.grace,
      }));
    // Nothing deleted: somebody else was first, or the judgement does not hold any more.
    if (revokes && !isRevoked) return;
    this.events.emit({ type: 'reuse-detected' }, record);
    if (isRevoked) this.events.emit({ type: 'revoked', reason: 'reuse' }, record);
  }
}
