import { NEAR_CACHE_AGE } from '../outage/time-budgets.js';
import type { ResolvedSessionOptions } from './resolve-options.js';
import {
  SECURITY_LEVELS,
  type SecurityLevel,
  type SessionPolicy,
  STANDARDS,
  type TimeoutRule,
  type Timeouts,
} from '../policy/policy.js';
import { serializeRoles } from '../model/principal.js';
import type { RoleHierarchy } from '../policy/roles.js';

/** One timeout, with what the standard says of it beside. Milliseconds. */
export interface TimeoutStatement {
  /** What holds. */
  readonly value: number;
  /** What the security level has it at. */
  readonly standard: number;
  /** The standard that this figure comes from. */
  readonly source: string;
  /** Whether `value` is no longer than `standard`. */
  readonly isWithinStandard: boolean;
}

/** How long sessions last. */
export interface SessionLifetime {
  /** The set of timeouts that it starts from. */
  readonly securityLevel: SecurityLevel;
  /** Without activity. */
  readonly idle: TimeoutStatement;
  /** From the last authentication event on. */
  readonly absolute: TimeoutStatement;
  /** After which a token in use is replaced, in milliseconds. */
  readonly renewal: number;
  /** Why a timeout is longer than the standard. */
  readonly reason: string | null;
}

/** The sessions of one role: `lifetime` is what follows from all that it includes. */
export interface RoleStatement {
  /** Its name. */
  readonly role: string;
  /** Every role whose rights it has. */
  readonly includes: readonly string[];
  /** How long sessions with this role last. */
  readonly lifetime: SessionLifetime;
}

/** What holds where processes answer from memory. */
export interface NearCacheStatement {
  /** What is kept is never older, in milliseconds. It is as old only where a call has failed, or its process has died. */
  readonly maxAge: number;
  /** In a sentence. */
  readonly promise: string;
}

/** What is promised of the near cache. */
export const NEAR_CACHE_PROMISE =
  'When a call that takes something away has returned, no process answers from a state before it.';

/** What OWASP ASVS 7.1.1 and 7.1.2 ask a team to write down of its sessions, as the application is really set. */
export interface SessionPolicyDocument {
  /** Of sessions whose roles have no timeouts of their own. */
  readonly lifetime: SessionLifetime;
  /** Every role that the option `roles` names. */
  readonly roles: readonly RoleStatement[];
  /** How many sessions a user may have, and what a sign-in does at the limit (OWASP ASVS 7.1.2). */
  readonly parallelSessions: {
    /** `null`: as many as somebody likes. */
    readonly perUser: number | null;
    readonly atTheLimit: 'evict-oldest' | 'reject';
  };
  /** What the use of a token that was replaced leads to. */
  readonly onReuse: 'revoke' | 'report';
  /** Whether sessions over plain HTTP are refused. */
  readonly requireHttps: boolean;
  /** What processes may answer from memory; `null`: nothing, each request is judged on the database. */
  readonly nearCache: NearCacheStatement | null;
}

/** The policy that a set of options comes to. */
export function describePolicy(
  options: ResolvedSessionOptions,
  hierarchy: RoleHierarchy,
  policy: SessionPolicy,
): SessionPolicyDocument {
  const { timeouts, roles, maxSessionsPerUser, onSessionLimit, onReuse, requireHttps, cluster } = options;
  const hasCache = cluster !== null && cluster.cache !== null;
  return {
    lifetime: lifetimeOf(timeouts, timeouts),
    roles: hierarchy.known().map((role) => ({
      role,
      includes: [...hierarchy.closure(role)].filter((included) => included !== role),
      lifetime: lifetimeOf(roles.timeouts.get(role) ?? timeouts, policy.of(serializeRoles([role])).timeouts),
    })),
    parallelSessions: { perUser: maxSessionsPerUser, atTheLimit: onSessionLimit },
    onReuse,
    requireHttps: requireHttps !== null,
    nearCache: hasCache ? { maxAge: NEAR_CACHE_AGE, promise: NEAR_CACHE_PROMISE } : null,
  };
}

/** @param effective the same, or stricter where a role includes one that has stricter timeouts */
function lifetimeOf({ securityLevel, reason }: TimeoutRule, effective: Timeouts): SessionLifetime {
  const state = (name: keyof typeof STANDARDS): TimeoutStatement => {
    const [value, standard] = [effective[name], SECURITY_LEVELS[securityLevel][name]];
    return { value, standard, source: STANDARDS[name], isWithinStandard: value <= standard };
  };
  return {
    securityLevel,
    idle: state('idle'),
    absolute: state('absolute'),
    renewal: effective.renewal,
    reason,
  };
}
