import type { SessionQueue } from './session-queue.js';
import { SessionGoneError, StoreUnavailableError } from '../model/errors.js';
import type { SessionEvents } from '../events/session-events.js';
import type { SessionPolicy } from '../policy/policy.js';
import type { SessionRecord } from '../model/record.js';
import { unshownWith } from '../token/judgement.js';
import { open, seal } from '../token/seal.js';
import type { Change, SessionStore } from '../model/store.js';
import type { HashedToken, TokenFormat } from '../token/token.js';
import type { AcceptedToken } from './accepted-token.js';
import type { SessionLookup } from './session-lookup.js';
import type { TokenValidation } from './validation.js';

/** A record with the token that was just made for it. */
export interface Issued {
  readonly record: SessionRecord;
  readonly token: string;
}

/** `ignoredFrom` of a successor that was told of. */
const NEVER_AGAIN = Number.MAX_SAFE_INTEGER;

/**
 * What a rotation changes in the record.
 * @param wasShown whether the token was that it replaces; what is read of that has to be expected of the record too
 */
export function rotationTo(
  next: HashedToken,
  record: SessionRecord,
  now: number,
  renewal: number,
  wasShown = record.confirmedAt !== null,
) {
  return {
    seriesHash: next.seriesHash,
    tokenHash: next.tokenHash,
    confirmedAt: null,
    rotatedAt: now,
    previousHash: record.tokenHash,
    previousKind: 'rotation',
    successor: null,
    unshown: wasShown ? record.unshown : unshownWith(record),
    ignoredFrom: null,
    renewAt: now + renewal,
  } as const satisfies Change;
}

/** Gives a session a new token: the earlier one is dead at once (rotation), or lives a little longer while the session is in use (renewal). */
export class TokenRotation {
  constructor(
    private readonly store: SessionStore,
    private readonly tokens: TokenFormat,
    private readonly policy: SessionPolicy,
    private readonly lookup: SessionLookup,
    private readonly validation: TokenValidation,
    private readonly events: SessionEvents,
    private readonly queue: SessionQueue,
    private readonly rules: { readonly clock: () => number; readonly grace: number },
  ) {}

  /** The earlier token is dead when this returns. @throws SessionGoneError */
  rotate(id: string): Promise<Issued> {
    return this.queue.run(id, async (deadline) => {
      const record = await this.lookup.byId(id);
      if (record === null) throw new SessionGoneError('There is no such session to rotate.');
      const next = this.tokens.mintInSeriesAfter(record.seriesHash);
      const { renewal } = this.policy.of(record.roles).timeouts;
      const change = rotationTo(next, record, this.rules.clock(), renewal);
      const { tokenHash, confirmedAt } = record;
      const isMade = await deadline.run(() => this.store.change(id, { tokenHash, confirmedAt }, change));
      if (!isMade) return null;
      this.events.emit({ type: 'rotated' }, record);
      return { record: { ...record, ...change }, token: next.text };
    });
  }

  /**
   * The token that the client should use from now on, or `null` if that is the one it showed. Of many requests that
   * show a due token, one renews it; all of them, and all later ones until the new token is first shown, are handed
   * the same successor: an answer that got lost can be asked for again. Never fails a request.
   */
  async renew(accepted: AcceptedToken): Promise<string | null> {
    const { record, token, standing, now, policy } = accepted;
    if (!accepted.isRenewalDue) return null;
    if (standing === 'outgoing') return this.handAgain(accepted);
    const next = this.tokens.mintInSeriesOf(token);
    const change = {
      ...rotationTo(next, record, now, policy.timeouts.renewal),
      previousKind: 'renewal',
      successor: seal(next.text, token.text, bindingOf(record, token.tokenHash, next.tokenHash)),
    } as const satisfies Change;
    try {
      if (await this.store.change(record.id, { tokenHash: token.tokenHash }, change)) {
        this.events.emit({ type: 'renewed' }, record);
        return next.text;
      }
      const newest = await this.validation.judge(token);
      return newest.reason === undefined ? openSuccessor(newest.record, token) : null;
    } catch (error) {
      if (error instanceof StoreUnavailableError) return null; // the token that was shown is still good
      throw error;
    }
  }

  private async handAgain(accepted: AcceptedToken): Promise<string | null> {
    const successor = openSuccessor(accepted.record, accepted.token);
    if (successor === null) return null;
    try {
      await this.noteIgnored(accepted);
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
    }
    return successor;
  }

  /**
   * Tells of a client that goes on with its old token although it is handed the new one: a thief who does not want to be
   * seen, or an app that does not read it. Late enough, and after a second time, since one answer may get lost; once, on
   * whichever node, since the record says so.
   */
  private async noteIgnored({ record, now }: AcceptedToken): Promise<void> {
    const { id, tokenHash, ignoredFrom, rotatedAt } = record;
    const { grace } = this.rules;
    if (now < (ignoredFrom ?? rotatedAt + grace)) return;
    const expected = { tokenHash, confirmedAt: null, ignoredFrom };
    const change = { ignoredFrom: ignoredFrom === null ? now + grace : NEVER_AGAIN };
    const isNoted = await this.store.change(id, expected, change);
    if (isNoted && ignoredFrom !== null) this.events.emit({ type: 'renewal-ignored' }, record);
  }
}

/** What the token that a client still shows was replaced by, as long as nobody has shown that yet. */
function openSuccessor(record: SessionRecord, token: HashedToken): string | null {
  if (record.successor === null || record.confirmedAt !== null) return null;
  return open(record.successor, token.text, bindingOf(record, token.tokenHash, record.tokenHash));
}

function bindingOf({ id, seriesHash }: SessionRecord, oldHash: string, newHash: string) {
  return { id, seriesHash, oldHash, newHash };
}
