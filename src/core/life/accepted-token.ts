import type { SessionRecord } from '../model/record.js';
import type { RolePolicy } from '../policy/policy.js';
import { isSettling, type Standing } from '../token/judgement.js';
import type { HashedToken } from '../token/token.js';

/**
 * A token that was accepted, and all that follows from its session's record at the moment when it was judged. Whatever
 * is decided about one request goes by this one time and this one policy: two of them could contradict each other.
 */
export class AcceptedToken {
  declare readonly reason?: undefined;
  /** Whether the newest token has arrived at its client with this very request. */
  readonly isFirstShown: boolean;
  /** Whether activity is to be written: what is written is old enough. */
  readonly isTouchDue: boolean;
  /** Whether there could be another token that the client should use from now on. */
  readonly isRenewalDue: boolean;

  constructor(
    readonly token: HashedToken,
    readonly record: SessionRecord,
    readonly standing: Extract<Standing, 'current' | 'outgoing'>,
    /** Of the record's roles. */
    readonly policy: RolePolicy,
    /** When the token was judged, in epoch milliseconds. */
    readonly now: number,
    private readonly grace: number,
    /** Whether it was judged on what this process remembers, in the place of the store. */
    readonly isRemembered = false,
  ) {
    const age = now - record.lastSeenAt;
    this.isFirstShown = standing === 'current' && record.confirmedAt === null;
    this.isTouchDue = age > 0 && age >= policy.touchEvery;
    this.isRenewalDue =
      standing === 'current'
        ? now >= policy.renewAt(record) && !isSettling(record, now, grace)
        : record.successor !== null;
  }

  /** The same token, after this request has changed the record. */
  with(record: SessionRecord): AcceptedToken {
    const { token, standing, policy, now, grace, isRemembered } = this;
    return new AcceptedToken(token, record, standing, policy, now, grace, isRemembered);
  }
}
