import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Arrivals } from './arrivals.js';
import { ChannelRule } from './channel.js';
import { readCredentials } from './credentials.js';
import { exchangeOf } from './exchange.js';
import { startState, stateOf } from './request-state.js';
import { SessionCookie } from './session-cookie.js';
import { SessionGuard } from './session.guard.js';

/** Brings the guard along with a decorator: the very one that is global, so that a test can put another in its place. */
@Injectable()
export class DecoratorGuard implements CanActivate {
  private readonly isReplaced: boolean;

  constructor(
    private readonly guard: SessionGuard,
    private readonly arrivals: Arrivals,
    private readonly channels: ChannelRule,
    private readonly cookie: SessionCookie,
  ) {
    this.isReplaced = guard.canActivate !== SessionGuard.prototype.canActivate;
  }

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    return this.isReplaced ? this.askReplacement(context) : this.guard.canActivate(context);
  }

  /** What a test has put in the guard's place leaves no state, without which no session is started or ended. */
  private async askReplacement(context: ExecutionContext): Promise<boolean> {
    const isLetIn = await this.guard.canActivate(context);
    const request = exchangeOf(context)?.request;
    if (isLetIn && request && !stateOf(request)) {
      const cookieName = this.cookie.nameOn(this.channels.classify(request));
      startState(request, readCredentials(request, cookieName), this.arrivals.of(request));
    }
    return isLetIn;
  }
}
