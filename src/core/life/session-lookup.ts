import { InvalidArgumentError } from '../model/errors.js';
import { assertIdentifier } from '../model/principal.js';
import type { SessionRecord } from '../model/record.js';
import { isSessionId } from '../model/session-id.js';
import { BATCH_SIZE, type EndedSession, type SessionPage, type SessionStore } from '../model/store.js';
import type { SessionPolicy } from '../policy/policy.js';
import type { HashedToken, TokenFormat } from '../token/token.js';

/** Which part of a user's sessions. */
export interface ListOptions {
  /** At most so many, 1 to 1,000. Default: 1,000. */
  readonly limit?: number;
  /** Those that began before the session with this id, which need not be there any more: the last one of the page before. */
  readonly before?: string;
}

/** Finds sessions, and judges no token. */
export class SessionLookup {
  constructor(
    private readonly store: SessionStore,
    private readonly tokens: TokenFormat,
    private readonly policy: SessionPolicy,
    private readonly rules: { readonly clock: () => number },
  ) {}

  /** A live session by its id. @throws InvalidArgumentError for what is no id at all */
  async byId(id: string): Promise<SessionRecord | null> {
    const record = isSessionId(id) ? await this.store.findById(id) : null;
    return record !== null && this.isLive(record) ? record : null;
  }

  /** The live sessions of a user, newest first. @throws InvalidArgumentError for what is no user id or no page */
  async ofUser(userId: string, options?: ListOptions): Promise<SessionRecord[]> {
    assertIdentifier('userId', userId);
    const { limit, before } = readPage(options);
    const live: SessionRecord[] = [];
    // A page that is not full is the last one: what a policy of now ends makes no page shorter.
    for (let from = before; ;) {
      const found = await this.store.findLive(userId, this.rules.clock(), { limit, before: from });
      live.push(...found.filter((record) => this.isLive(record)));
      if (found.length < limit || live.length >= limit) return live.slice(0, limit);
      from = found.at(-1)?.id ?? null;
    }
  }

  /** The session that a token belongs or belonged to, live or not, whether the token is accepted or not. */
  async byToken(token: HashedToken): Promise<SessionRecord | null> {
    return (await this.store.findBySeries(token.seriesHash)) ?? (await this.afterRotations(token));
  }

  /** The same, where rotations by id have put series of their own in the place of the token's. */
  afterRotations({ seriesHash }: HashedToken): Promise<SessionRecord | null> {
    return this.store.findByAnySeries(this.tokens.seriesAfter(seriesHash));
  }

  /** By the policy of now: timeouts may have been made stricter since the record was written. */
  isLive(record: EndedSession): boolean {
    return this.policy.of(record.roles).isLive(record, this.rules.clock());
  }
}

function readPage(options: ListOptions | undefined): SessionPage {
  if (options !== undefined && (typeof options !== 'object' || options === null)) {
    throw new InvalidArgumentError('options', options, 'pass an object, or leave it out.');
  }
  const { limit = BATCH_SIZE, before } = options ?? {};
  if (!Number.isInteger(limit) || limit < 1 || limit > BATCH_SIZE) {
    throw new InvalidArgumentError('options.limit', limit, `pass a whole number from 1 to ${BATCH_SIZE}.`);
  }
  if (before === undefined) return { limit, before: null };
  if (isSessionId(before, 'options.before')) return { limit, before };
  throw new InvalidArgumentError('options.before', before, 'pass the id of a session, or leave it out.');
}
