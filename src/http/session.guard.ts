import { type CanActivate, type ExecutionContext, Injectable, Logger } from '@nestjs/common';
import { toSession } from '../core/recorded-session.js';
import { SessionCore } from '../core/session-core.js';
import type { Accepted, Refused } from '../core/validation.js';
import {
  CrossOriginException,
  refusalOf,
  SessionInvalidException,
  TooManyGuessesException,
} from '../session.exceptions.js';
import { Arrivals } from './arrivals.js';
import { assertAuthorized } from './authorization.js';
import { ChannelRule } from './channel.js';
import { type Credentials, readCredentials } from './credentials.js';
import { isCrossOrigin } from './cross-origin.js';
import { type Exchange, exchangeOf } from './exchange.js';
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
      const { kind } = state.credentials;
      if (kind !== 'bearer') this.assertSameOrigin(exchange, requirement, state.credentials);
      if (kind === 'ambiguous') {
        throw new SessionInvalidException('The request shows more than one token.');
      }
      if (requirement.opens !== 'end') await this.identify(exchange, requirement, state);
      // Its token is worth nothing, and the answer could bring a cookie all the same.
      if (requirement.opens === 'start' && kind === 'bearer' && !state.accepted) {
        this.assertSameOrigin(exchange, requirement, state.credentials);
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
    if (isCrossOrigin(exchange, this.core.options.trustedOrigins)) throw new CrossOriginException();
  }

  private async identify(exchange: Exchange, requirement: Requirement, state: RequestState): Promise<void> {
    const { credentials } = state;
    if (credentials.kind !== 'bearer' && credentials.kind !== 'cookie') return;
    state.examination ??= this.examine(exchange, requirement, credentials, state.arrivedAt);
    const verdict = await state.examination;
    state.record = verdict.record;
    if (verdict.reason === undefined) {
      state.accepted = verdict;
      state.session ??= toSession(verdict.record, this.core.policy);
      return;
    }
    const isGuess = verdict.reason === 'malformed' || verdict.reason === 'unknown';
    const wait = isGuess ? await this.guesses.note(exchange.request, credentials.token) : null;
    if (requirement.session === 'none') return;
    throw wait === null ? refusalOf(verdict.reason) : new TooManyGuessesException(wait);
  }

  private async examine(
    { response }: Exchange,
    { isBackground, opens }: Requirement,
    { kind, token }: ShownToken,
    arrivedAt: number,
  ): Promise<Accepted | Refused> {
    const isActivity = !isBackground && opens === null;
    const verdict = await this.core.validation.validate(token, { isActivity, arrivedAt });
    // Renewed here, so that refusals and errors carry the new token too.
    if (verdict.reason === undefined && opens === null && this.core.rotation.isConcerned(verdict)) {
      const renewed = await this.core.rotation.renew(verdict);
      if (renewed !== null) this.delivery.renew(response, renewed, kind);
    }
    return verdict;
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
