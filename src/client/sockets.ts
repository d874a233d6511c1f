import { addressOn } from './origin.js';

/**
 * What a socket shows in place of a header. Without a session, and where the browser holds the token, nothing. No interface,
 * which graphql-ws would not take for a `Record`.
 */
export type SocketCredentials = { readonly token?: string };

/**
 * Where the token may go. Paths are nowhere: the platform would put the page's own address before them, whichever that is.
 *
 * @throws TypeError
 */
export function assertOnOrigin(origin: string, url: string | { readonly href: string }): void {
  const address = String(url);
  if (/^(ws|http)s?:/i.test(address) && addressOn(origin, address.replace(/^ws/i, 'http'))) return;
  throw new TypeError(
    `'${address}' is not on ${origin}, the only place for the token: pass an address like '${origin.replace('http', 'ws')}/path'.`,
  );
}

interface End {
  /** Of a close frame. */
  readonly code?: unknown;
  readonly reason?: unknown;
  /** What socket.io tells of a refused connection. */
  readonly data?: { readonly code?: unknown };
}

const FORBIDDEN = 4403;
const NOT_ALLOWED: ReadonlySet<unknown> = new Set(['role_required', 'cross_origin', 'https_required']);
/** Close codes of an end that somebody wanted, and what socket.io calls it. */
const OWN: ReadonlySet<unknown> = new Set([1000, 1005, 'io client disconnect']);

/** Why not to connect again, where the end itself says so although the session lives; `null` where it does not. */
export function objectionIn(end: unknown): string | null {
  const { code, reason, data } = Object(end) as End;
  if (OWN.has(code ?? end)) return 'closed';
  if (code === FORBIDDEN) return String(reason);
  return NOT_ALLOWED.has(data?.code) ? String(data?.code) : null;
}
