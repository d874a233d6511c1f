import type { SessionRecord } from '../model/record.js';
import type { SessionStore } from '../model/store.js';
import type { SessionPolicy } from '../policy/policy.js';
import { standingOf } from '../token/judgement.js';
import { AcceptedToken } from './accepted-token.js';
import type { RefusedToken, TokenValidation } from './validation.js';

/** What a socket or a stream was opened with. The token itself is not kept for as long as it is open. */
export interface Opened {
  readonly sessionId: string;
  /** SHA-256 of the token that was shown. */
  readonly tokenHash: string;
}

/**
 * Judges again what goes on after the request that opened it. By the token that it was opened with, and not by the session
 * alone: what a thief has opened with a token that a step-up or a rotation has replaced would inherit the new rights.
 */
export class Continuation {
  constructor(
    private readonly store: SessionStore,
    private readonly policy: SessionPolicy,
    private readonly validation: TokenValidation,
    private readonly rules: { readonly clock: () => number; readonly grace: number },
  ) {}

  /** On the newest state of its session. @param isActivity whether it holds off the idle timeout */
  async check(opened: Opened, isActivity: boolean): Promise<AcceptedToken | RefusedToken> {
    const verdict = this.judge(opened, await this.store.findById(opened.sessionId));
    return isActivity && verdict.reason === undefined ? this.validation.noteActivity(verdict) : verdict;
  }

  /** What there is of some sessions, by their ids. */
  async read(ids: readonly string[]): Promise<ReadonlyMap<string, SessionRecord>> {
    const found = await this.store.findMany(ids);
    return new Map(found.map((record) => [record.id, record]));
  }

  judge({ tokenHash }: Opened, record: SessionRecord | null): AcceptedToken | RefusedToken {
    if (record === null) return { record, reason: 'unknown' };
    const now = this.rules.clock();
    const { grace } = this.rules;
    const standing = standingOf(record, tokenHash, now, now, grace);
    // It is not shown anew: that somebody shows a newer token is no sign of theft.
    if (standing !== 'current' && standing !== 'outgoing') return { record, reason: 'rotated' };
    const policy = this.policy.of(record.roles);
    if (!policy.isLive(record, now)) return { record, reason: 'expired' };
    const token = { text: '', seriesHash: record.seriesHash, tokenHash };
    return new AcceptedToken(token, record, standing, policy, now, grace);
  }
}
