import { Injectable } from '@nestjs/common';
import type { Transport } from '../core/options/options.js';
import type { ActiveSession, AnonymousSession, IssuedSession, PublicSession } from '../core/model/session.js';
import { RENEWAL_LAPSE } from '../core/outage/time-budgets.js';
import { NO_STORE, offerHeaders, setFinalHeaders } from './answer-headers.js';
import type { SessionResponse } from './exchange.js';
import { SessionCookie } from './session-cookie.js';
import { TokenChanges } from './token-changes.js';

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

/** A token for the client, beside what its handler answers. */
export interface TokenOffer {
  readonly sessionId: string;
  readonly token: string;
  readonly transport: Transport;
  /** The latest change of a token before the request was judged: see `TokenChanges`. */
  readonly changesSeen: number;
}

/** Hands tokens to clients, and keeps the answers that carry them out of every cache. */
@Injectable()
export class TokenDelivery {
  constructor(
    private readonly cookie: SessionCookie,
    private readonly changes: TokenChanges,
  ) {}

  /**
   * For an exchange that has been checked.
   *
   * @returns the body of the answer
   */
  issue(
    response: SessionResponse,
    { session, token }: IssuedSession<ActiveSession | AnonymousSession>,
    transport: Transport,
  ): BearerAnswer | CookieAnswer {
    if (transport === 'cookie') {
      setFinalHeaders(response, this.cookie.headersFor(response, token));
      return { session: session.toJSON() };
    }
    setFinalHeaders(response, { headers: NO_STORE });
    return { token, expiresAt: session.expiresAt, session: session.toJSON() };
  }

  /** Hands over the token of a session that was made for this request, unless a sign-in or an end has come by. */
  hand(response: SessionResponse, offer: TokenOffer): void {
    this.offer(response, offer, () => false);
  }

  /**
   * Hands over a renewed token. Not once a sign-in, a rotation or an end has come by, in the same request or beside it:
   * a late answer would put a dead token in the place of a living one. Nor with an answer that takes long, since on
   * another node the same may have happened. It can be asked for again.
   */
  renew(response: SessionResponse, renewal: TokenOffer): void {
    const lapsesAt = Date.now() + RENEWAL_LAPSE;
    this.offer(response, renewal, () => Date.now() >= lapsesAt);
  }

  private offer(response: SessionResponse, offer: TokenOffer, hasLapsed: () => boolean): void {
    const { sessionId, token, transport, changesSeen } = offer;
    const headers =
      transport === 'cookie'
        ? this.cookie.headersFor(response, token)
        : { headers: { ...NO_STORE, 'Session-Token': token } };
    const isStale = () => hasLapsed() || this.changes.hasChangedSince(sessionId, changesSeen);
    offerHeaders(response, { ...headers, isStale });
  }
}
