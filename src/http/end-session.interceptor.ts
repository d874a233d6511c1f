import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { Observable } from 'rxjs';
import { toSession } from '../core/life/recorded-session.js';
import type { ActiveSession, AnonymousSession } from '../core/model/session.js';
import { SessionCore } from '../core/session-core.js';
import { setFinalHeaders } from './answer-headers.js';
import { type Exchange, exchangeOf } from './exchange.js';
import { GuessWatch } from './guess-watch.js';
import { Refusals } from './refusals.js';
import { grantedState, replaceState, type RequestState } from './request-state.js';
import { RequirementRegistry } from './requirement-registry.js';
import { SessionCookie } from './session-cookie.js';

/** Ends the session on the server, and tells the browser to forget it, before the handler runs. */
@Injectable()
export class EndSessionInterceptor implements NestInterceptor {
  constructor(
    private readonly core: SessionCore,
    private readonly requirements: RequirementRegistry,
    private readonly cookie: SessionCookie,
    private readonly guesses: GuessWatch,
    private readonly refusals: Refusals,
  ) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const exchange = exchangeOf(context);
    const requirement = this.requirements.of(context);
    const state = exchange && grantedState(exchange, requirement);
    if (!exchange || !state)
      throw new Error('@EndSession() works only where SessionGuard has run before it.');
    const { response } = exchange;
    try {
      await this.end(exchange, state);
    } catch (error) {
      throw this.refusals.prepare(response, error, state.record);
    }
    const { transport = this.core.options.transport } = requirement.life;
    const { kind } = state.credentials;
    if (kind === 'cookie' || (kind === 'none' && transport === 'cookie')) {
      const { clearSiteData } = this.core.options.cookie;
      this.cookie.clear(response);
      const directives = clearSiteData.map((directive) => `"${directive}"`).join(', ');
      if (directives) setFinalHeaders(response, { headers: { 'Clear-Site-Data': directives } });
    }
    return next.handle();
  }

  /** Also where the session was gone already: whoever comes later in the request is not let in on what was seen before. */
  private async end(exchange: Exchange, state: RequestState): Promise<void> {
    if (!('token' in state.credentials)) return;
    const session = await this.endSessionOf(state.credentials.token, exchange, state);
    replaceState(exchange, state, { credentials: { kind: 'none' }, since: 'end', session });
  }

  /** Whichever token of the session it is, current or not: whoever signs out means the session. */
  private async endSessionOf(
    shown: string,
    { request }: Exchange,
    state: RequestState,
  ): Promise<ActiveSession | AnonymousSession | null> {
    const { lookup, policy, revocation, tokens } = this.core;
    const token = tokens.parse(shown);
    const record = token && (await lookup.byToken(token));
    if (token === null || record === null) {
      this.guesses.note(request, shown);
      if (token !== null)
        await revocation.signOutUnknown([token.seriesHash, ...tokens.seriesAfter(token.seriesHash)]);
      return null;
    }
    // Before it is ended: a refusal, as when the store does not answer, is to tell of this session.
    state.record = record;
    const isCurrent = lookup.isLive(record) && record.tokenHash === token.tokenHash;
    await revocation.signOut(record);
    return isCurrent ? toSession(record, policy.of(record.roles), this.core.clock.read()) : null;
  }
}
