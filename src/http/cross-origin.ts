import type { Exchange } from './exchange.js';

/**
 * Whether a page of another origin made a browser send this. After CrossOriginProtection of Go 1.25: safe methods
 * pass; browsers say in `Sec-Fetch-Site` where a request comes from; older ones send `Origin`; what sends neither is
 * no browser. https://pkg.go.dev/net/http#CrossOriginProtection
 */
export function isCrossOrigin({ request, isUnsafe }: Exchange, trustedOrigins: ReadonlySet<string>): boolean {
  if (!isUnsafe) return false;
  const { origin, 'sec-fetch-site': site } = request.headers;
  if (typeof origin === 'string' && trustedOrigins.has(origin)) return false;
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  if (origin === undefined) return false;
  const own = `${request.protocol}://${request.host ?? ''}`;
  return !URL.canParse(own) || new URL(own).origin !== origin;
}
