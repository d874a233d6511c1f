import type { ServerResponse } from 'node:http';
import onHeaders from 'on-headers';
import { rawResponseOf, type SessionResponse } from './exchange.js';

/** What is to stand in the head of an answer. */
export interface FinalHeaders {
  readonly headers: Readonly<Record<string, string>>;
  /** The whole `Set-Cookie` of the session cookie: the last one counts. */
  readonly setCookie?: string;
  /** Whether it answers a cookie: not to be kept, unless the handler says what may keep it, and for that cookie only. */
  readonly isPersonal?: boolean;
  /** When it is too old to be sent, in milliseconds of the process's clock. */
  readonly lapsesAt?: number;
}

const TARGETED = /(?:.-cache-control|^surrogate-control)$/;

const VARIES_BY_COOKIE = /(?:^|,)\s*(?:cookie|\*)\s*(?:,|$)/i;

const pending = new WeakMap<ServerResponse, FinalHeaders>();

/** What keeps an answer with a token out of every cache (RFC 9111 §5.2.2.5; MASTG: not in permanent storage). */
export const NO_STORE: Readonly<Record<string, string>> = { 'Cache-Control': 'no-store', Pragma: 'no-cache' };

const PERSONAL: FinalHeaders = { headers: {}, isPersonal: true };

/** Keeps what answers a cookie out of caches (RFC 9111 §3.5 does that by itself for the header `Authorization` only). */
export function keepFromCaches(response: SessionResponse): void {
  setFinalHeaders(response, PERSONAL);
}

/**
 * Sets headers at the moment when the head of the answer is written, so that nothing a handler, an interceptor or a
 * filter says before then undoes them: `@Header('Cache-Control', …)` wins over what is set in a guard.
 */
export function setFinalHeaders(response: SessionResponse, added: FinalHeaders): void {
  const raw = rawResponseOf(response);
  const earlier = pending.get(raw);
  if (earlier === undefined) {
    onHeaders(raw, () => write(raw));
    pending.set(raw, added);
    return;
  }
  pending.set(raw, {
    ...earlier,
    lapsesAt: undefined,
    ...added,
    headers: { ...earlier.headers, ...added.headers },
  });
}

function write(raw: ServerResponse): void {
  const { headers, setCookie, isPersonal, lapsesAt } = pending.get(raw) as FinalHeaders;
  if (isPersonal) markPersonal(raw);
  if (lapsesAt !== undefined && Date.now() >= lapsesAt) return;
  if (headers['Cache-Control'] !== undefined) {
    // Those of single caches outrank it (RFC 9213).
    for (const name of raw.getHeaderNames()) if (TARGETED.test(name)) raw.removeHeader(name);
  }
  for (const [name, value] of Object.entries(headers)) raw.setHeader(name, value);
  if (setCookie !== undefined) raw.appendHeader('Set-Cookie', setCookie);
}

function markPersonal(raw: ServerResponse): void {
  if (!raw.hasHeader('Cache-Control')) raw.setHeader('Cache-Control', 'no-store');
  const vary = String(raw.getHeader('Vary') ?? '');
  if (!VARIES_BY_COOKIE.test(vary)) raw.setHeader('Vary', vary ? `${vary}, Cookie` : 'Cookie');
}
