import { SessionOptionsError } from '../model/errors.js';
import { OptionReader } from './option-reader.js';
import {
  DEFAULTS,
  type AuditSink,
  type GuessingOptions,
  type PurgeOptions,
  type ResolvedSessionOptions,
  type SecretOptions,
  type SessionModuleOptions,
} from './options.js';
import type { Timeouts } from '../policy/policy.js';
import { resolveCookie, resolveOrigins } from './resolve-cookie.js';
import { LEVEL_NAMES, LONGEST_TIMEOUT, resolveRoles, resolveTimeouts, ruleOf } from './resolve-timeouts.js';

const STATIC_OPTION = 'it is read before the factory runs; put it beside `useFactory`.';
/** A timer of Node fires at once when it is set for longer. */
const LONGEST_TIMER = 2 ** 31 - 1;
const LONGEST_WATCH = 24 * 60 * 60_000;
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
      'guessing',
      'audit',
      'clock',
    ],
    {
      dataSource: STATIC_OPTION,
      entity: STATIC_OPTION,
      store: STATIC_OPTION,
      isGlobal: STATIC_OPTION,
      globalGuard: STATIC_OPTION,
    },
  );
  const level = read.choice('securityLevel', LEVEL_NAMES, DEFAULTS.securityLevel);
  const timeouts = resolveTimeouts(read.get('timeouts'), 'timeouts', ruleOf(level));
  const roles = resolveRoles(read.get('roles'), timeouts);
  const trustedOrigins = resolveOrigins(read);
  const clock = read.get('clock') ?? DEFAULTS.clock;
  if (typeof clock !== 'function')
    throw read.refuse('clock', 'pass a function that returns epoch milliseconds.');
  return {
    timeouts,
    roles,
    maxSessionsPerUser: read.integer(
      'maxSessionsPerUser',
      { min: 1, max: 1_000_000 },
      DEFAULTS.maxSessionsPerUser,
    ),
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
    guessing: resolveGuessing(read.get('guessing')),
    audit: resolveAudit(read),
    clock: clock as () => number,
  };
}

function resolveSecret(read: OptionReader<SessionModuleOptions>): ResolvedSessionOptions['secret'] {
  const value = read.get('secret');
  if (value === undefined) return { keys: [], acceptUnkeyed: true };
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  const options = isObject ? value : { keys: typeof value === 'string' ? [value] : value };
  const secret = new OptionReader<SecretOptions>(options, 'secret', ['keys', 'acceptUnkeyed']);
  const keys: unknown = secret.get('keys');
  if (!Array.isArray(keys) || !Array.from(keys).every((key) => typeof key === 'string')) {
    throw secret.refuse('keys', 'use an array of strings.');
  }
  if (keys.length === 0 || keys.some((key) => key.length < SHORTEST_KEY)) {
    throw new SessionOptionsError(
      'secret',
      keys,
      `it needs a key, and each key at least ${SHORTEST_KEY} random characters: \`openssl rand -base64 32\` makes one.`,
    );
  }
  return { keys, acceptUnkeyed: secret.boolean('acceptUnkeyed', false) };
}

function resolveGuessing(value: unknown): ResolvedSessionOptions['guessing'] {
  if (value === false) return null;
  const read = new OptionReader<GuessingOptions>(value ?? {}, 'guessing', ['attempts', 'within', 'refuse']);
  const { attempts, within, refuse } = DEFAULTS.guessing;
  return {
    attempts: read.integer('attempts', { min: 1, max: 1_000_000 }, attempts),
    within: read.duration('within', { min: 1_000, max: LONGEST_WATCH }, within),
    refuse: read.boolean('refuse', refuse),
  };
}

function resolveAudit(read: OptionReader<SessionModuleOptions>): ResolvedSessionOptions['audit'] {
  const sink = read.get('audit') ?? DEFAULTS.audit;
  if (sink === null || sink === false || typeof sink === 'function') return sink as AuditSink | false | null;
  throw read.refuse('audit', 'pass a function that takes each entry, or false for no audit trail.');
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
