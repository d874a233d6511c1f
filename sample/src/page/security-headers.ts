import type { ServerResponse } from 'node:http';
import helmet from 'helmet';

/** Scripts and styles from our own files only: nothing that somebody slips into the page runs (OWASP ASVS 3.4.3). */
export const securityHeaders = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'"],
      connectSrc: ["'self'"],
      formAction: ["'none'"],
      baseUri: ["'none'"],
      frameAncestors: ["'none'"],
      requireTrustedTypesFor: ["'script'"],
      trustedTypes: ["'none'"],
    },
  },
  // Not the default, `no-referrer`, with which older browsers do not say in `Origin` where a request comes from.
  referrerPolicy: { policy: 'same-origin' },
  xFrameOptions: { action: 'deny' },
});

/** No cache keeps what the bank answers; the files of the page say otherwise themselves. */
export function neverStored(_request: unknown, response: ServerResponse, next: () => void): void {
  response.setHeader('Cache-Control', 'no-store');
  next();
}
