import { wireMethodOf } from './arrivals.js';
import type { Exchange } from './exchange.js';

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Whether a page of another origin made a browser send this. After CrossOriginProtection of Go 1.25: safe methods
 * pass; browsers say in `Sec-Fetch-Site` where a request comes from; older ones send `Origin`; what sends neither is
 * no browser. https://pkg.go.dev/net/http#CrossOriginProtection
 */
export function isCrossOrigin(
  exchange: Pick<Exchange, 'request' | 'isMutation'>,
  trustedOrigins: ReadonlySet<string>,
  changesSession: boolean,
): boolean {
  // A sign-in and a sign-out change something by any method: a link could sign people in as somebody else, and a query of
  // GraphQL may lead to a field that signs them out.
  if (!changesSession && !isUnsafe(exchange)) return false;
  const { request } = exchange;
  const { origin, 'sec-fetch-site': site } = request.headers;
  if (typeof origin === 'string' && trustedOrigins.has(origin)) return false;
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  if (origin === undefined) return false;
  const own = `${request.protocol}://${request.host ?? ''}`;
  return !URL.canParse(own) || new URL(own).origin !== origin;
}

/** A middleware may rewrite the method, on Fastify even after routing: neither is to be unsafe. */
function isUnsafe({ request, isMutation }: Pick<Exchange, 'request' | 'isMutation'>): boolean {
  return isMutation || !SAFE_METHODS.has(request.method) || !SAFE_METHODS.has(wireMethodOf(request));
}
