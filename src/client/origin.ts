const ORIGIN = /^(https:\/\/([\w.-]+|\[[\da-f:.]+\])|http:\/\/(localhost|127(\.\d+){3}|\[::1\]))(:\d+)?$/;
const DEFAULT_PORT = /^(https:.*):443$|^(http:.*):80$/;

/** By what bundlers put in the place of the expression: it must stand here in this very form. */
declare const process: { readonly env: { readonly NODE_ENV?: string } };

/** @throws TypeError for what is no origin, or one that the token must not be sent to */
export function readOrigin(text: string, isInsecureAllowed?: boolean): string {
  const origin = text.toLowerCase().replace(/\/$/, '');
  // Everything else that makes an origin holds for both schemes.
  const judged = isInsecureAllowed && isDevelopment() ? origin.replace('http:', 'https:') : origin;
  if (ORIGIN.test(judged)) return origin.replace(DEFAULT_PORT, '$1$2');
  throw new TypeError(
    `\`origin\` must be like 'https://api.example.com', not '${text}'; http:// is for localhost.`,
  );
}

/** Where nobody says so it is none: a release that no bundler has made must not be taken for it. */
function isDevelopment(): boolean {
  try {
    return process.env.NODE_ENV === 'development';
  } catch {
    return false;
  }
}

/**
 * The address, where it is on the origin; `null` where it is elsewhere. In doubt it is elsewhere: an address counts as
 * the origin's only when it is spelled so that every parser of URLs reads it alike. Those of React Native, iOS and
 * Android do not agree with each other on `https://api.example.com\@example.net`.
 *
 * @throws TypeError for what is neither a path from the root nor a URL
 */
export function addressOn(origin: string, address: string): string | null {
  if (address[0] === '/') return origin + address;
  const [start] = /^[a-z][a-z\d+.-]*:(?:\/\/[^/]*)?/i.exec(address) ?? [];
  if (!start) throw new TypeError(`'${address}' is neither a path like '/me' nor a URL.`);
  return start.toLowerCase() === origin ? origin + address.slice(start.length) : null;
}
