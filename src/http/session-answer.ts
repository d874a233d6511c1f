import { Injectable } from '@nestjs/common';
import type { ActiveSession, AnonymousSession, IssuedSession } from '../core/model/session.js';
import { SessionCore } from '../core/session-core.js';
import { ChannelRule } from './channel.js';
import { readCredentials, shownBy } from './credentials.js';
import { requestOf, type SessionResponse } from './exchange.js';
import { OriginRule } from './origin-rule.js';
import { SessionCookie } from './session-cookie.js';
import { type BearerAnswer, type CookieAnswer, TokenDelivery } from './token-delivery.js';

/** What `@StartSession()` answers, for handlers that give a session a token by themselves. */
@Injectable()
export class SessionAnswer {
  /** @internal Nest makes it. */
  constructor(
    private readonly core: SessionCore,
    private readonly channels: ChannelRule,
    private readonly origins: OriginRule,
    private readonly cookie: SessionCookie,
    private readonly delivery: TokenDelivery,
  ) {}

  /**
   * Gives the token to the client by the way by which it has shown its own, in the body or as the cookie, and by the option
   * `transport` to who has shown none. The answer is kept out of caches.
   *
   * @param response with `@Res({ passthrough: true })`
   * @param issued as of `rotate`, `authenticate`, `create` or `createAnonymous`
   * @returns the body of the answer; there is no token in it where the browser has it in the cookie
   * @throws HttpsRequiredException where the token would go over plain HTTP, and the option `requireHttps` is on
   * @throws CrossOriginException where a page of another origin asks for the cookie by a method that may change something
   */
  with(
    response: SessionResponse,
    issued: IssuedSession<ActiveSession | AnonymousSession>,
  ): BearerAnswer | CookieAnswer {
    const request = requestOf(response);
    const credentials = readCredentials(request, this.cookie.nameOn(this.channels.check(request)));
    const transport = shownBy(credentials) ?? this.core.options.transport;
    if (transport === 'cookie') this.origins.check({ request, isMutation: false }, false);
    return this.delivery.issue(response, issued, transport);
  }
}
