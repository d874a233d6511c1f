import { SessionOptionsError } from '../model/errors.js';
import { OptionReader } from './option-reader.js';
import {
  type ClearSiteData,
  type CookieOptions,
  DEFAULTS,
  type ResolvedSessionOptions,
  type SessionModuleOptions,
} from './options.js';

const CLEARABLE: readonly ClearSiteData[] = [
  'cache',
  'storage',
  'executionContexts',
  'clientHints',
  'prefetchCache',
  'prerenderCache',
];

/** @throws SessionOptionsError */
export function resolveOrigins(read: OptionReader<SessionModuleOptions>): ReadonlySet<string> {
  const origins = read.list('trustedOrigins');
  for (const origin of origins) {
    if (isOrigin(origin)) continue;
    throw new SessionOptionsError(
      'trustedOrigins',
      origin,
      "write each origin as browsers do: scheme and host, a port if it is not the scheme's own, " +
        "no path and no wildcard, as in 'https://app.example.com'.",
    );
  }
  return new Set(origins);
}

/** As browsers send it; apps in a web view have schemes of their own, such as `capacitor://localhost`. */
function isOrigin(text: string): boolean {
  if (!URL.canParse(text) || text.includes('*')) return false;
  const { origin, protocol } = new URL(text);
  return (
    origin === text ||
    (!protocol.startsWith('http') && /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9.-]+(?::\d+)?$/.test(text))
  );
}

/** @throws SessionOptionsError */
export function resolveCookie(
  value: unknown,
  trustedOrigins: ReadonlySet<string>,
): ResolvedSessionOptions['cookie'] {
  const read = new OptionReader<CookieOptions>(value ?? {}, 'cookie', ['name', 'sameSite', 'clearSiteData'], {
    secure: 'the cookie is always Secure, except on loopback in development; leave this out.',
    httpOnly: 'the cookie is always HttpOnly; leave this out.',
    domain:
      'the `__Host-` prefix forbids a domain, so that no subdomain can plant or read it; leave this out.',
    path: 'the `__Host-` prefix demands the path `/`; leave this out.',
    maxAge: 'the browser must not keep the cookie in permanent storage; set `timeouts` instead.',
    expires: 'the browser must not keep the cookie in permanent storage; set `timeouts` instead.',
  });
  const { name, sameSite, clearSiteData } = DEFAULTS.cookie;
  const cookieName = read.get('name') ?? name;
  if (
    typeof cookieName !== 'string' ||
    !/^[A-Za-z0-9_.-]{1,64}$/.test(cookieName) ||
    cookieName.startsWith('__')
  ) {
    throw read.refuse('name', 'use letters, digits, `_`, `.` and `-`, without the prefix, which is added.');
  }
  const chosen = read.choice('sameSite', ['strict', 'lax', 'none'], sameSite);
  if (chosen === 'none' && trustedOrigins.size === 0) {
    throw read.refuse(
      'sameSite',
      "name the sites that may send the cookie in `trustedOrigins`, or use 'lax'.",
    );
  }
  const cleared = read.get('clearSiteData') === false ? [] : read.list('clearSiteData');
  const unclearable = cleared.find((directive) => !CLEARABLE.includes(directive as ClearSiteData));
  if (unclearable !== undefined) {
    throw read.refuse(
      'clearSiteData',
      `'${unclearable}' is none of ${CLEARABLE.map((known) => `'${known}'`).join(', ')}` +
        (unclearable === 'cookies' ? ': it would sign people out of every application on the domain.' : '.'),
    );
  }
  return {
    name: cookieName,
    sameSite: chosen,
    clearSiteData: read.get('clearSiteData') === undefined ? clearSiteData : (cleared as ClearSiteData[]),
  };
}
