import { SessionClientError } from './errors.js';
import type { Holding } from './holder.js';
import { addressOn } from './origin.js';
import { type InitLike, platform, type RequestLike, type ResponseLike, type Send } from './platform.js';

export interface Line {
  readonly origin: string;
  readonly isCookie: boolean;
  readonly send: Send;
}

/** Sends one request to the origin, with the token if there is one, and takes the answer of nobody else. */
export async function transmit(
  { origin, isCookie, send }: Line,
  input: string | RequestLike,
  init: InitLike,
  held: Pick<Holding, 'token'> | null,
): Promise<ResponseLike> {
  const request = typeof input === 'string' ? null : input;
  const headers = new platform.Headers(init.headers ?? request?.headers);
  if (held?.token) headers.set('Authorization', `Bearer ${held.token}`);
  // A content type without content is a 400 on Fastify.
  if (!request && !init.body) headers.delete('Content-Type');
  if (isCookie) return send(input, { credentials: 'include', ...init, headers });
  const response = await send(input, { ...init, headers, redirect: 'manual' });
  // React Native follows redirects all the same, without the token: an answer from elsewhere says nothing.
  if (isRedirect(response) || (response.url && !addressOn(origin, response.url))) {
    throw new SessionClientError('redirected', 'Redirects are not followed: request the final address.');
  }
  return response;
}

/** All that browsers show of a redirect is a status of 0. */
function isRedirect({ status }: ResponseLike): boolean {
  return !status || (status > 300 && status < 309 && status !== 304);
}
