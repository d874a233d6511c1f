import { type CanActivate, type ExecutionContext, Injectable, Logger } from '@nestjs/common';
import type { AcceptedToken } from '../core/life/accepted-token.js';
import { toSession } from '../core/life/recorded-session.js';
import type { RefusalReason } from '../core/model/session.js';
import type { RefusedToken } from '../core/life/validation.js';
import { SessionCore } from '../core/session-core.js';
import { refusalOf, SessionInvalidException, TooManyGuessesException } from '../session.exceptions.js';
import { Arrivals } from './arrivals.js';
import { keepFromCaches } from './answer-headers.js';
import { assertAuthorized } from './authorization.js';
import { ChannelRule } from './channel.js';
import { type Credentials, readCredentials } from './credentials.js';
import { OriginRule } from './origin-rule.js';
import { type Exchange, exchangeOf, type SessionRequest, type SessionResponse } from './exchange.js';
import { GuessWatch } from './guess-watch.js';
import { LiveConnections } from './live-connections.js';
import { Refusals } from './refusals.js';
import {
  branchState,
  grant,
  grantedState,
  type RequestState,
  startState,
  stateToJudge,
} from './request-state.js';
import { needsSession, type Requirement } from './requirement.js';
import { RequirementRegistry } from './requirement-registry.js';
import { SignInBeginnings } from './sign-in-beginnings.js';
import { SessionCookie } from './session-cookie.js';
import { TokenChanges } from './token-changes.js';
import { TokenDelivery } from './token-delivery.js';

type ShownToken = Extract<Credentials, { token: string }>;

/**
 * Lets a request in when it came over HTTPS, from no foreign page, with the token of a live session that meets the
 * requirement of the handler. Global by default. The checks are made in the order of the answers that they give.
 */
@Injectable()
export class SessionGuard implements CanActivate {
  private readonly logger = new Logger('SessionGuard');
  private hasToldOfMessages = false;

  /** @internal Nest makes it. */
  constructor(
    private readonly core: SessionCore,
    private readonly requirements: RequirementRegistry,
    private readonly arrivals: Arrivals,
    private readonly beginnings: SignInBeginnings,
    private readonly channels: ChannelRule,
    private readonly origins: OriginRule,
    private readonly cookie: SessionCookie,
    private readonly changes: TokenChanges,
    private readonly delivery: TokenDelivery,
    private readonly guesses: GuessWatch,
    private readonly refusals: Refusals,
    private readonly connections: LiveConnections,
  ) {}

  /**
   * Whether the request may go on.
   *
   * @throws SessionException with the status and `code` of the first check that failed
   */
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const requirement = this.requirements.of(context);
    if (requirement.opens === 'public') return true;
    const exchange = exchangeOf(context);
    if (exchange === null) return this.judgeMessage(context, requirement);
    // Where the guard is global and a decorator brings it along too, a request comes here twice for one handler.
    return grantedState(exchange, requirement) !== undefined || this.check(exchange, requirement);
  }

  /** In the order of the table "What is checked on every request" in the README. */
  private async check(exchange: Exchange, requirement: Requirement): Promise<boolean> {
    const { request, response } = exchange;
    // Apollo's caches keep a whole answer, and give it out before any guard.
    exchange.cacheControl?.setCacheHint({ scope: 'PRIVATE' });
    let state: RequestState | undefined;
    try {
      const cookieName = this.cookie.nameOn(this.channels.check(request));
      state = stateToJudge(request) ?? this.firstLookAt(request, cookieName);
      const { credentials } = state;
      // What greets a guest depends on the cookie too: on its not being there.
      if (credentials.kind === 'cookie' || requirement.session === 'optional') keepFromCaches(response);
      // A browser adds its cookies to what foreign pages send as well; a bearer token it never adds by itself.
      if (credentials.kind !== 'bearer') this.assertSameOrigin(exchange, requirement, credentials);
      if (credentials.kind === 'ambiguous') {
        throw new SessionInvalidException('The request shows more than one token.');
      }
      // Sign-out ends the session of any token of it, accepted or not.
      if (credentials.kind !== 'none' && requirement.opens !== 'end') {
        state = this.asOfNow(request, state);
        const verdict = await this.examine(credentials, requirement, state);
        state.record = verdict.record;
        if (verdict.reason !== undefined) {
          state.accepted = state.session = null;
          await this.dismiss(verdict.reason, exchange, requirement, credentials);
        }
        // Before the authorisation, so that an answer that refuses for want of a role brings the new token too. By then
        // the old one is on its way out, and the client could not know.
        else if (this.accept(verdict, requirement, state))
          await this.renew(verdict, response, credentials, state);
      }
      assertAuthorized(requirement, state.accepted);
      if (requirement.opens === 'start') state.begun ??= await this.beginnings.of(request);
      grant(exchange, requirement, state);
      const goesOn = requirement.isStream || exchange.isSubscription;
      if (goesOn && state.accepted) this.connections.keep(response, requirement, state.accepted);
      return true;
    } catch (error) {
      throw this.refusals.prepare(response, error, state?.record);
    }
  }

  private firstLookAt(request: SessionRequest, cookieName: string): RequestState {
    const credentials = readCredentials(request, cookieName);
    return startState(request, credentials, this.arrivals.of(request), this.changes.latest);
  }

  /** What carries a cookie, or may bring one about, must not come from a foreign page. @throws CrossOriginException */
  private assertSameOrigin(
    exchange: Exchange,
    { opens, session, life }: Requirement,
    { kind }: Credentials,
  ): void {
    const { transport = this.core.options.transport, crossOrigin = false } = life;
    const hasCookie = kind === 'cookie' || kind === 'ambiguous';
    const mayBringOne = opens !== null || session === 'ensured';
    const concernsCookie = hasCookie || (mayBringOne && transport === 'cookie');
    if (!concernsCookie || crossOrigin) return;
    this.origins.check(exchange, mayBringOne);
  }

  /** An earlier handler of the same request, or anybody beside it, may have ended the session that it was let in on. */
  private asOfNow(request: SessionRequest, state: RequestState): RequestState {
    const { withdrawals } = this.changes;
    if (state.examination === null || state.withdrawalsSeen === withdrawals) return state;
    const examination = state.examination.then((verdict) =>
      verdict.reason === undefined ? this.core.validation.review(verdict) : verdict,
    );
    return Object.assign(branchState(request, state), { examination, withdrawalsSeen: withdrawals });
  }

  /** Once in a request, however many handlers it has: those of GraphQL run side by side. */
  private examine(
    { token }: ShownToken,
    { isBackground, opens, level, maxAge }: Requirement,
    state: RequestState,
  ): Promise<AcceptedToken | RefusedToken> {
    const { validation } = this.core;
    const isActivity = !isBackground && opens === null;
    const isStrict = level > 0 || maxAge !== null;
    const { arrivedAt } = state;
    let { examination } = state;
    if (examination === null) {
      state.isActivity = isActivity;
      state.withdrawalsSeen = this.changes.withdrawals;
      return (state.examination = validation.validate(token, { isActivity, isStrict, arrivedAt }));
    }
    if (isActivity && !state.isActivity) {
      // Beside a handler in the background, and after it: the request is activity all the same.
      state.isActivity = true;
      examination = examination.then((verdict) =>
        verdict.reason === undefined ? validation.noteActivity(verdict) : verdict,
      );
    }
    if (isStrict) {
      // Beside a handler for which memory was good enough.
      const showing = { isActivity: state.isActivity, isStrict, arrivedAt };
      examination = examination.then((verdict) => {
        const isRemembered = verdict.reason === undefined && verdict.isRemembered;
        return isRemembered ? validation.validate(token, showing) : verdict;
      });
    }
    return (state.examination = examination);
  }

  /** A token that was not accepted. @throws SessionInvalidException, TooManyGuessesException, CrossOriginException */
  private async dismiss(
    reason: RefusalReason,
    exchange: Exchange,
    requirement: Requirement,
    shown: ShownToken,
  ): Promise<void> {
    const isGuess = reason === 'malformed' || reason === 'unknown';
    const wait = isGuess ? this.guesses.note(exchange.request, shown.token) : null;
    if (needsSession(requirement)) {
      throw wait === null ? refusalOf(reason) : new TooManyGuessesException(wait);
    }
    // It goes on as if no token had been shown, and its answer may set a cookie. Anybody can invent a bearer token that is
    // dead: without this check it would be a way around the one that is left out for bearer tokens.
    this.assertSameOrigin(exchange, requirement, shown);
  }

  /** @returns whether the token is to be renewed: once in a request, and not where it is replaced or ended anyway */
  private accept(accepted: AcceptedToken, { opens }: Requirement, state: RequestState): boolean {
    const isFirst = state.accepted === null;
    if (state.accepted !== accepted) {
      state.accepted = accepted;
      state.session = toSession(accepted.record, accepted.policy, accepted.now);
    }
    return isFirst && opens === null && accepted.isRenewalDue;
  }

  private async renew(
    accepted: AcceptedToken,
    response: SessionResponse,
    { kind: transport }: ShownToken,
    { changesSeen }: RequestState,
  ): Promise<void> {
    const token = await this.core.rotation.renew(accepted);
    const sessionId = accepted.record.id;
    if (token !== null) this.delivery.renew(response, { sessionId, token, transport, changesSeen });
  }

  /** What comes over a socket is judged on what that was opened with. */
  private judgeMessage(context: ExecutionContext, requirement: Requirement): boolean | Promise<boolean> {
    switch (context.getType<'ws' | 'graphql'>()) {
      case 'ws':
        return this.connections.admitMessage(context, requirement);
      case 'graphql':
        return this.connections.admitOperation(context, requirement);
      default:
        return this.refuseMessage(context);
    }
  }

  /** Messages of RPC have no request to read a token from: closed, unless `@Public()`. */
  private refuseMessage(context: ExecutionContext): false {
    if (this.hasToldOfMessages) return false;
    this.hasToldOfMessages = true;
    this.logger.warn(
      `${context.getClass().name} got a message of type '${context.getType()}', for which sessions are not supported: ` +
        'it was refused. Put @Public() on the handler if it needs no session.',
    );
    return false;
  }
}
