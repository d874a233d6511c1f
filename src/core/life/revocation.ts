import { settled } from '../announcing/announcing-store.js';
import type { SessionEvents } from '../events/session-events.js';
import { type Actor, readActor } from '../model/actor.js';
import type { Announcer } from '../model/announcement.js';
import { InvalidArgumentError } from '../model/errors.js';
import { assertIdentifier } from '../model/principal.js';
import type { SessionRecord } from '../model/record.js';
import type { RevocationReason } from '../model/session-event.js';
import { isSessionId } from '../model/session-id.js';
import { BATCH_SIZE, type EndedSession, type ReuseJudgement, type SessionStore } from '../model/store.js';
import { groupsOf } from './groups-of.js';
import { countInBatches, inBatches } from './in-batches.js';
import type { SessionLookup } from './session-lookup.js';

/** What `revoke` takes beside the id. */
export interface RevokeOptions {
  /** Ends the session only if it is this user's. */
  readonly userId?: string;
  /** Who does it, for the audit trail. */
  readonly by?: Actor;
}

/** What `revokeAll` takes beside the user. */
export interface RevokeAllOptions {
  /** The id of a session that goes on. */
  readonly except?: string;
  /** Who does it, for the audit trail. */
  readonly by?: Actor;
}

/** What `revokeEveryone` takes. */
export interface RevokeEveryoneOptions {
  /** Only sessions that were made before: those that a backup, or a standby that was promoted, has brought back. */
  readonly createdBefore?: Date;
  /** Who does it, for the audit trail. */
  readonly by?: Actor;
}

/** Ends sessions before their time, and tells of it: `revoked` is told nowhere else. */
export class Revocation {
  constructor(
    private readonly store: SessionStore,
    private readonly lookup: SessionLookup,
    private readonly events: SessionEvents,
    private readonly announcer: Announcer,
    private readonly rules: { readonly onReuse: 'revoke' | 'report' },
  ) {}

  /** Ends a session; with `userId` only if it is theirs. Whether there was one to end. @throws InvalidArgumentError */
  async revoke(id: string, options?: RevokeOptions): Promise<boolean> {
    const { userId, by } = readOptions(options);
    if (options !== undefined) assertOwner(options);
    const actor = readActor('options.by', by);
    if (!isSessionId(id)) return false;
    const record = await this.store.delete(id, userId);
    return record !== null && this.tellOfLive('revoked', [record], actor) > 0;
  }

  /** Ends all sessions of a user, but for `except`; how many there were. @throws InvalidArgumentError */
  async revokeAll(userId: string, options?: RevokeAllOptions): Promise<number> {
    assertIdentifier('userId', userId);
    const { except, by } = readOptions(options);
    const actor = readActor('options.by', by);
    const spared = except !== undefined && isSessionId(except, 'options.except') ? except : null;
    const number = await this.store.mark(userId);
    let count = 0;
    await inBatches(
      number,
      (batch) => this.store.deleteByUser(userId, spared, batch),
      (ended) => void (count += this.tellOfLive('revoked', ended, actor)),
    );
    return count;
  }

  /** Ends all sessions there are, or all that are older; how many there were. @throws InvalidArgumentError */
  async revokeEveryone(options?: RevokeEveryoneOptions): Promise<number> {
    const { createdBefore, by } = readOptions(options);
    const actor = readActor('options.by', by);
    if (options !== undefined && 'createdBefore' in options) assertTime(createdBefore);
    const told = { ...(createdBefore && { createdBefore: createdBefore.toISOString() }), ...actor };
    const number = await this.store.mark(null);
    return countInBatches(
      number,
      (batch) => this.store.deleteAll(createdBefore?.getTime() ?? null, batch),
      (count) => this.events.emit({ type: 'revoked', reason: 'revoked', sessionIds: [], count, ...told }),
    );
  }

  /** Ends the session of somebody who signs out, whatever has happened to it meanwhile. */
  async signOut(record: SessionRecord): Promise<void> {
    const isEnded = await this.store.deleteExpected(record.id, {});
    if (isEnded) this.tellOfLive('sign-out', [record]);
  }

  /** The same where no session is found: another node may have ended it, and others may not know yet. */
  signOutUnknown(seriesHashes: readonly string[]): Promise<void> {
    return settled(
      this.announcer,
      seriesHashes.map((id) => ({ scope: 'series', id })),
    );
  }

  /** Ends a session on which another user signs in; not where its token is another one by now. Whether it did. */
  async replace(record: SessionRecord): Promise<boolean> {
    const isEnded = await this.store.deleteExpected(record.id, { tokenHash: record.tokenHash });
    if (isEnded) this.tell('replaced', [record]);
    return isEnded;
  }

  /** Tells of the sessions that a sign-in has ended, since the user had too many. */
  evicted(records: readonly EndedSession[]): void {
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
  private tellOfLive(
    reason: RevocationReason,
    records: readonly EndedSession[],
    actor: { readonly by?: Actor } = {},
  ): number {
    const live = records.filter((record) => this.lookup.isLive(record));
    this.tell(reason, live, actor);
    return live.length;
  }

  /** @param records of one user */
  private tell(
    reason: RevocationReason,
    records: readonly EndedSession[],
    actor: { readonly by?: Actor } = {},
  ): void {
    for (const told of groupsOf(records, BATCH_SIZE)) {
      const [first] = told as [EndedSession];
      const sessionIds = told.map(({ id }) => id);
      const about = told.length === 1 ? first : { userId: first.userId };
      this.events.emit({ type: 'revoked', reason, sessionIds, ...actor }, about);
    }
  }
}

function readOptions<Options extends object>(options: Options | undefined): Partial<Options> {
  if (options === undefined) return {};
  if (typeof options === 'object' && options !== null) return options;
  throw new InvalidArgumentError('options', options, 'pass an object, or leave it out.');
}

/** A time that was given and is none must not mean all sessions, nor none of them. */
function assertTime(createdBefore: unknown): void {
  if (createdBefore instanceof Date && !Number.isNaN(createdBefore.getTime())) return;
  throw new InvalidArgumentError(
    'options.createdBefore',
    createdBefore,
    'pass a valid `Date`, or leave it out.',
  );
}

/** An owner that was given and is not there, as in `{ userId: undefined }`, must not mean anybody's. */
function assertOwner(options: RevokeOptions): void {
  if ('userId' in options || !('by' in options)) assertIdentifier('options.userId', options.userId);
}
