import { Injectable } from '@nestjs/common';
import type { Transport } from '../core/options/options.js';
import type { IssuedSession, PublicSession } from '../core/model/session.js';
import { RENEWAL_LAPSE } from '../core/outage/time-budgets.js';
import { NO_STORE, setFinalHeaders } from './answer-headers.js';
import type { SessionResponse } from './exchange.js';
import { SessionCookie } from './session-cookie.js';

/** What a sign-in answers to an app: the token, and what it may know of the session. */
export interface BearerAnswer {
  /** To be sent as `Authorization: Bearer`; to be kept in memory only. */
  readonly token: string;
  /** When the session ends unless there is activity. */
  readonly expiresAt: Date;
  /** Without `data`. */
  readonly session: PublicSession;
}

/** What it answers to a browser, which has the token in a cookie. */
export interface CookieAnswer {
  /** Without `data`. */
  readonly session: PublicSession;
}

/** Hands tokens to clients, and keeps the answers that carry them out of every cache. */
@Injectable()
export class TokenDelivery {
  constructor(private readonly cookie: SessionCookie) {}

  /** @returns the body of the answer */
  issue(response: SessionResponse, issued: IssuedSession, transport: Transport): BearerAnswer | CookieAnswer {
    const { session, token } = issued;
    if (transport === 'cookie') {
      this.cookie.set(response, token);
      return { session: session.toJSON() };
    }
    setFinalHeaders(response, { headers: NO_STORE });
    return { token, expiresAt: session.expiresAt, session: session.toJSON() };
  }

  /**
   * Hands over the successor of the token that a request showed, the way that came. Not with an answer that takes
   * long: by then another request may have brought a newer one, and this one can be asked for again.
   */
  renew(response: SessionResponse, token: string, transport: Transport): void {
    const headers =
      transport === 'cookie'
        ? this.cookie.headersFor(response, token)
        : { headers: { ...NO_STORE, 'Session-Token': token } };
    setFinalHeaders(response, { ...headers, lapsesAt: Date.now() + RENEWAL_LAPSE });
  }
}
