import type { SessionRecord } from '../model/record.js';
import type { RolePolicy } from '../policy/policy.js';
import { isSettling, type Standing } from '../token/judgement.js';
import type { HashedToken } from '../token/token.js';

/**
 * A token that was accepted, and all that follows from its session's record at the moment when it was judged. Whatever
 * is decided about one request goes by this one time and this one policy: two of them could contradict each other.
 */
export class AcceptedToken {
  readonly reason = undefined;

  constructor(
    readonly token: HashedToken,
    readonly record: SessionRecord,
    readonly standing: Extract<Standing, 'current' | 'outgoing'>,
    /** Of the record's roles. */
    readonly policy: RolePolicy,
    /** When the token was judged, in epoch milliseconds. */
    readonly now: number,
    private readonly grace: number,
  ) {}

  /** Whether the newest token has arrived at its client with this very request. */
  get isFirstShown(): boolean {
    return this.standing === 'current' && this.record.confirmedAt === null;
  }

  /** Whether activity is to be written: what is written is old enough. */
  get isTouchDue(): boolean {
    const age = this.now - this.record.lastSeenAt;
    return age > 0 && age >= this.policy.touchEvery;
  }

  /** Whether there could be another token that the client should use from now on: cheap, for every request. */
  get isRenewalDue(): boolean {
    if (this.standing === 'outgoing') return this.record.successor !== null;
    return this.now >= this.policy.renewAt(this.record) && !isSettling(this.record, this.now, this.grace);
  }

  /** The same token, after this request has changed the record. */
  with(record: SessionRecord): AcceptedToken {
    return new AcceptedToken(this.token, record, this.standing, this.policy, this.now, this.grace);
  }
}
