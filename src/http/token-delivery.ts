import { Injectable } from '@nestjs/common';
import type { Transport } from '../core/options.js';
import type { IssuedSession, PublicSession } from '../core/session.js';
import { NO_STORE, setFinalHeaders } from './answer-headers.js';
import type { SessionResponse } from './exchange.js';
import { SessionCookie } from './session-cookie.js';

/** What a sign-in answers to an app: the token, and what it may know of the session. */
export interface BearerAnswer {
  readonly token: string;
  readonly expiresAt: Date;
  readonly session: PublicSession;
}

/** What it answers to a browser, which has the token in a cookie. */
export interface CookieAnswer {
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
    setFinalHeaders(response, NO_STORE);
    return { token, expiresAt: session.expiresAt, session: session.toJSON() };
  }

  /** Hands over the successor of the token that a request showed, the way that came. */
  renew(response: SessionResponse, token: string, transport: Transport): void {
    if (transport === 'cookie') this.cookie.set(response, token);
    else setFinalHeaders(response, { ...NO_STORE, 'Session-Token': token });
  }
}
