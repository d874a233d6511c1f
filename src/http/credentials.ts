import type { Transport } from '../core/options/options.js';
import type { SessionRequest } from './exchange.js';

/** What a request shows to be let in. */
export type Credentials =
  | { readonly kind: 'none' }
  | { readonly kind: 'bearer' | 'cookie'; readonly token: string }
  /** More than one token where there must be one: whichever were taken, another part of the system could take the other. */
  | { readonly kind: 'ambiguous' };

/** By which way a token was shown: a new one goes back by the same. */
export function shownBy({ kind }: Credentials): Transport | null {
  return kind === 'bearer' || kind === 'cookie' ? kind : null;
}

const NONE: Credentials = { kind: 'none' };
const AMBIGUOUS: Credentials = { kind: 'ambiguous' };
const SCHEME = 'bearer';

/** Only the scheme `Bearer` outranks a cookie; then the cookie is not looked at. */
export function readCredentials(request: SessionRequest, cookieName: string): Credentials {
  const { authorization, cookie } = request.headers;
  if (authorization !== undefined) {
    if (isRepeated(request)) return AMBIGUOUS;
    const token = readBearer(authorization);
    if (token !== null) return { kind: 'bearer', token };
  }
  return cookie === undefined ? NONE : readCookie(cookie, cookieName);
}

/** `null` for another scheme. */
function readBearer(authorization: string): string | null {
  const scheme = authorization.slice(0, SCHEME.length);
  const next = authorization[SCHEME.length];
  if (scheme.toLowerCase() !== SCHEME || (next !== undefined && next !== ' ')) return null;
  return authorization.slice(SCHEME.length).trim();
}

export function readCookie(header: string, name: string): Credentials {
  let token: string | null = null;
  for (let start = 0; start < header.length;) {
    const separator = header.indexOf(';', start);
    const end = separator === -1 ? header.length : separator;
    const pair = header.slice(start, end);
    const equals = pair.indexOf('=');
    if (equals !== -1 && withoutBlanks(pair.slice(0, equals)) === name) {
      if (token !== null) return AMBIGUOUS;
      token = withoutBlanks(pair.slice(equals + 1));
    }
    start = end + 1;
  }
  return token === null ? NONE : { kind: 'cookie', token };
}

/**
 * Blanks and tabs only (RFC 6265 §5.2). `trim()` also takes off the non-breaking space, by which a subdomain could smuggle
 * a cookie past the `__Host-` prefix: browsers do not take `\xa0__Host-sid` for one with the prefix.
 */
function withoutBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (start < end && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** Node keeps the first of several `Authorization` headers and drops the others in silence. */
function isRepeated(request: SessionRequest): boolean {
  const names = request.raw?.rawHeaders ?? request.rawHeaders ?? [];
  let seen = 0;
  for (let index = 0; index < names.length; index += 2) {
    const name = names[index];
    if (name?.length === 'authorization'.length && name.toLowerCase() === 'authorization') seen++;
  }
  return seen > 1;
}
