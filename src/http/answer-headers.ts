import type { ServerResponse } from 'node:http';
import onHeaders from 'on-headers';
import { rawResponseOf, type SessionResponse } from './exchange.js';

/** What is to stand in the head of an answer. */
export interface FinalHeaders {
  readonly headers: Readonly<Record<string, string>>;
  /** The whole `Set-Cookie` of the session cookie: the last one counts. */
  readonly setCookie?: string;
}

/** A renewed token, which only an answer brings that brings no other. */
export interface Offer extends FinalHeaders {
  /** Whether the client may have been given a newer one by now. Asked when the head is written. */
  isStale(): boolean;
}

interface Head {
  /** Whether it answers a cookie: not to be kept, unless the handler says what may keep it, and for that cookie only. */
  readonly isPersonal: boolean;
  readonly decided: FinalHeaders | null;
  readonly offer: Offer | null;
}

const TARGETED = /(?:.-cache-control|^surrogate-control)$/;

const VARIES_BY_COOKIE = /(?:^|,)\s*(?:cookie|\*)\s*(?:,|$)/i;

const pending = new WeakMap<ServerResponse, Head>();

/** What keeps an answer with a token out of every cache (RFC 9111 §5.2.2.5; MASTG: not in permanent storage). */
export const NO_STORE: Readonly<Record<string, string>> = { 'Cache-Control': 'no-store', Pragma: 'no-cache' };

const EMPTY: Head = { isPersonal: false, decided: null, offer: null };
const PERSONAL: Head = { ...EMPTY, isPersonal: true };

/** Keeps what answers a cookie out of caches (RFC 9111 §3.5 does that by itself for the header `Authorization` only). */
export function keepFromCaches(response: SessionResponse): void {
  const raw = rawResponseOf(response);
  const head = pending.get(raw);
  if (head?.isPersonal) return;
  hold(raw, head === undefined ? PERSONAL : { ...head, isPersonal: true });
}

/**
 * Sets headers at the moment when the head of the answer is written, so that nothing a handler, an interceptor or a
 * filter says before then undoes them: `@Header('Cache-Control', …)` wins over what is set in a guard.
 */
export function setFinalHeaders(response: SessionResponse, added: FinalHeaders): void {
  const raw = rawResponseOf(response);
  const head = pending.get(raw) ?? EMPTY;
  const headers = { ...head.decided?.headers, ...added.headers };
  hold(raw, { ...head, decided: { ...head.decided, ...added, headers } });
}

/** As `setFinalHeaders`, unless that is called for the same answer, or the offer is stale by then. */
export function offerHeaders(response: SessionResponse, offer: Offer): void {
  const raw = rawResponseOf(response);
  hold(raw, { ...(pending.get(raw) ?? EMPTY), offer });
}

function hold(raw: ServerResponse, head: Head): void {
  if (!pending.has(raw)) onHeaders(raw, () => write(raw));
  pending.set(raw, head);
}

function write(raw: ServerResponse): void {
  const { isPersonal, decided, offer } = pending.get(raw) as Head;
  if (isPersonal) markPersonal(raw);
  const final = decided ?? (offer?.isStale() ? null : offer);
  if (final === null) return;
  const { headers, setCookie } = final;
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
