import { SECURITY_LEVELS, type SecurityLevel, STANDARDS, type TimeoutRule } from '../policy/policy.js';
import { choice, duration, list } from './option-kinds.js';
import { Given, type Option, type OptionTable, readAll } from './option.js';
import type { RoleOptions, TimeoutOptions } from './options.js';

export const LEVEL_NAMES = Object.keys(SECURITY_LEVELS) as SecurityLevel[];
export const LONGEST_TIMEOUT = 10 * 365 * 24 * 60 * 60_000;

/** How long sessions with a role last, and whose rights it has. */
export interface ResolvedRoles {
  readonly includes: ReadonlyMap<string, readonly string[]>;
  readonly timeouts: ReadonlyMap<string, TimeoutRule>;
  readonly isDeclared: boolean;
}

const TIMEOUT = duration({ min: 1, max: LONGEST_TIMEOUT }, null);

const TIMEOUTS = {
  idle: TIMEOUT,
  absolute: TIMEOUT,
  renewal: TIMEOUT,
  reason: { read: readReason },
} satisfies OptionTable<TimeoutOptions>;

const ROLE = {
  includes: list(),
  securityLevel: choice(LEVEL_NAMES, null),
  // Read later: what they may be depends on the level.
  timeouts: { read: (given: Given) => given },
} satisfies OptionTable<RoleOptions>;

export const timeouts: Option<TimeoutRule, { readonly securityLevel: SecurityLevel }> = {
  parts: TIMEOUTS,
  read: (given, { securityLevel }) => readTimeouts(given, ruleOf(securityLevel)),
};

export const roles: Option<ResolvedRoles, { readonly timeouts: TimeoutRule }> = {
  read: (given, others) => readRoles(given, others.timeouts),
};

function ruleOf(securityLevel: SecurityLevel): TimeoutRule {
  return { ...SECURITY_LEVELS[securityLevel], securityLevel, reason: null };
}

/** @throws SessionOptionsError for what exceeds the security level without a reason */
function readTimeouts(given: Given, defaults: TimeoutRule): TimeoutRule {
  const { idle, absolute, renewal, reason } = readAll(TIMEOUTS, given.orEmpty());
  const standards = SECURITY_LEVELS[defaults.securityLevel];
  for (const [name, value] of [['idle', idle] as const, ['absolute', absolute] as const]) {
    if (reason !== null || value === null || value <= standards[name]) continue;
    throw given
      .part(name)
      .refuse(
        `the security level '${defaults.securityLevel}' allows at most ${standards[name]} ms (${STANDARDS[name]}). Use ` +
          `that, a lower \`securityLevel\`, or say in \`${given.path}.reason\` why it may be longer.`,
      );
  }
  return {
    idle: idle ?? defaults.idle,
    absolute: absolute ?? defaults.absolute,
    renewal: renewal ?? defaults.renewal,
    securityLevel: defaults.securityLevel,
    reason: reason ?? defaults.reason,
  };
}

function readReason(given: Given): string | null {
  if (given.isLeftOut) return null;
  if (typeof given.value === 'string' && given.value.trim() !== '') return given.value;
  throw given.refuse('say in a sentence why the timeouts may be longer than the standards advise.');
}

function readRoles(given: Given, defaults: TimeoutRule): ResolvedRoles {
  const includes = new Map<string, readonly string[]>();
  const timeoutsByRole = new Map<string, TimeoutRule>();
  const declared = given.value ?? {};
  if (given.value === null || typeof declared !== 'object' || Array.isArray(declared)) {
    throw given.refuse("pass an object such as { admin: ['support'] }.");
  }
  for (const [role, value] of Object.entries(declared)) {
    const path = `${given.path}.${role}`;
    const read = readAll(ROLE, new Given(path, Array.isArray(value) ? { includes: value } : value));
    includes.set(role, read.includes);
    if (read.securityLevel === null && read.timeouts.isLeftOut) continue;
    const base = read.securityLevel === null ? defaults : ruleOf(read.securityLevel);
    timeoutsByRole.set(role, readTimeouts(read.timeouts, base));
  }
  return { includes, timeouts: timeoutsByRole, isDeclared: !given.isLeftOut };
}
