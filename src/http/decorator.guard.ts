import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { isObservable, lastValueFrom } from 'rxjs';
import { Arrivals } from './arrivals.js';
import { ChannelRule } from './channel.js';
import { readCredentials } from './credentials.js';
import { exchangeOf, type SessionRequest } from './exchange.js';
import { noteAsked } from './placement/outside-calls.js';
import { grant, type RequestState, startState, stateToJudge } from './request-state.js';
import type { Requirement } from './requirement.js';
import { RequirementRegistry } from './requirement-registry.js';
import { SessionCookie } from './session-cookie.js';
import { SessionGuard } from './session.guard.js';
import { SignInBeginnings } from './sign-in-beginnings.js';
import { TokenChanges } from './token-changes.js';

/** Brings the guard along with a decorator: the very one that is global, so that a test can put another in its place. */
@Injectable()
export class DecoratorGuard implements CanActivate {
  private readonly isReplaced: boolean;

  constructor(
    private readonly guard: SessionGuard,
    private readonly arrivals: Arrivals,
    private readonly channels: ChannelRule,
    private readonly cookie: SessionCookie,
    private readonly changes: TokenChanges,
    private readonly requirements: RequirementRegistry,
    private readonly beginnings: SignInBeginnings,
  ) {
    this.isReplaced = guard.canActivate !== SessionGuard.prototype.canActivate;
  }

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    noteAsked(context);
    return this.isReplaced ? this.askReplacement(context) : this.guard.canActivate(context);
  }

  /** What a test has put in the guard's place leaves no state, without which no session is started or ended. */
  private async askReplacement(context: ExecutionContext): Promise<boolean> {
    const answer: unknown = await this.guard.canActivate(context);
    const isLetIn = Boolean(isObservable(answer) ? await lastValueFrom(answer) : answer);
    const requirement = this.requirements.of(context);
    const exchange = isLetIn && changesSession(requirement) ? exchangeOf(context) : null;
    if (exchange) {
      const { request } = exchange;
      const state = stateToJudge(request) ?? this.firstLookAt(request);
      if (requirement.opens === 'start') state.begun ??= await this.beginnings.of(request);
      grant(exchange, requirement, state);
    }
    return isLetIn;
  }

  private firstLookAt(request: SessionRequest): RequestState {
    const credentials = readCredentials(request, this.cookie.nameOn(this.channels.classify(request)));
    return startState(request, credentials, this.arrivals.of(request), this.changes.latest);
  }
}

function changesSession({ opens }: Requirement): boolean {
  return opens === 'start' || opens === 'end';
}
