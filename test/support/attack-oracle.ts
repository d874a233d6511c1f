/** What the rule against cross-origin requests goes by. `undefined`: the header is not there. */
export interface CrossingRequest {
  readonly method: string;
  readonly host: string;
  readonly site: string | undefined;
  readonly origin: string | undefined;
}

/**
 * `CrossOriginProtection.Check` of Go 1.25's `net/http`, in its own order and words, for a server that speaks HTTPS.
 * https://pkg.go.dev/net/http#CrossOriginProtection
 */
export function goAllows({ method, host, site, origin }: CrossingRequest, trusted: string): boolean {
  // "GET, HEAD, and OPTIONS methods are safe methods and are always allowed."
  if (['GET', 'HEAD', 'OPTIONS'].includes(method)) return true;
  const isExempt = origin === trusted;
  // Go takes an empty header for none.
  switch (site ?? '') {
    case '':
      break;
    case 'same-origin':
    case 'none':
      return true;
    default:
      return isExempt;
  }
  // "Neither Sec-Fetch-Site nor Origin headers are present. Either the request is same-origin or not a browser request."
  if ((origin ?? '') === '') return true;
  // "The Origin header matches the Host header. Note that the Host header doesn't include the scheme."
  if (hostIn(origin as string) === host) return true;
  return isExempt;
}

/** Where this library deliberately answers differently, and why. */
export const EXCEPTIONS: readonly {
  readonly why: string;
  readonly applies: (request: CrossingRequest, trusted: string) => boolean;
  readonly allows: boolean;
}[] = [
  {
    why: 'the scheme must match too: a page over plain HTTP can be anybody’s who is on the line',
    applies: ({ origin, host, site }) => site === undefined && origin === `http://${host}`,
    allows: false,
  },
  {
    why: 'an empty header is no missing one: no browser sends it',
    applies: ({ origin, site }, trusted) =>
      (site === '' && origin !== trusted) || (site === undefined && origin === ''),
    allows: false,
  },
  {
    why: 'the default port may be written in the Host or left out',
    applies: ({ origin, host, site }) =>
      site === undefined && host.endsWith(':443') && origin === `https://${host.slice(0, -':443'.length)}`,
    allows: true,
  },
  {
    why: 'no browser writes the default port in the Origin',
    applies: ({ origin, host, site }) =>
      site === undefined && host.endsWith(':443') && origin === `https://${host}`,
    allows: false,
  },
];

/** The `Host` of Go's `url.Parse`: as it is written, with its port. */
function hostIn(origin: string): string | null {
  return /^[a-z][a-z0-9+.-]*:\/\/([^/]*)/.exec(origin)?.[1] ?? null;
}
