import { BegunSignIn } from './begun-sign-in.js';
import type { SessionQueue } from './session-queue.js';
import { parseData, serializeData } from '../model/data.js';
import { SessionGoneError, SessionLimitError, SignInOvertakenError } from '../model/errors.js';
import type { SessionEvents } from '../events/session-events.js';
import type { Deadline } from '../outage/deadline.js';
import { provenNow } from '../policy/levels.js';
import type { SessionPolicy } from '../policy/policy.js';
import { type ClientInfo, type SessionPrincipal, serializeRoles, toClient } from '../model/principal.js';
import type { SessionRecord } from '../model/record.js';
import { type NewSession, newRecord } from './new-record.js';
import { type Issued, rotationTo } from './rotation.js';
import type { ReadonlySessionData, SessionClient } from '../model/session.js';
import type { Admission, Admitted, Change, SessionStore } from '../model/store.js';
import type { HashedToken, TokenFormat } from '../token/token.js';
import type { Revocation } from './revocation.js';
import type { SessionLookup } from './session-lookup.js';
import type { TokenValidation } from './validation.js';

const NO_CLIENT: SessionClient = { ip: null, userAgent: null, label: null };

export interface SignInRules {
  readonly maxSessionsPerUser: number | null;
  readonly onSessionLimit: 'evict-oldest' | 'reject';
  readonly recordClient: boolean;
  readonly maxDataBytes: number;
  readonly clock: () => number;
}

/** Who signs in, from where, and when that began. */
export interface SignInAttempt {
  readonly principal: SessionPrincipal;
  readonly client?: ClientInfo | undefined;
  readonly begun: BegunSignIn;
  /** Whether this very request has made the token that it goes by, so that no client has shown it. Default: false. */
  readonly isTokenOwn?: boolean;
}

/** A session on which somebody signs in. */
interface Found {
  readonly record: SessionRecord;
  /** Whether its newest token was ever shown. */
  readonly wasShown: boolean;
  /** The next token of its series. */
  readonly next: () => HashedToken;
}

/** Makes sessions, and applies authentication events to those there are. */
export class SignIn {
  constructor(
    private readonly store: SessionStore,
    private readonly tokens: TokenFormat,
    private readonly policy: SessionPolicy,
    private readonly lookup: SessionLookup,
    private readonly validation: TokenValidation,
    private readonly revocation: Revocation,
    private readonly events: SessionEvents,
    private readonly queue: SessionQueue,
    private readonly rules: SignInRules,
  ) {}

  /**
   * To be called before anybody looks at credentials: what is revoked, or whose roles change, after it has begun to ask
   * is not outlived by the sign-in.
   */
  async begin(): Promise<BegunSignIn> {
    const now = this.rules.clock();
    return new BegunSignIn(await this.store.latestChange(), now);
  }

  /** @throws SessionLimitError, SignInOvertakenError, SessionGoneError */
  async create(attempt: SignInAttempt): Promise<Issued> {
    const { admitted, issued } = await this.insert(attempt);
    this.settle(admitted);
    this.events.emit({ type: 'created' }, issued.record);
    return issued;
  }

  async createAnonymous(
    data: ReadonlySessionData | undefined,
    client: ClientInfo | undefined,
  ): Promise<Issued> {
    const token = this.tokens.mint();
    const record = this.newRecord(token, this.rules.clock(), { userId: null, data }, client);
    await this.store.insert(record, null);
    this.events.emit({ type: 'created' }, record);
    return { record, token: token.text };
  }

  /** The authentication event of the session with this id. @throws SessionGoneError and what `create` throws */
  authenticate(id: string, attempt: SignInAttempt): Promise<Issued> {
    return this.decide(id, attempt, async () => {
      const record = await this.lookup.byId(id);
      if (record === null) throw new SessionGoneError('There is no such session to authenticate.');
      const wasShown = record.confirmedAt !== null;
      return { record, wasShown, next: () => this.tokens.mintInSeriesAfter(record.seriesHash) };
    });
  }

  /**
   * The authentication event of the session whose token the request showed. The token is judged on the very state
   * that is changed: of two sign-ins with one token the second finds it dead. @throws as `authenticate`
   *
   * @param arrivedAt when the request did; default: now
   */
  authenticateShown(token: HashedToken, attempt: SignInAttempt, arrivedAt?: number): Promise<Issued> {
    return this.decide(token.seriesHash, attempt, async () => {
      const verdict = await this.validation.judge(token, arrivedAt);
      if (verdict.reason !== undefined)
        throw new SessionGoneError('Another request has used this token to sign in.');
      const { record, standing } = verdict;
      const wasShown = (standing === 'current' && !attempt.isTokenOwn) || record.confirmedAt !== null;
      return { record, wasShown, next: () => this.tokens.mintInSeriesOf(token) };
    });
  }

  /** Looks, decides, and changes what it saw. */
  private decide(session: string, attempt: SignInAttempt, look: () => Promise<Found>): Promise<Issued> {
    return this.queue.run(session, async (deadline) => {
      const found = await look();
      const { record, next } = found;
      const isOther = record.userId !== null && record.userId !== attempt.principal.userId;
      if (isOther) return this.replace(record, attempt, deadline);
      // A token planted before sign-in (fixation) must lead nowhere after it: hence a series of its own.
      const token = record.userId === null ? this.tokens.mint() : next();
      return this.apply(found, attempt, token, deadline);
    });
  }

  private async apply(
    { record, wasShown }: Found,
    attempt: SignInAttempt,
    token: HashedToken,
    deadline: Deadline,
  ): Promise<Issued | null> {
    const { principal } = attempt;
    const now = this.rules.clock();
    const wasAnonymous = record.userId === null;
    const roles = principal.roles === undefined ? record.roles : serializeRoles(principal.roles);
    const policy = this.policy.of(roles);
    const clocks = { ...provenNow(principal.level ?? 1, now, record), roles, lastSeenAt: now };
    const change = {
      ...rotationTo(token, record, now, policy.timeouts.renewal, wasShown),
      ...clocks,
      ...policy.deadlines(clocks),
      ...(wasAnonymous && {
        previousHash: null,
        previousKind: null,
        unshown: null,
        ...this.clientOf(attempt.client, record),
      }),
      ...this.mergeData(record, principal.data),
      userId: principal.userId,
    } satisfies Change;
    const { userId, tokenHash, confirmedAt, dataVersion } = record;
    // Roles that a `setRoles` at the same time gives are not to be undone, not even by those that the handler knows of.
    const expected = { userId, tokenHash, confirmedAt, dataVersion, roles: record.roles };
    const admission = this.admissionOf(attempt, now);
    const admitted = await deadline.run(() => this.store.admit(record.id, expected, change, admission));
    if (admitted.outcome === 'conflict') return null;
    this.settle(admitted);
    const authenticated = { ...record, ...change };
    this.events.emit({ type: 'authenticated' }, authenticated);
    return { record: authenticated, token: token.text };
  }

  /**
   * First the new session, then the end of the old one: a sign-in that is refused, or that the store does not answer, leaves
   * the old one as it was. Where that has changed meanwhile, the new one is taken back, and all of it is decided again.
   */
  private async replace(
    old: SessionRecord,
    attempt: SignInAttempt,
    deadline: Deadline,
  ): Promise<Issued | null> {
    const { admitted, issued } = await deadline.run(() => this.insert(attempt));
    // Decided again: a client that is told of an end drops its token, and the old session would live on without it.
    if (admitted.outcome === 'conflict') return null;
    this.settle(admitted);
    const { record } = issued;
    try {
      if (await deadline.run(() => this.revocation.replace(old))) {
        this.events.emit({ type: 'created' }, record);
        return issued;
      }
    } catch (error) {
      await this.takeBack(record);
      throw error;
    }
    await this.takeBack(record);
    return null;
  }

  /** However late it is: with a time of its own. Nobody has its token; what cannot be ended now ends by its idle timeout. */
  private async takeBack(record: SessionRecord): Promise<void> {
    await this.store.deleteExpected(record.id, {}).catch(() => {});
  }

  private async insert(attempt: SignInAttempt): Promise<{ admitted: Admitted; issued: Issued }> {
    const now = this.rules.clock();
    const token = this.tokens.mint();
    const record = this.newRecord(token, now, attempt.principal, attempt.client);
    const admitted = await this.store.insert(record, this.admissionOf(attempt, now));
    return { admitted, issued: { record, token: token.text } };
  }

  private admissionOf({ principal, begun }: SignInAttempt, now: number): Admission {
    if (begun.hasLapsed(now)) throw new SignInOvertakenError('The sign-in began too long ago: begin anew.');
    const { maxSessionsPerUser: max, onSessionLimit: onReached } = this.rules;
    const limit = max === null ? null : { max, onReached };
    return { userId: principal.userId, begun: begun.latestChange, now, limit };
  }

  private settle(admitted: Admitted): void {
    switch (admitted.outcome) {
      case 'limit-reached':
        throw new SessionLimitError('The user has as many sessions as are allowed.');
      case 'overtaken':
        throw new SignInOvertakenError('The sessions or roles of the user were changed during the sign-in.');
      case 'conflict':
        throw new SessionGoneError(
          'Newer sign-ins of the user have ended the session before it was told of.',
        );
      case 'admitted':
        this.revocation.evicted(admitted.evicted);
    }
  }

  private mergeData(
    record: SessionRecord,
    data: ReadonlySessionData | undefined,
  ): Pick<SessionRecord, 'data' | 'dataVersion'> {
    if (data === undefined) return { data: record.data, dataVersion: record.dataVersion };
    const merged = { ...parseData(record.data), ...data };
    return { data: serializeData(merged, this.rules.maxDataBytes), dataVersion: record.dataVersion + 1 };
  }

  /** Where the sign-in came from, or else what was known before. */
  private clientOf(client: ClientInfo | null | undefined, before: SessionClient): SessionClient {
    const { ip, userAgent, label } = toClient(client);
    const { recordClient } = this.rules;
    return {
      ip: recordClient ? (ip ?? before.ip) : null,
      userAgent: recordClient ? (userAgent ?? before.userAgent) : null,
      label: label ?? before.label,
    };
  }

  private newRecord(
    token: HashedToken,
    now: number,
    principal: NewSession,
    client: ClientInfo | undefined,
  ): SessionRecord {
    const { policy, rules } = this;
    return newRecord(token, now, principal, this.clientOf(client, NO_CLIENT), policy, rules.maxDataBytes);
  }
}
