import type { SessionEvents } from '../events/session-events.js';
import { InvalidArgumentError } from '../model/errors.js';
import { assertIdentifier } from '../model/principal.js';
import type { SessionRecord } from '../model/record.js';
import type { RevocationReason } from '../model/session-event.js';
import { isSessionId } from '../model/session-id.js';
import type { ReuseJudgement, SessionStore } from '../model/store.js';
import type { SessionLookup } from './session-lookup.js';

/** Ends sessions before their time, and tells of it: `revoked` is told nowhere else. */
export class Revocation {
  constructor(
    private readonly store: SessionStore,
    private readonly lookup: SessionLookup,
    private readonly events: SessionEvents,
    private readonly rules: { readonly onReuse: 'revoke' | 'report' },
  ) {}

  /** Ends a session; with `owner` only if it is theirs. Whether there was one to end. @throws InvalidArgumentError */
  async revoke(id: string, owner?: { userId: string }): Promise<boolean> {
    if (owner !== undefined) assertOwner(owner);
    if (!isSessionId(id)) return false;
    const record = await this.store.delete(id, owner?.userId);
    return record !== null && this.tellOfLive('revoked', [record]) > 0;
  }

  /** Ends all sessions of a user, but for `except`; how many there were. @throws InvalidArgumentError */
  async revokeAll(userId: string, options?: { except?: string }): Promise<number> {
    assertIdentifier('userId', userId);
    const except = options?.except;
    if (except !== undefined) assertIdentifier('options.except', except);
    const records = await this.store.deleteByUser(userId, except);
    return this.tellOfLive('revoked', records);
  }

  /** Ends all sessions there are; how many there were. */
  async revokeEveryone(): Promise<number> {
    const count = await this.store.deleteAll();
    this.events.emit({ type: 'revoked', reason: 'revoked', count });
    return count;
  }

  /** Ends the session of somebody who signs out, whatever has happened to it meanwhile. */
  async signOut(record: SessionRecord): Promise<void> {
    const isEnded = await this.store.deleteExpected(record.id, {});
    if (isEnded) this.tellOfLive('sign-out', [record]);
  }

  /** Ends a session on which another user signs in; not where its token is another one by now. Whether it did. */
  async replace(record: SessionRecord): Promise<boolean> {
    const isEnded = await this.store.deleteExpected(record.id, { tokenHash: record.tokenHash });
    if (isEnded) this.tell('replaced', [record]);
    return isEnded;
  }

  /** Tells of the sessions that a sign-in has ended, since the user had too many. */
  evicted(records: readonly SessionRecord[]): void {
    this.tell('limit', records);
  }

  /** A dead token of the session was used, long after its successor was: by `onReuse` that ends the session. */
  async reused(record: SessionRecord, judgement: ReuseJudgement): Promise<void> {
    const revokes = this.rules.onReuse === 'revoke';
    const isRevoked = revokes && (await this.store.deleteReused(judgement));
    // Nothing deleted: somebody else was first, or the judgement does not hold any more.
    if (revokes && !isRevoked) return;
    this.events.emit({ type: 'reuse-detected' }, record);
    if (isRevoked) this.tell('reuse', [record]);
  }

  /** Of a session that had expired there was nothing to end. How many had not. */
  private tellOfLive(reason: RevocationReason, records: readonly SessionRecord[]): number {
    const live = records.filter((record) => this.lookup.isLive(record));
    this.tell(reason, live);
    return live.length;
  }

  private tell(reason: RevocationReason, records: readonly SessionRecord[]): void {
    for (const record of records) this.events.emit({ type: 'revoked', reason }, record);
  }
}

function assertOwner(owner: unknown): asserts owner is { userId: string } {
  if (typeof owner !== 'object' || owner === null) {
    throw new InvalidArgumentError(
      'owner',
      owner,
      'pass `{ userId }`, or leave it out to revoke whoever it is of.',
    );
  }
  assertIdentifier('owner.userId', (owner as { userId?: unknown }).userId);
}
