import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { Observable } from 'rxjs';
import { toSession } from '../core/life/recorded-session.js';
import type { Issued } from '../core/life/rotation.js';
import { SessionCore } from '../core/session-core.js';
import { refusalOf } from '../session.exceptions.js';
import { type Exchange, exchangeOf, type SessionRequest } from './exchange.js';
import { Refusals } from './refusals.js';
import { grantedState, replaceState, type RequestState, stateOf } from './request-state.js';
import type { Requirement } from './requirement.js';
import { RequirementRegistry } from './requirement-registry.js';
import { TokenDelivery } from './token-delivery.js';

/** Makes a session of nobody for a request that has none, before the handler runs, and hands its token over. */
@Injectable()
export class EnsureSessionInterceptor implements NestInterceptor {
  /** Those that are being made, by their requests: resolvers of one document share one. */
  private readonly underWay = new WeakMap<SessionRequest, Promise<Issued>>();

  constructor(
    private readonly core: SessionCore,
    private readonly requirements: RequirementRegistry,
    private readonly delivery: TokenDelivery,
    private readonly refusals: Refusals,
  ) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const exchange = exchangeOf(context);
    const requirement = this.requirements.of(context);
    const state = exchange && grantedState(exchange, requirement);
    if (!exchange || !state)
      throw new Error('@EnsureSession() works only where SessionGuard has run before it.');
    try {
      if (state.session === null) await this.ensure(exchange, state, requirement);
    } catch (error) {
      throw this.refusals.prepare(exchange.response, error, state.record);
    }
    return next.handle();
  }

  private async ensure(exchange: Exchange, state: RequestState, requirement: Requirement): Promise<void> {
    const verdict = await state.examination;
    // Its client has a newer token, or soon will: that of another session must not take its place.
    if (verdict?.reason === 'rotated') throw refusalOf(verdict.reason);
    const { request, response } = exchange;
    const latest = stateOf(request);
    if (latest?.since === 'start') return replaceState(exchange, latest, latest);
    const { record, token } = await this.made(request);
    const accepted = this.core.validation.acceptedAs(record, token);
    const { transport = this.core.options.transport } = requirement.life;
    replaceState(exchange, state, {
      credentials: { kind: transport, token },
      since: 'start',
      examination: Promise.resolve(accepted),
      isActivity: true,
      record,
      accepted,
      session: toSession(record, accepted.policy, accepted.now),
    });
    this.delivery.hand(response, {
      sessionId: record.id,
      token,
      transport,
      changesSeen: state.changesSeen,
    });
  }

  private made(request: SessionRequest): Promise<Issued> {
    const known = this.underWay.get(request);
    if (known) return known;
    const client = { ip: request.ip ?? null, userAgent: request.headers['user-agent'] ?? null };
    const made = this.core.signIn
      .createAnonymous(undefined, client)
      .finally(() => this.underWay.delete(request));
    this.underWay.set(request, made);
    return made;
  }
}
