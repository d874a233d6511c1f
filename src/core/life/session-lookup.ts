import { assertIdentifier } from '../model/principal.js';
import type { SessionRecord } from '../model/record.js';
import { isSessionId } from '../model/session-id.js';
import type { SessionStore } from '../model/store.js';
import type { SessionPolicy } from '../policy/policy.js';
import type { HashedToken, TokenFormat } from '../token/token.js';

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

  /** The live sessions of a user, newest first. @throws InvalidArgumentError for what is no user id */
  async ofUser(userId: string): Promise<SessionRecord[]> {
    assertIdentifier('userId', userId);
    const records = await this.store.findLive(userId, this.rules.clock());
    return records.filter((record) => this.isLive(record));
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
  isLive(record: SessionRecord): boolean {
    return this.policy.of(record.roles).isLive(record, this.rules.clock());
  }
}
