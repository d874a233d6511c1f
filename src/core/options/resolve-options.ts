import { machineClock } from '../clock/shared-clock.js';
import type { TimeoutRule } from '../policy/policy.js';
import { boolean, choice, duration, integer, objectOrFalse, optionalObject } from './option-kinds.js';
import { Given, type OptionTable, readAll, type Resolved } from './option.js';
import type {
  AuditSink,
  GuessingOptions,
  PurgeOptions,
  SecretOptions,
  SessionModuleOptions,
} from './options.js';
import { CLUSTER } from './resolve-cluster.js';
import { cookie, trustedOrigins } from './resolve-cookie.js';
import { requireHttps } from './resolve-https.js';
import { LEVEL_NAMES, LONGEST_TIMEOUT, type ResolvedRoles, roles, timeouts } from './resolve-timeouts.js';

/** A timer of Node fires at once when it is set for longer. */
const LONGEST_TIMER = 2 ** 31 - 1;
const LONGEST_WATCH = 24 * 60 * 60_000;
const SHORTEST_KEY = 32;
/** What a column of type `text` takes on MySQL. */
const WIDEST_TEXT = 65_535;
/** PostgreSQL takes 65,535 parameters in a statement. */
const LARGEST_BATCH = 50_000;

const PURGE = {
  every: duration({ min: 1, max: LONGEST_TIMER }, '5m'),
  // By default that of the database.
  batchSize: integer({ min: 1, max: LARGEST_BATCH }, null),
} satisfies OptionTable<PurgeOptions>;

const GUESSING = {
  attempts: integer({ min: 1, max: 1_000_000 }, 20),
  within: duration({ min: 1_000, max: LONGEST_WATCH }, '1m'),
  refuse: boolean(false),
} satisfies OptionTable<GuessingOptions>;

const SECRET = {
  keys: { read: readKeys },
  acceptUnkeyed: boolean(false),
} satisfies OptionTable<SecretOptions>;

/** Every option once: its name, how it is read, its default and its bounds. One that needs another stands after it. */
export const OPTIONS = {
  securityLevel: choice(LEVEL_NAMES, 'medium'),
  timeouts,
  roles,
  maxSessionsPerUser: integer({ min: 1, max: 1_000_000 }, null),
  onSessionLimit: choice(['evict-oldest', 'reject'], 'evict-oldest'),
  onReuse: choice(['revoke', 'report'], 'revoke'),
  transport: choice(['bearer', 'cookie'], 'bearer'),
  trustedOrigins,
  cookie,
  requireHttps,
  secret: { parts: SECRET, read: readSecret },
  grace: duration({ min: 0, max: LONGEST_TIMEOUT }, '30s'),
  purge: objectOrFalse(PURGE),
  touchEvery: { values: 'at most half of the shortest idle timeout', read: readTouchEvery },
  recheckEvery: duration({ min: 1_000, max: 600_000 }, '30s'),
  recordClient: boolean(true),
  maxDataBytes: integer({ min: 2, max: WIDEST_TEXT }, 16_384),
  guessing: objectOrFalse(GUESSING),
  schemaCheck: boolean(true),
  audit: { read: readAudit },
  cluster: optionalObject(CLUSTER),
  clock: { read: readClock },
} satisfies OptionTable<SessionModuleOptions>;

/** Every option, checked; durations in milliseconds. `null` where the value follows from something else. */
export type ResolvedSessionOptions = Resolved<typeof OPTIONS>;

/**
 * Checks all options and fills in the defaults, once, at boot.
 *
 * @param refusals why an option is not there, for those that belong elsewhere
 * @throws SessionOptionsError
 */
export function resolveOptions(
  options: SessionModuleOptions = {},
  refusals: Readonly<Record<string, string>> = {},
): ResolvedSessionOptions {
  return readAll(OPTIONS, new Given('', options), refusals);
}

interface ResolvedSecret {
  readonly keys: readonly string[];
  readonly acceptUnkeyed: boolean;
}

function readSecret(given: Given): ResolvedSecret {
  const { path, value } = given;
  if (given.isLeftOut) return { keys: [], acceptUnkeyed: true };
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  const options = isObject ? value : { keys: typeof value === 'string' ? [value] : value };
  const secret = readAll(SECRET, new Given(path, options));
  if (secret.keys.length === 0 || secret.keys.some((key) => key.length < SHORTEST_KEY)) {
    throw new Given(path, secret.keys).refuse(
      `it needs a key, and each key at least ${SHORTEST_KEY} random characters: \`openssl rand -base64 32\` makes one.`,
    );
  }
  return secret;
}

function readKeys(given: Given): readonly string[] {
  const { value } = given;
  if (Array.isArray(value) && Array.from(value).every((key) => typeof key === 'string')) return value;
  throw given.refuse('use an array of strings.');
}

function readTouchEvery(
  given: Given,
  others: { readonly timeouts: TimeoutRule; readonly roles: ResolvedRoles },
): number | null {
  const rules = [others.timeouts, ...others.roles.timeouts.values()];
  const longest = Math.floor(Math.min(...rules.map(({ idle }) => idle)) / 2);
  const touchEvery = duration({ min: 0 }, null).read(given, {});
  if (touchEvery === null || touchEvery <= longest) return touchEvery;
  throw given.refuse(
    `use at most ${longest} ms, half of the shortest idle timeout, or active sessions would be ended as idle.`,
  );
}

/** `null` is Nest's logger. */
function readAudit(given: Given): AuditSink | false | null {
  const sink = given.value ?? null;
  if (sink === null || sink === false || typeof sink === 'function') return sink as AuditSink | false | null;
  throw given.refuse('pass a function that takes each entry, or false for no audit trail.');
}

function readClock(given: Given): () => number {
  const clock = given.value ?? machineClock;
  if (typeof clock === 'function') return clock as () => number;
  throw given.refuse('pass a function that returns epoch milliseconds.');
}
