import { SessionOptionsError } from './errors.js';
import { OptionReader } from './option-reader.js';
import {
  type ClearSiteData,
  type CookieOptions,
  DEFAULTS,
  type PurgeOptions,
  type ResolvedSessionOptions,
  type RoleOptions,
  type SecretOptions,
  type SessionModuleOptions,
  type TimeoutOptions,
} from './options.js';
import { SECURITY_LEVELS, type SecurityLevel, type Timeouts } from './policy.js';

const LEVEL_NAMES = Object.keys(SECURITY_LEVELS) as SecurityLevel[];
const CLEARABLE: readonly ClearSiteData[] = [
  'cache',
  'storage',
  'executionContexts',
  'clientHints',
  'prefetchCache',
  'prerenderCache',
];
const STATIC_OPTION = 'it is read before the factory runs; put it beside `useFactory`.';
/** A timer of Node fires at once when it is set for longer. */
const LONGEST_TIMER = 2 ** 31 - 1;
const LONGEST_TIMEOUT = 10 * 365 * 24 * 60 * 60_000;
const SHORTEST_KEY = 32;
/** What a column of type `text` takes on MySQL. */
const WIDEST_TEXT = 65_535;
/** PostgreSQL takes 65,535 parameters in a statement. */
const LARGEST_BATCH = 50_000;

/** Checks all options and fills in the defaults, once, at boot. @throws SessionOptionsError */
export function resolveOptions(options: SessionModuleOptions = {}): ResolvedSessionOptions {
  const read = new OptionReader<SessionModuleOptions>(
    options,
    '',
    [
      'securityLevel',
      'timeouts',
      'roles',
      'maxSessionsPerUser',
      'onSessionLimit',
      'onReuse',
      'transport',
      'cookie',
      'trustedOrigins',
      'requireHttps',
      'secret',
      'grace',
      'purge',
      'touchEvery',
      'recordClient',
      'maxDataBytes',
      'clock',
    ],
    { dataSource: STATIC_OPTION, entity: STATIC_OPTION, isGlobal: STATIC_OPTION, globalGuard: STATIC_OPTION },
  );
  const level = read.choice('securityLevel', LEVEL_NAMES, DEFAULTS.securityLevel);
  const timeouts = resolveTimeouts(read.get('timeouts'), 'timeouts', SECURITY_LEVELS[level]);
  const roles = resolveRoles(read.get('roles'), timeouts);
  const trustedOrigins = resolveOrigins(read);
  const clock = read.get('clock') ?? DEFAULTS.clock;
  if (typeof clock !== 'function')
    throw read.refuse('clock', 'pass a function that returns epoch milliseconds.');
  return {
    timeouts,
    roles,
    maxSessionsPerUser: read.integer('maxSessionsPerUser', { min: 1 }, DEFAULTS.maxSessionsPerUser),
    onSessionLimit: read.choice('onSessionLimit', ['evict-oldest', 'reject'], DEFAULTS.onSessionLimit),
    onReuse: read.choice('onReuse', ['revoke', 'report'], DEFAULTS.onReuse),
    transport: read.choice('transport', ['bearer', 'cookie'], DEFAULTS.transport),
    cookie: resolveCookie(read.get('cookie'), trustedOrigins),
    trustedOrigins,
    requireHttps: read.boolean('requireHttps', DEFAULTS.requireHttps),
    secret: resolveSecret(read),
    grace: read.duration('grace', { min: 0, max: LONGEST_TIMEOUT }, DEFAULTS.grace),
    purge: resolvePurge(read.get('purge')),
    touchEvery: resolveTouchEvery(read, [timeouts, ...roles.timeouts.values()]),
    recordClient: read.boolean('recordClient', DEFAULTS.recordClient),
    maxDataBytes: read.integer('maxDataBytes', { min: 2, max: WIDEST_TEXT }, DEFAULTS.maxDataBytes),
    clock: clock as () => number,
  };
}

function resolveTimeouts(value: unknown, path: string, defaults: Timeouts): Timeouts {
  const read = new OptionReader<TimeoutOptions>(value ?? {}, path, ['idle', 'absolute', 'renewal']);
  const range = { min: 1, max: LONGEST_TIMEOUT };
  return {
    idle: read.duration('idle', range, defaults.idle),
    absolute: read.duration('absolute', range, defaults.absolute),
    renewal: read.duration('renewal', range, defaults.renewal),
  };
}

function resolveRoles(value: unknown, defaults: Timeouts): ResolvedSessionOptions['roles'] {
  const includes = new Map<string, readonly string[]>();
  const timeouts = new Map<string, Timeouts>();
  if (value !== undefined && (typeof value !== 'object' || value === null || Array.isArray(value))) {
    throw new SessionOptionsError('roles', value, "pass an object such as { admin: ['support'] }.");
  }
  for (const [role, given] of Object.entries(value ?? {})) {
    const path = `roles.${role}`;
    const read = new OptionReader<RoleOptions>(Array.isArray(given) ? { includes: given } : given, path, [
      'includes',
      'securityLevel',
      'timeouts',
    ]);
    includes.set(role, read.list('includes'));
    if (read.get('securityLevel') === undefined && read.get('timeouts') === undefined) continue;
    const level =
      read.get('securityLevel') && read.choice('securityLevel', LEVEL_NAMES, DEFAULTS.securityLevel);
    const base = level ? SECURITY_LEVELS[level as SecurityLevel] : defaults;
    timeouts.set(role, resolveTimeouts(read.get('timeouts'), `${path}.timeouts`, base));
  }
  return { includes, timeouts, isDeclared: value !== undefined };
}

function resolveOrigins(read: OptionReader<SessionModuleOptions>): ReadonlySet<string> {
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

function resolveCookie(
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

function resolveSecret(read: OptionReader<SessionModuleOptions>): ResolvedSessionOptions['secret'] {
  const value = read.get('secret');
  if (value === undefined) return { keys: [], acceptUnkeyed: true };
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  const options = isObject ? value : { keys: typeof value === 'string' ? [value] : value };
  const secret = new OptionReader<SecretOptions>(options, 'secret', ['keys', 'acceptUnkeyed']);
  const keys: unknown = secret.get('keys');
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === 'string')) {
    throw secret.refuse('keys', 'use an array of strings.');
  }
  if (keys.length === 0 || keys.some((key) => key.length < SHORTEST_KEY)) {
    throw new SessionOptionsError(
      'secret',
      keys.length === 0 ? [] : `[${keys.map((key) => `${key.length} characters`).join(', ')}]`,
      `it needs a key, and each key at least ${SHORTEST_KEY} random characters: \`openssl rand -base64 32\` makes one.`,
    );
  }
  return { keys, acceptUnkeyed: secret.boolean('acceptUnkeyed', false) };
}

function resolvePurge(value: unknown): ResolvedSessionOptions['purge'] {
  if (value === false) return null;
  const read = new OptionReader<PurgeOptions>(value ?? {}, 'purge', ['every', 'batchSize']);
  return {
    every: read.duration('every', { min: 1, max: LONGEST_TIMER }, DEFAULTS.purge.every),
    batchSize: read.integer('batchSize', { min: 1, max: LARGEST_BATCH }, DEFAULTS.purge.batchSize),
  };
}

function resolveTouchEvery(
  read: OptionReader<SessionModuleOptions>,
  all: readonly Timeouts[],
): number | null {
  const longest = Math.floor(Math.min(...all.map(({ idle }) => idle)) / 2);
  const touchEvery = read.duration('touchEvery', { min: 0 }, DEFAULTS.touchEvery);
  if (touchEvery !== null && touchEvery > longest) {
    throw read.refuse(
      'touchEvery',
      `use at most ${longest} ms, half of the shortest idle timeout, or active sessions would be ended as idle.`,
    );
  }
  return touchEvery;
}
