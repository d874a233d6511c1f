import type { ServerResponse } from 'node:http';
import onHeaders from 'on-headers';
import { rawResponseOf, type SessionResponse } from './exchange.js';

interface FinalHeaders {
  /** The whole `Set-Cookie` of the session cookie: the last one counts. */
  setCookie?: string;
  /** Other headers, by name. */
  headers: Record<string, string>;
}

const finalHeaders = new WeakMap<ServerResponse, FinalHeaders>();

/**
 * Sets headers at the moment when the head of the answer is written, so that nothing a handler, an interceptor or a
 * filter says before then undoes them: `@Header('Cache-Control', …)` wins over what is set in a guard.
 */
export function setFinalHeaders(
  response: SessionResponse,
  headers: Record<string, string>,
  setCookie?: string,
): void {
  const raw = rawResponseOf(response);
  let final = finalHeaders.get(raw);
  if (final === undefined) {
    const added: FinalHeaders = { headers: {} };
    finalHeaders.set(raw, added);
    onHeaders(raw, () => {
      for (const [name, value] of Object.entries(added.headers)) raw.setHeader(name, value);
      if (added.setCookie !== undefined) raw.appendHeader('Set-Cookie', added.setCookie);
    });
    final = added;
  }
  Object.assign(final.headers, headers);
  if (setCookie !== undefined) final.setCookie = setCookie;
}

/** What keeps an answer with a token out of every cache (RFC 9111 §5.2.2.5; MASTG: not in permanent storage). */
export const NO_STORE: Readonly<Record<string, string>> = { 'Cache-Control': 'no-store', Pragma: 'no-cache' };
