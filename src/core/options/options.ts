import type { AuditEntry } from '../model/audit-entry.js';
import type { Duration } from '../model/duration.js';
import type { SessionBus } from '../model/session-bus.js';
import type { SecurityLevel } from '../policy/policy.js';
import type { Role } from '../model/session.js';

/** How a token travels: in the answer's body for apps, or in a cookie that no script can read for browsers. */
export type Transport = 'bearer' | 'cookie';

/** What the browser is told to forget at sign-out (W3C Clear-Site-Data). */
export type ClearSiteData =
  'cache' | 'storage' | 'executionContexts' | 'clientHints' | 'prefetchCache' | 'prerenderCache';

/** Timeouts in place of those of the security level, in milliseconds or as strings with a unit. */
export interface TimeoutOptions {
  /** A session without activity ends after this. */
  idle?: Duration;
  /** A session ends this long after its last authentication event, active or not. */
  absolute?: Duration;
  /** A token older than this is renewed by the next request. */
  renewal?: Duration;
  /**
   * Why they may be longer than the security level's, in a sentence: needed where `idle` or `absolute` is. It stands in
   * the policy document (OWASP ASVS 7.1.1).
   */
  reason?: string;
}

/** What a role includes, and how long its sessions last. */
export interface RoleOptions {
  /** Roles whose rights this role has too. */
  includes?: readonly Role[];
  /** Timeouts of sessions with this role. Default: those of the module. */
  securityLevel?: SecurityLevel;
  /** Single timeouts of sessions with this role. Of several roles the strictest of each wins. */
  timeouts?: TimeoutOptions;
}

/** The session cookie. Secure, HttpOnly, `Path=/`, no Domain and no Max-Age are fixed (OWASP ASVS 3.3). */
export interface CookieOptions {
  /** Without prefix; over HTTPS it is sent as `__Host-` + name. Default: `sid`. */
  name?: string;
  /** Default: `lax`. `none` needs `trustedOrigins`. */
  sameSite?: 'strict' | 'lax' | 'none';
  /** Sent to cookie clients at sign-out. Default: `['cache', 'storage']`. */
  clearSiteData?: readonly ClearSiteData[] | false;
}

/** What is let in over plain HTTP besides this machine, while somebody develops. */
export interface HttpsOptions {
  /**
   * Hosts of local networks, such as `10.0.2.2` or `192.168.1.20`, without port: requests to them are let in over plain
   * HTTP from local networks, also through the proxy of a development server. Holds only where NODE_ENV is exactly
   * `development`, and is ignored otherwise. Default: none.
   */
  developmentHosts?: readonly string[];
}

/** The scheduled removal of the rows of expired sessions. */
export interface PurgeOptions {
  /** Default: `5m`. */
  every?: Duration;
  /** Rows per statement. Default: 5,000; on SQLite 200, since there every statement holds up all others. */
  batchSize?: number;
}

/** Keys of the checksum of tokens, each of at least 32 characters. */
export interface SecretOptions {
  /** Newest first: it signs; all of them are accepted. */
  keys: readonly string[];
  /** Accept tokens that were issued before there was a key. Default: false. */
  acceptUnkeyed?: boolean;
}

/** What counts as guessing (OWASP Session Management Cheat Sheet, "Session ID Guessing"). */
export interface GuessingOptions {
  /** So many different tokens that no session has, from one address, are a suspicion. Default: 20. */
  attempts?: number;
  /** Counted over this time, at most a day. Default: `1m`. */
  within?: Duration;
  /** Answer such tokens from that address with 429 `too_many_guesses`; sessions there go on. Default: false. */
  refuse?: boolean;
}

/** How the processes of an application know what one of them has changed. */
export interface ClusterOptions {
  /**
   * What carries announcements between them: LISTEN and NOTIFY of the database (`postgres`), a table that is polled
   * (`table`), `redisBus(…)`, or a `SessionBus` of your own. Default: none, and each change waits out the others' leases.
   */
  bus?: 'postgres' | 'table' | SessionBus;
  /** Answer from memory where that is as good as asking the database, within so many bytes (64 MiB). Default: false. */
  cache?: boolean | NearCacheOptions;
  /** Of `bus: 'postgres'` behind a pooler: the URL of the database itself. Default: that of the data source. */
  directUrl?: string;
}

/** How much a process keeps in memory. */
export interface NearCacheOptions {
  /** In bytes; a session without data takes about 1,500. Default: 67,108,864. */
  maxBytes?: number;
}

/** Takes what happened to sessions to where you keep it. What it throws is logged, and harms nobody. */
export type AuditSink = (entry: AuditEntry) => void | Promise<void>;

/** All are optional: the defaults are safe. Durations are milliseconds or strings such as `'15m'`. */
export interface SessionModuleOptions {
  /**
   * A named set of timeouts: `low` 60 min idle and 30 days, `medium` 30 min and 24 h, `high` 15 min and 12 h (OWASP Mobile
   * M9, NIST SP 800-63B). Default: `medium`.
   */
  securityLevel?: SecurityLevel;
  /** Timeouts in place of those of the security level. */
  timeouts?: TimeoutOptions;
  /** Which role includes which, and timeouts of roles. With it, a decorator that names another role stops the boot. */
  roles?: { readonly [role in Role]?: readonly Role[] | RoleOptions };
  /** How many live sessions a user may have (OWASP ASVS 7.1.2). Default: no limit. */
  maxSessionsPerUser?: number;
  /** At the limit a sign-in ends the oldest session, or is refused with 409. Default: `evict-oldest`. */
  onSessionLimit?: 'evict-oldest' | 'reject';
  /** When a dead token is used long after its successor was: end the session, or only tell (OWASP Mobile M9). Default: `revoke`. */
  onReuse?: 'revoke' | 'report';
  /** How tokens are delivered unless `@StartSession` says otherwise. Both are always accepted. Default: `bearer`. */
  transport?: Transport;
  /** The cookie of browsers: its name, `SameSite`, and what they forget at sign-out. */
  cookie?: CookieOptions;
  /**
   * Origins, besides the application's own, whose pages may send requests with the cookie: `https://app.example.com`
   * (OWASP ASVS 3.5). Default: none.
   */
  trustedOrigins?: readonly string[];
  /**
   * Refuse sessions over plain HTTP, loopback in development excepted (OWASP MASVS); with an object, also what a developer
   * has named. Default: true.
   */
  requireHttps?: boolean | HttpsOptions;
  /** Keys of at least 32 characters, newest first: forged tokens then cost no query. Default: none. */
  secret?: string | readonly string[] | SecretOptions;
  /** How long an earlier token may be under way after its successor was used. Default: `30s`. */
  grace?: Duration;
  /** The scheduled removal of expired sessions, every 5 min; `false` leaves it to your own job, which calls `purgeExpired()`. */
  purge?: PurgeOptions | false;
  /**
   * How often it is looked whether the sessions of open sockets and streams are still live, at the latest: what ends them in
   * this process, or is told by the bus of the option `cluster`, closes them at once. From 1 s to 10 min. Default: `30s`.
   */
  recheckEvery?: Duration;
  /** How old `lastSeenAt` may get before activity is written. Default: a sixtieth of the idle timeout, at most 60 s. */
  touchEvery?: Duration;
  /** Keep IP address and user agent of the sign-in, for device lists. Default: true. */
  recordClient?: boolean;
  /** Limit of the JSON text of a session's data, in bytes as stored: ASCII, other characters escaped. Default: 16,384; at most 65,535. */
  maxDataBytes?: number;
  /** Notice bursts of guessed tokens: the event `guessing-suspected`. Counted by each process for itself. */
  guessing?: GuessingOptions | false;
  /**
   * Look whether the data source knows the session entities and the database has their tables and columns, and refuse to
   * start without. Where the database is away at boot, it is looked with the first connection. Default: true.
   */
  schemaCheck?: boolean;
  /** Where the audit trail goes. Default: Nest's `Logger`, under the context `SessionAudit`. */
  audit?: AuditSink | false;
  /**
   * For several processes: what one of them takes away, the others know of when the call returns. **Every** process that
   * calls verbs of `SessionService` needs it then, also jobs and scripts. Default: each request asks the database.
   */
  cluster?: ClusterOptions | false;
  /** Epoch milliseconds. Default: `Date.now`. */
  clock?: () => number;
}
