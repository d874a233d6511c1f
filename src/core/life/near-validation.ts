import type { NearMemory } from '../model/near-memory.js';
import type { SessionRecord } from '../model/record.js';
import { standingOf } from '../token/judgement.js';
import type { HashedToken } from '../token/token.js';
import { AcceptedToken } from './accepted-token.js';
import { type RefusedToken, type Showing, TokenValidation } from './validation.js';

/**
 * Validates from the memory of this process where nothing is to be decided, changed or told: the newest token, which its
 * client has, of a live session of somebody, with no activity to write and no renewal due. All else is judged on the store,
 * and so is whatever decides a change: that calls `judge`.
 */
export class NearValidation extends TokenValidation {
  constructor(
    private readonly memory: NearMemory,
    ...parts: ConstructorParameters<typeof TokenValidation>
  ) {
    super(...parts);
  }

  protected override examine(
    token: HashedToken,
    showing: Showing,
  ): AcceptedToken | Promise<AcceptedToken | RefusedToken> {
    return this.recall(token, showing) ?? this.judgeAndKeep(token, showing);
  }

  protected override onTouched(active: SessionRecord): void {
    this.memory.touch(active);
  }

  private recall(token: HashedToken, { isActivity, isStrict }: Showing): AcceptedToken | null {
    if (isStrict === true) return null;
    const record = this.memory.recall(token.seriesHash);
    if (record === null) return null;
    const { grace } = this.rules;
    const now = this.rules.clock();
    if (standingOf(record, token.tokenHash, now, now, grace) !== 'current') return null;
    const policy = this.policy.of(record.roles);
    if (!policy.isLive(record, now)) return null;
    const known = new AcceptedToken(token, record, 'current', policy, now, grace, true);
    const writesActivity = known.isTouchDue && isActivity !== false;
    return known.isRenewalDue || writesActivity ? null : known;
  }

  private async judgeAndKeep(
    token: HashedToken,
    { arrivedAt }: Showing,
  ): Promise<AcceptedToken | RefusedToken> {
    const read = this.memory.beginRead();
    const verdict = await this.judge(token, arrivedAt);
    if (verdict.reason === undefined && isWorthKeeping(verdict)) this.memory.keep(verdict.record, read);
    return verdict;
  }
}

/**
 * Not a session of nobody yet: a sign-in on it makes it somebody's, and a revocation of all sessions of that user would not
 * find it here. Not under a series that is not the record's: rotations by id have put another in its place.
 */
function isWorthKeeping({ standing, record, token }: AcceptedToken): boolean {
  return (
    standing === 'current' &&
    record.confirmedAt !== null &&
    record.userId !== null &&
    record.seriesHash === token.seriesHash
  );
}
