import { choice, list } from './option-kinds.js';
import { Given, type Option, type OptionTable, readAll, type Resolved } from './option.js';
import type { ClearSiteData, CookieOptions } from './options.js';

const CLEARABLE: readonly ClearSiteData[] = [
  'cache',
  'storage',
  'executionContexts',
  'clientHints',
  'prefetchCache',
  'prerenderCache',
];

/** What one would look for, and why it is not there. */
const FIXED = {
  secure: 'the cookie is always Secure, except on loopback in development; leave this out.',
  httpOnly: 'the cookie is always HttpOnly; leave this out.',
  domain: 'the `__Host-` prefix forbids a domain, so that no subdomain can plant or read it; leave this out.',
  path: 'the `__Host-` prefix demands the path `/`; leave this out.',
  maxAge: 'the browser must not keep the cookie in permanent storage; set `timeouts` instead.',
  expires: 'the browser must not keep the cookie in permanent storage; set `timeouts` instead.',
};

const COOKIE = {
  name: { fallback: 'sid', read: (given: Given) => readName(given, 'sid') },
  sameSite: choice(['strict', 'lax', 'none'], 'lax'),
  clearSiteData: {
    fallback: ['cache', 'storage'],
    read: (given: Given) => readClearSiteData(given, ['cache', 'storage']),
  },
} satisfies OptionTable<CookieOptions>;

export const cookie: Option<Resolved<typeof COOKIE>, { readonly trustedOrigins: ReadonlySet<string> }> = {
  parts: COOKIE,
  read(given, { trustedOrigins }) {
    const resolved = readAll(COOKIE, given.orEmpty(), FIXED);
    if (resolved.sameSite === 'none' && trustedOrigins.size === 0) {
      throw given
        .part('sameSite')
        .refuse("name the sites that may send the cookie in `trustedOrigins`, or use 'lax'.");
    }
    return resolved;
  },
};

export const trustedOrigins: Option<ReadonlySet<string>> = {
  fallback: [],
  read(given) {
    const origins = list().read(given, {});
    for (const origin of origins) {
      if (isOrigin(origin)) continue;
      throw new Given(given.path, origin).refuse(
        "write each origin as browsers do: scheme and host, a port if it is not the scheme's own, " +
          "no path and no wildcard, as in 'https://app.example.com'.",
      );
    }
    return new Set(origins);
  },
};

/** As browsers send it; apps in a web view have schemes of their own, such as `capacitor://localhost`. */
function isOrigin(text: string): boolean {
  if (!URL.canParse(text) || text.includes('*')) return false;
  const { origin, protocol } = new URL(text);
  return (
    origin === text ||
    (!protocol.startsWith('http') && /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9.-]+(?::\d+)?$/.test(text))
  );
}

function readName(given: Given, fallback: string): string {
  const name = given.value ?? fallback;
  if (typeof name === 'string' && /^[A-Za-z0-9_.-]{1,64}$/.test(name) && !name.startsWith('__')) return name;
  throw given.refuse('use letters, digits, `_`, `.` and `-`, without the prefix, which is added.');
}

function readClearSiteData(given: Given, fallback: readonly ClearSiteData[]): readonly ClearSiteData[] {
  if (given.isLeftOut) return fallback;
  if (given.value === false) return [];
  const directives = list().read(given, {});
  const unclearable = directives.find((directive) => !CLEARABLE.includes(directive as ClearSiteData));
  if (unclearable === undefined) return directives as readonly ClearSiteData[];
  throw given.refuse(
    `'${unclearable}' is none of ${CLEARABLE.map((known) => `'${known}'`).join(', ')}` +
      (unclearable === 'cookies' ? ': it would sign people out of every application on the domain.' : '.'),
  );
}
