import { Injectable } from '@nestjs/common';
import type { Observable } from 'rxjs';
import { BegunSignIn } from './core/life/begun-sign-in.js';
import type { DataChange } from './core/life/data-update.js';
import type { RevokeAllOptions, RevokeEveryoneOptions, RevokeOptions } from './core/life/revocation.js';
import type { ListOptions } from './core/life/session-lookup.js';
import type { Actor } from './core/model/actor.js';
import { InvalidArgumentError, SessionGoneError } from './core/model/errors.js';
import type { SessionEvent } from './core/model/session-event.js';
import { describePolicy, type SessionPolicyDocument } from './core/options/policy-document.js';
import { assertPrincipal, type ClientInfo, type SessionPrincipal } from './core/model/principal.js';
import type { SessionRecord } from './core/model/record.js';
import { toActiveSession, toSession } from './core/life/recorded-session.js';
import type { Issued } from './core/life/rotation.js';
import type {
  ActiveSession,
  AnonymousSession,
  IssuedSession,
  ReadonlySessionData,
  Role,
  SessionData,
  SessionVerdict,
} from './core/model/session.js';
import { isSessionId } from './core/model/session-id.js';
import { SessionCore } from './core/session-core.js';
import { toException } from './session.exceptions.js';

/** For a sign-in by hand. */
export interface SignInOptions {
  /** When it began, as `beginSignIn()` said. Default: with the call. */
  readonly begun?: BegunSignIn;
}

/**
 * The verbs of sessions. What is not there is an answer (`null`, `false`, 0); misuse is a 400, a session that is gone
 * a 401, a store that cannot be reached a 503: all of them `HttpException`s with a `code` in the body.
 */
@Injectable()
export class SessionService {
  /** What happens to sessions, on this process. A subscriber that throws is logged and harms nobody. */
  readonly events: Observable<SessionEvent>;

  /** @internal Nest makes it. */
  constructor(private readonly core: SessionCore) {
    this.events = core.events.stream;
  }

  /**
   * Says that a sign-in begins, for `create` and `authenticate`: call it before your code looks at credentials. A sign-in
   * does not outlive a `revokeAll`, `revokeEveryone` or `setRoles` that comes after it has begun. On routes with
   * `@StartSession()` the guard does this; where something looks at credentials before the guard, `BeginSignIn` does.
   */
  beginSignIn(): Promise<BegunSignIn> {
    return this.answer(() => this.core.signIn.begin());
  }

  /**
   * Makes a session of somebody whose credentials your code has verified. Without `options.begun` the sign-in begins with
   * this call: it outlives a revocation that came while the credentials were looked at.
   *
   * @throws SessionLimitException (409) at `maxSessionsPerUser` with `onSessionLimit: 'reject'`
   * @throws SessionInvalidException (401) when the user's sessions were revoked or roles changed meanwhile
   */
  create(principal: SessionPrincipal, client?: ClientInfo, options?: SignInOptions): Promise<IssuedSession> {
    return this.answer(async () => {
      assertPrincipal(principal, this.core.options.maxDataBytes);
      const begun = await this.begunOf(options);
      return this.issued(await this.core.signIn.create({ principal, client, begun }));
    });
  }

  /**
   * Makes a session of nobody yet, for what must be kept before sign-in: a cart, a language, a sign-in in progress.
   * @throws InvalidSessionArgumentException (400) for data that is no JSON object, or larger than `maxDataBytes`
   */
  createAnonymous(data?: ReadonlySessionData, client?: ClientInfo): Promise<IssuedSession<AnonymousSession>> {
    return this.answer(async () => {
      const { record, token } = await this.core.signIn.createAnonymous(data, client);
      return { session: this.sessionOf(record) as AnonymousSession, token };
    });
  }

  /**
   * The authentication event of a session: sign-in on an anonymous one, step-up of the same user, or replacement by
   * another user's. The earlier token is dead when this returns.
   *
   * @throws SessionInvalidException (401) when the session is gone; as `create` otherwise
   */
  authenticate(id: string, principal: SessionPrincipal, options?: SignInOptions): Promise<IssuedSession> {
    return this.answer(async () => {
      assertPrincipal(principal, this.core.options.maxDataBytes);
      if (!isSessionId(id)) throw new SessionGoneError('There is no such session to authenticate.');
      const begun = await this.begunOf(options);
      return this.issued(await this.core.signIn.authenticate(id, { principal, begun }));
    });
  }

  /** The session of a token, or why there is none. Counts as activity. Takes anything, and throws only a 503. */
  validate(token: string): Promise<SessionVerdict> {
    return this.answer(async () => {
      const verdict = await this.core.validation.validate(token);
      return verdict.reason === undefined
        ? { session: toSession(verdict.record, verdict.policy, verdict.now) }
        : { session: null, reason: verdict.reason };
    });
  }

  /** A new token for a session; the earlier one is dead. @throws SessionInvalidException (401) when it is gone */
  rotate(id: string): Promise<IssuedSession> {
    return this.answer(async () => this.issued(await this.core.rotation.rotate(id)));
  }

  /** A live session by its id; `null` when there is none. @throws InvalidSessionArgumentException (400) for what is no id */
  get(id: string): Promise<ActiveSession | AnonymousSession | null> {
    return this.answer(async () => {
      const record = await this.core.lookup.byId(id);
      return record && this.sessionOf(record);
    });
  }

  /**
   * The live sessions of a user, newest first: what a list of devices shows (OWASP ASVS 7.5.2). At most `limit` (1,000
   * unless you say less), from the newest on or from the one before `before`: pass the id of the last one of a page to get
   * the next page. A page with fewer is the last one.
   * @throws InvalidSessionArgumentException (400) for what is no user id, no such limit or no id
   */
  list(userId: string, options?: ListOptions): Promise<ActiveSession[]> {
    return this.answer(async () => {
      const records = await this.core.lookup.ofUser(userId, options);
      const now = this.core.clock.read();
      return records.map((record) => toActiveSession(record, this.core.policy.of(record.roles), now));
    });
  }

  /**
   * Changes the data of a session. `change` gets a copy of the newest data and returns what is to be kept; it is
   * called again when somebody else was faster, so no update is lost. `null` when the session is gone.
   * @throws InvalidSessionArgumentException (400) for data that is no JSON object, or larger than `maxDataBytes`
   */
  update(id: string, change: DataChange): Promise<SessionData | null> {
    return this.answer(() => this.core.dataUpdate.update(id, change));
  }

  /**
   * Gives all live sessions of a user these roles, from their next request on, and makes their tokens due for renewal.
   * How many there are. Store the roles with the user first: the next sign-in reads them there (OWASP ASVS 8.3.2). It works
   * by batches of 1,000: after a 503 some sessions may have them, and others not yet. Repeat it then.
   * @param by who does it, for the audit trail
   * @throws InvalidSessionArgumentException (400) for what is no user id, no list of role names or no actor
   */
  setRoles(userId: string, roles: Role[], by?: Actor): Promise<number> {
    return this.answer(() => this.core.roleChange.setRoles(userId, roles, by));
  }

  /**
   * Ends a session; with `userId` only if it is theirs. Whether there was one to end. `by` says who does it, for the
   * audit trail.
   * @throws InvalidSessionArgumentException (400) for what is no id, no owner or no actor
   */
  revoke(id: string, options?: RevokeOptions): Promise<boolean> {
    return this.answer(() => this.core.revocation.revoke(id, options));
  }

  /**
   * Ends all sessions of a user, but for `except`; how many there were. A sign-in that began before does not outlive it
   * (OWASP ASVS 7.4.2, 7.4.3), one that begins later is spared. `by` says who does it, for the audit trail. It works by
   * batches of 1,000, as long as there are sessions: after a 503 some may be left, which still let in. Repeat it then.
   * @throws InvalidSessionArgumentException (400) for what is no user id, no id or no actor
   */
  revokeAll(userId: string, options?: RevokeAllOptions): Promise<number> {
    return this.answer(() => this.core.revocation.revokeAll(userId, options));
  }

  /**
   * Ends all sessions there are, or with `createdBefore` those that were made before; how many there were. After a backup
   * was restored, or a standby promoted that had not everything, sessions that were ended live again: end those from before
   * that moment. Sign-ins under way are refused. It works by batches,
   * as `revokeAll` does. `by` says who does it, for the audit trail.
   * @throws InvalidSessionArgumentException (400) for what is no time or no actor
   */
  revokeEveryone(options?: RevokeEveryoneOptions): Promise<number> {
    return this.answer(() => this.core.revocation.revokeEveryone(options));
  }

  /** Removes the rows of expired sessions, until `signal` says to stop; how many. Runs by itself unless `purge` is `false`. */
  purgeExpired(signal?: AbortSignal): Promise<number> {
    return this.answer(() => this.core.purge.purgeExpired(signal));
  }

  /**
   * How many sessions are live, of users and of nobody: exact up to some thousands, beyond that an estimate, about 3 % from the
   * truth. It reads some 17,000 rows at most: ask once in a minute, not with every request. `null` where a
   * store of your own cannot say.
   */
  estimateLive(): Promise<number | null> {
    return this.answer(() => this.core.liveEstimate.estimate());
  }

  /** How long sessions last and how many there may be, as the application is set, with the standards' figures beside. */
  policy(): SessionPolicyDocument {
    const { options, hierarchy, policy } = this.core;
    return describePolicy(options, hierarchy, policy);
  }

  private async begunOf(options: SignInOptions | undefined): Promise<BegunSignIn> {
    const begun = options?.begun;
    if (begun === undefined) return this.core.signIn.begin();
    if (begun instanceof BegunSignIn) return begun;
    throw new InvalidArgumentError('options.begun', begun, 'pass what `beginSignIn()` has returned.');
  }

  private issued({ record, token }: Issued): IssuedSession {
    return { session: this.sessionOf(record) as ActiveSession, token };
  }

  private sessionOf(record: SessionRecord): ActiveSession | AnonymousSession {
    return toSession(record, this.core.policy.of(record.roles), this.core.clock.read());
  }

  private async answer<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw toException(error);
    }
  }
}
