import type { RoleHierarchy } from './roles.js';
import type { SessionRecord } from '../model/record.js';
import type { AuthenticationLevel } from '../model/session.js';
import { type LevelTimes, provenAt } from './levels.js';

/** Milliseconds. */
export interface Timeouts {
  /** Without activity a session ends after this. */
  readonly idle: number;
  /** After an authentication event a session ends after this, active or not. */
  readonly absolute: number;
  /** A token older than this is renewed by the next request. */
  readonly renewal: number;
}

/** Timeouts, and how they came about. */
export interface TimeoutRule extends Timeouts {
  readonly securityLevel: SecurityLevel;
  /** Why they may be longer than the security level's. */
  readonly reason: string | null;
}

/** A named set of timeouts: idle after OWASP Mobile M9, absolute after NIST SP 800-63B AAL 1, 2 and 3. */
export type SecurityLevel = 'low' | 'medium' | 'high';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Idle after OWASP Mobile M9 (2016), absolute after NIST SP 800-63B AAL 1, 2 and 3. */
export const SECURITY_LEVELS: Readonly<Record<SecurityLevel, Timeouts>> = {
  low: { idle: 60 * MINUTE, absolute: 30 * DAY, renewal: 24 * HOUR },
  medium: { idle: 30 * MINUTE, absolute: 24 * HOUR, renewal: 4 * HOUR },
  high: { idle: 15 * MINUTE, absolute: 12 * HOUR, renewal: HOUR },
};

/** Where the figures come from. */
export const STANDARDS = {
  idle: 'OWASP Mobile M9',
  absolute: 'NIST SP 800-63B-4',
} as const;

const TOUCHES_PER_IDLE = 60;
const MAX_TOUCH_EVERY = MINUTE;
/** Sets of roles are few in an application; a hostile or broken one must not make the memory grow. */
const MAX_REMEMBERED = 1_000;

export type Deadlines = Pick<SessionRecord, 'idleExpiresAt' | 'absoluteExpiresAt' | 'expiresAt'>;

/** What says when a session ends. */
type Ending = Pick<SessionRecord, 'expiresAt' | 'lastSeenAt' | 'authenticatedAt'>;

/** What follows from somebody's roles: the timeouts, and the deadlines of a session that has these roles. */
export class RolePolicy {
  constructor(
    readonly roles: readonly string[],
    readonly timeouts: Timeouts,
    /** How old `lastSeenAt` may get, in milliseconds, before activity is written. */
    readonly touchEvery: number,
  ) {}

  deadlines({
    authenticatedAt,
    lastSeenAt,
  }: Pick<SessionRecord, 'authenticatedAt' | 'lastSeenAt'>): Deadlines {
    const idleExpiresAt = lastSeenAt + this.timeouts.idle;
    const absoluteExpiresAt = authenticatedAt + this.timeouts.absolute;
    return { idleExpiresAt, absoluteExpiresAt, expiresAt: Math.min(idleExpiresAt, absoluteExpiresAt) };
  }

  /** As stored, or sooner where the timeouts have been made stricter since. */
  expiresAt({ expiresAt, lastSeenAt, authenticatedAt }: Ending): number {
    return Math.min(expiresAt, lastSeenAt + this.timeouts.idle, authenticatedAt + this.timeouts.absolute);
  }

  isLive(record: Ending, now: number): boolean {
    return now < this.expiresAt(record);
  }

  /** The highest level whose last proof the absolute timeout leaves standing; where that of level 1 falls, the session ends. */
  levelOf(times: LevelTimes, now: number): AuthenticationLevel {
    for (const level of [3, 2] as const) {
      const at = provenAt(times, level);
      if (at !== null && now < at + this.timeouts.absolute) return level;
    }
    return 1;
  }

  /** As stored, or sooner where the renewal has been made more frequent since. */
  renewAt({ renewAt, rotatedAt }: SessionRecord): number {
    return Math.min(renewAt, rotatedAt + this.timeouts.renewal);
  }
}

/** Which policy follows from which roles. Of several roles the strictest of each timeout wins. */
export class SessionPolicy {
  private readonly remembered = new Map<string, RolePolicy>();

  constructor(
    private readonly defaults: Timeouts,
    private readonly timeoutsByRole: ReadonlyMap<string, Timeouts>,
    private readonly hierarchy: RoleHierarchy,
    private readonly touchEvery: number | null,
    /** Not refused: while a new version is rolled out, some processes know more roles than others. */
    private readonly onUnknownRoles: (roles: readonly string[]) => void = () => {},
  ) {}

  /** @param roles as in the record: JSON text */
  of(roles: string): RolePolicy {
    let policy = this.remembered.get(roles);
    if (policy === undefined) {
      policy = this.resolve(Object.freeze(JSON.parse(roles) as string[]));
      if (this.remembered.size >= MAX_REMEMBERED) this.remembered.clear();
      this.remembered.set(roles, policy);
    }
    return policy;
  }

  private resolve(roles: readonly string[]): RolePolicy {
    const unknown = this.hierarchy.unknownAmong(roles);
    if (unknown.length > 0) this.onUnknownRoles(unknown);
    const held = new Set(roles.flatMap((role) => [...this.hierarchy.closure(role)]));
    const each = [...held].map((role) => this.timeoutsByRole.get(role) ?? this.defaults);
    const timeouts = (each.length > 0 ? each : [this.defaults]).reduce(stricter, UNLIMITED);
    const touchEvery = this.touchEvery ?? Math.min(timeouts.idle / TOUCHES_PER_IDLE, MAX_TOUCH_EVERY);
    return new RolePolicy(roles, timeouts, touchEvery);
  }
}

const UNLIMITED: Timeouts = { idle: Infinity, absolute: Infinity, renewal: Infinity };

function stricter(one: Timeouts, other: Timeouts): Timeouts {
  return {
    idle: Math.min(one.idle, other.idle),
    absolute: Math.min(one.absolute, other.absolute),
    renewal: Math.min(one.renewal, other.renewal),
  };
}
