import { type CanActivate, type ExecutionContext, Injectable, Logger } from '@nestjs/common';
import { toSession } from '../core/life/recorded-session.js';
import type { RefusalReason } from '../core/model/session.js';
import { SessionCore } from '../core/session-core.js';
import type { Accepted, Refused } from '../core/life/validation.js';
import {
  CrossOriginException,
  refusalOf,
  SessionInvalidException,
  TooManyGuessesException,
} from '../session.exceptions.js';
import { Arrivals } from './arrivals.js';
import { keepFromCaches } from './answer-headers.js';
import { assertAuthorized } from './authorization.js';
import { ChannelRule } from './channel.js';
import { type Credentials, readCredentials } from './credentials.js';
import { isCrossOrigin } from './cross-origin.js';
import { type Exchange, exchangeOf, type SessionResponse } from './exchange.js';
import { GuessWatch } from './guess-watch.js';
import { Refusals } from './refusals.js';
import { type RequestState, setState, stateOf } from './request-state.js';
import type { Requirement } from './requirement.js';
import { RequirementRegistry } from './requirement-registry.js';
import { SessionCookie } from './session-cookie.js';
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

  constructor(
    private readonly core: SessionCore,
    private readonly requirements: RequirementRegistry,
    private readonly arrivals: Arrivals,
    private readonly channels: ChannelRule,
    private readonly cookie: SessionCookie,
    private readonly delivery: TokenDelivery,
    private readonly guesses: GuessWatch,
    private readonly refusals: Refusals,
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
    if (exchange === null) return this.refuseMessage(context);
    // The guard may stand in the way twice: as a global one, and brought along by a decorator.
    return stateOf(exchange.request)?.granted === requirement || this.admit(exchange, requirement);
  }

  private async admit(exchange: Exchange, requirement: Requirement): Promise<boolean> {
    const { request, response } = exchange;
    let state = stateOf(request);
    try {
      const channel = this.channels.check(request);
      state ??= setState(
        request,
        this.newState(readCredentials(request, this.cookie.nameOn(channel)), this.arrivals.of(request)),
      );
      const { credentials } = state;
      const { kind } = credentials;
      if (kind === 'cookie') keepFromCaches(response);
      if (kind !== 'bearer') this.assertSameOrigin(exchange, requirement, credentials);
      if (kind === 'ambiguous') {
        throw new SessionInvalidException('The request shows more than one token.');
      }
      if (requirement.opens !== 'end' && kind !== 'none') {
        state.examination ??= this.examine(credentials, requirement, state.arrivedAt);
        const verdict = await state.examination;
        state.record = verdict.record;
        if (verdict.reason !== undefined)
          await this.dismiss(verdict.reason, exchange, requirement, credentials);
        // Here already, so that refusals and errors carry the new token too.
        else if (this.accept(verdict, requirement, state)) await this.renew(verdict, response, credentials);
      }
      // Its token is worth nothing, and the answer could bring a cookie all the same.
      if (requirement.opens === 'start' && kind === 'bearer' && !state.accepted) {
        this.assertSameOrigin(exchange, requirement, credentials);
      }
      this.authorize(requirement, state);
      state.granted = requirement;
      return true;
    } catch (error) {
      throw this.refusals.prepare(response, error, state?.record);
    }
  }

  private newState(credentials: Credentials, arrivedAt: number): RequestState {
    return {
      credentials,
      arrivedAt,
      examination: null,
      record: null,
      accepted: null,
      session: null,
      granted: null,
    };
  }

  /** What carries a cookie, or may bring one about, must not come from a foreign page. */
  private assertSameOrigin(
    exchange: Exchange,
    { opens, start, end }: Requirement,
    credentials: Credentials,
  ): void {
    const { transport = this.core.options.transport, crossOrigin = false } = opens === 'end' ? end : start;
    const hasCookie = credentials.kind === 'cookie' || credentials.kind === 'ambiguous';
    const concernsCookie = hasCookie || (opens !== null && transport === 'cookie');
    if (!concernsCookie || crossOrigin) return;
    if (isCrossOrigin(exchange, this.core.options.trustedOrigins, opens === 'start'))
      throw new CrossOriginException();
  }

  private examine(
    { token }: ShownToken,
    { isBackground, opens }: Requirement,
    arrivedAt: number,
  ): Promise<Accepted | Refused> {
    return this.core.validation.validate(token, { isActivity: !isBackground && opens === null, arrivedAt });
  }

  /** @returns whether the token is to be renewed: once in a request, and not where it is replaced or ended anyway */
  private accept(accepted: Accepted, { opens }: Requirement, state: RequestState): boolean {
    if (state.accepted !== null) return false;
    state.accepted = accepted;
    state.session = toSession(accepted.record, this.core.policy);
    return opens === null && this.core.rotation.isConcerned(accepted);
  }

  /** A token that was not accepted. @throws SessionInvalidException, TooManyGuessesException */
  private async dismiss(
    reason: RefusalReason,
    { request }: Exchange,
    { session }: Requirement,
    { token }: ShownToken,
  ): Promise<void> {
    const isGuess = reason === 'malformed' || reason === 'unknown';
    const wait = isGuess ? this.guesses.note(request, token) : null;
    if (session === 'none') return;
    throw wait === null ? refusalOf(reason) : new TooManyGuessesException(wait);
  }

  private async renew(accepted: Accepted, response: SessionResponse, { kind }: ShownToken): Promise<void> {
    const renewed = await this.core.rotation.renew(accepted);
    if (renewed !== null) this.delivery.renew(response, renewed, kind);
  }

  private authorize(requirement: Requirement, { accepted }: RequestState): void {
    const record = accepted?.record ?? null;
    const roles = record ? this.core.policy.of(record.roles).roles : [];
    assertAuthorized(requirement, record, roles, this.core.options.clock());
  }

  /** Messages of WebSocket and RPC have no request to read a token from: closed, unless `@Public()`. */
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
