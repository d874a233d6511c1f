import type { INestApplicationContext } from '@nestjs/common';
import type { ClientInfo, SessionPrincipal } from '../core/model/principal.js';
import type { IssuedSession } from '../core/model/session.js';
import { ChannelRule } from '../http/channel.js';
import type { SessionRequest } from '../http/exchange.js';
import { SessionCookie } from '../http/session-cookie.js';
import { SessionService } from '../session.service.js';

/** A session, and the headers that show its token. */
export interface SignedIn extends IssuedSession {
  /** `Authorization: Bearer …` */
  readonly bearer: { readonly authorization: string };
  /** `Cookie: sid=…`, as a browser on the same machine would send it. */
  readonly cookie: { readonly cookie: string };
}

/** What a request from a test looks like to the application. */
const LOOPBACK = {
  protocol: 'http',
  httpVersion: '1.1',
  headers: { host: '127.0.0.1' },
  socket: { remoteAddress: '127.0.0.1' },
};

/**
 * A session without the ceremony of a sign-in:
 *
 * ```ts
 * const { bearer } = await signInAs(app, { userId: 'ana', roles: ['customer'] });
 * await request(app.getHttpServer()).get('/accounts').set(bearer).expect(200);
 * ```
 *
 * @param app the application, or the testing module that it is made of
 */
export async function signInAs(
  app: Pick<INestApplicationContext, 'get'>,
  principal: SessionPrincipal,
  client?: ClientInfo,
): Promise<SignedIn> {
  const { session, token } = await app.get(SessionService, { strict: false }).create(principal, client);
  const channel = app.get(ChannelRule, { strict: false }).classify(LOOPBACK as SessionRequest);
  const cookieName = app.get(SessionCookie, { strict: false }).nameOn(channel);
  return {
    session,
    token,
    bearer: { authorization: `Bearer ${token}` },
    cookie: { cookie: `${cookieName}=${token}` },
  };
}
