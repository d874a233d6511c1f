import { v7 as uuidv7 } from 'uuid';
import type { SessionTurns } from './contention.js';
import { parseData, serializeData } from '../model/data.js';
import { SessionGoneError, SessionLimitError, SignInOvertakenError } from '../model/errors.js';
import type { SessionEvents } from '../events/session-events.js';
import type { SessionPolicy } from '../policy/policy.js';
import { type ClientInfo, type SessionPrincipal, serializeRoles, toClient } from '../model/principal.js';
import type { SessionRecord } from '../model/record.js';
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

/** Who signs in, from where, and when the request that brought the credentials arrived: see `ArrivalOrder`. */
export interface SignInAttempt {
  readonly principal: SessionPrincipal;
  readonly client?: ClientInfo | undefined;
  readonly arrivedAt: number;
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
    private readonly turns: SessionTurns,
    private readonly rules: SignInRules,
  ) {}

  /** @throws SessionLimitError, SignInOvertakenError */
  async create(attempt: SignInAttempt): Promise<Issued> {
    const { principal } = attempt;
    const now = this.rules.clock();
    const token = this.tokens.mint();
    const record = this.newRecord(token, now, principal, attempt.client);
    this.settle(await this.store.insert(record, this.admissionOf(attempt, now)));
    this.events.emit({ type: 'created' }, record);
    return { record, token: token.text };
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
      return { record, next: () => this.tokens.mintInSeriesAfter(record.seriesHash) };
    });
  }

  /**
   * The authentication event of the session whose token the request showed. The token is judged on the very state
   * that is changed: of two sign-ins with one token the second finds it dead. @throws as `authenticate`
   */
  authenticateShown(token: HashedToken, attempt: SignInAttempt): Promise<Issued> {
    return this.decide(token.seriesHash, attempt, async () => {
      const verdict = await this.validation.judge(token, attempt.arrivedAt);
      if (verdict.reason !== undefined)
        throw new SessionGoneError('Another request has used this token to sign in.');
      return { record: verdict.record, next: () => this.tokens.mintInSeriesOf(token) };
    });
  }

  /** Looks, decides, and changes what it saw. */
  private decide(
    session: string,
    attempt: SignInAttempt,
    look: () => Promise<{ record: SessionRecord; next: () => HashedToken }>,
  ): Promise<Issued> {
    return this.turns.untilUncontended(session, async (inTime) => {
      const { record, next } = await look();
      inTime();
      const isOther = record.userId !== null && record.userId !== attempt.principal.userId;
      if (isOther) return this.replace(record, attempt);
      // A token planted before sign-in (fixation) must lead nowhere after it: hence a series of its own.
      return this.apply(record, attempt, record.userId === null ? this.tokens.mint() : next());
    });
  }

  private async apply(
    record: SessionRecord,
    attempt: SignInAttempt,
    token: HashedToken,
  ): Promise<Issued | null> {
    const { principal } = attempt;
    const now = this.rules.clock();
    const wasAnonymous = record.userId === null;
    const roles = principal.roles === undefined ? record.roles : serializeRoles(principal.roles);
    const policy = this.policy.of(roles);
    const clocks = { roles, authenticatedAt: now, lastSeenAt: now };
    const change = {
      ...rotationTo(token, record, now, policy.timeouts.renewal),
      ...clocks,
      ...policy.deadlines(clocks),
      ...(wasAnonymous && {
        previousHash: null,
        previousKind: null,
        ...this.clientOf(attempt.client, record),
      }),
      ...this.mergeData(record, principal.data),
      userId: principal.userId,
      level: Math.max(record.level, principal.level ?? 1) as SessionRecord['level'],
    } satisfies Change;
    const { tokenHash, dataVersion } = record;
    // Roles that are kept must still be the ones that were read.
    const expected = {
      tokenHash,
      dataVersion,
      ...(principal.roles === undefined && { roles: record.roles }),
    };
    const admission = this.admissionOf(attempt, now, wasAnonymous);
    const admitted = await this.store.admit(record.id, expected, change, admission);
    if (admitted.outcome === 'conflict') return null;
    this.settle(admitted);
    const authenticated = { ...record, ...change };
    this.events.emit({ type: 'authenticated' }, authenticated);
    return { record: authenticated, token: token.text };
  }

  private async replace(record: SessionRecord, attempt: SignInAttempt): Promise<Issued | null> {
    return (await this.revocation.replace(record)) ? this.create(attempt) : null;
  }

  private admissionOf({ principal, arrivedAt }: SignInAttempt, now: number, addsSession = true): Admission {
    const { maxSessionsPerUser: max, onSessionLimit: onReached } = this.rules;
    const limit = max === null || !addsSession ? null : { max, onReached };
    return { userId: principal.userId, arrivedAt, now, limit };
  }

  private settle(admitted: Admitted): void {
    switch (admitted.outcome) {
      case 'limit-reached':
        throw new SessionLimitError('The user has as many sessions as are allowed.');
      case 'overtaken':
        throw new SignInOvertakenError('The sessions or roles of the user were changed during the sign-in.');
      case 'conflict':
        throw new SessionGoneError('The session changed during the sign-in.');
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
    { seriesHash, tokenHash }: HashedToken,
    now: number,
    principal: Omit<SessionPrincipal, 'userId'> & { userId: string | null },
    client: ClientInfo | undefined,
  ): SessionRecord {
    const roles = serializeRoles(principal.roles ?? []);
    const policy = this.policy.of(roles);
    const clocks = { roles, authenticatedAt: now, lastSeenAt: now };
    return {
      id: uuidv7(),
      seriesHash,
      tokenHash,
      confirmedAt: null,
      rotatedAt: now,
      previousHash: null,
      previousKind: null,
      successor: null,
      userId: principal.userId,
      level: principal.level ?? 1,
      createdAt: now,
      ...clocks,
      ...policy.deadlines(clocks),
      renewAt: now + policy.timeouts.renewal,
      ...this.clientOf(client, NO_CLIENT),
      data: serializeData(principal.data ?? {}, this.rules.maxDataBytes),
      dataVersion: 0,
    };
  }
}
