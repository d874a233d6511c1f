import { Injectable } from '@nestjs/common';
import { stringifySetCookie } from 'cookie';
import { SessionCore } from '../core/session-core.js';
import { type FinalHeaders, NO_STORE, setFinalHeaders } from './answer-headers.js';
import { type Channel, ChannelRule } from './channel.js';
import { readCookie } from './credentials.js';
import { requestOf, type SessionRequest, type SessionResponse } from './exchange.js';
import { OriginRule } from './origin-rule.js';

/** The cookie that `@StartSession` sets, the guard reads and `@EndSession` clears, for those who do it by hand. */
@Injectable()
export class SessionCookie {
  /** @internal Nest makes it. */
  constructor(
    private readonly core: SessionCore,
    private readonly channels: ChannelRule,
    private readonly origins: OriginRule,
  ) {}

  /**
   * The token that a browser shows, for `SessionService.validate` where no guard stands. `null` where there is none, or
   * more than one.
   *
   * @throws HttpsRequiredException where it came over plain HTTP, and the option `requireHttps` is on
   * @throws CrossOriginException where a page of another origin sent it by a method that may change something
   */
  read(request: SessionRequest): string | null {
    const name = this.nameOn(this.channels.check(request));
    const shown = readCookie(request.headers.cookie ?? '', name);
    if (shown.kind !== 'cookie') return null;
    this.origins.check({ request, isMutation: false }, false);
    return shown.token;
  }

  /**
   * Gives the token to the browser, as a cookie that no script can read, and keeps the answer out of caches.
   *
   * @throws HttpsRequiredException where it would go over plain HTTP, and the option `requireHttps` is on
   * @throws CrossOriginException where a page of another origin asks for it by a method that may change something
   */
  set(response: SessionResponse, token: string): void {
    const request = requestOf(response);
    this.channels.check(request);
    this.origins.check({ request, isMutation: false }, false);
    setFinalHeaders(response, this.headersFor(response, token));
  }

  /** What `set` sets, for an exchange that has been checked. */
  headersFor(response: SessionResponse, token: string): FinalHeaders {
    return { headers: NO_STORE, setCookie: this.header(response, token) };
  }

  /** Takes the cookie from the browser, over plain HTTP too. */
  clear(response: SessionResponse): void {
    setFinalHeaders(response, { headers: {}, setCookie: this.header(response, '') });
  }

  /** Over HTTPS only `__Host-` is read: no subdomain and no plain HTTP answer can have planted it. */
  nameOn(channel: Channel): string {
    const { name } = this.core.options.cookie;
    return channel === 'development' ? name : `__Host-${name}`;
  }

  private header(response: SessionResponse, value: string): string {
    const channel = this.channels.classify(requestOf(response));
    return stringifySetCookie({
      name: this.nameOn(channel),
      value,
      path: '/',
      httpOnly: true,
      secure: channel !== 'development',
      sameSite: this.core.options.cookie.sameSite,
      // No Max-Age while it lives: the browser is not to keep it in permanent storage.
      ...(value === '' && { maxAge: 0 }),
    });
  }
}
