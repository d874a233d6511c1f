import { SessionOptionsError } from '../model/errors.js';
import { OptionReader } from './option-reader.js';
import type { ResolvedSessionOptions, RoleOptions, TimeoutOptions } from './options.js';
import { SECURITY_LEVELS, type SecurityLevel, STANDARDS, type TimeoutRule } from '../policy/policy.js';

export const LEVEL_NAMES = Object.keys(SECURITY_LEVELS) as SecurityLevel[];
export const LONGEST_TIMEOUT = 10 * 365 * 24 * 60 * 60_000;

/** The timeouts of a security level. */
export function ruleOf(securityLevel: SecurityLevel): TimeoutRule {
  return { ...SECURITY_LEVELS[securityLevel], securityLevel, reason: null };
}

/** @throws SessionOptionsError for what exceeds the security level without a reason */
export function resolveTimeouts(value: unknown, path: string, defaults: TimeoutRule): TimeoutRule {
  const read = new OptionReader<TimeoutOptions>(value ?? {}, path, ['idle', 'absolute', 'renewal', 'reason']);
  const range = { min: 1, max: LONGEST_TIMEOUT };
  const reason = read.get('reason');
  if (reason !== undefined && (typeof reason !== 'string' || reason.trim() === '')) {
    throw read.refuse(
      'reason',
      'say in a sentence why the timeouts may be longer than the standards advise.',
    );
  }
  for (const name of ['idle', 'absolute'] as const) {
    const standard = SECURITY_LEVELS[defaults.securityLevel][name];
    if (reason !== undefined || read.duration(name, range, 0) <= standard) continue;
    throw read.refuse(
      name,
      `the security level '${defaults.securityLevel}' allows at most ${standard} ms (${STANDARDS[name]}). Use that, a ` +
        `lower \`securityLevel\`, or say in \`${read.nameOf('reason')}\` why it may be longer.`,
    );
  }
  return {
    idle: read.duration('idle', range, defaults.idle),
    absolute: read.duration('absolute', range, defaults.absolute),
    renewal: read.duration('renewal', range, defaults.renewal),
    securityLevel: defaults.securityLevel,
    reason: reason ?? defaults.reason,
  };
}

/** @throws SessionOptionsError */
export function resolveRoles(value: unknown, defaults: TimeoutRule): ResolvedSessionOptions['roles'] {
  const includes = new Map<string, readonly string[]>();
  const timeouts = new Map<string, TimeoutRule>();
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
    const hasLevel = read.get('securityLevel') !== undefined;
    if (!hasLevel && read.get('timeouts') === undefined) continue;
    const base = hasLevel
      ? ruleOf(read.choice('securityLevel', LEVEL_NAMES, defaults.securityLevel))
      : defaults;
    timeouts.set(role, resolveTimeouts(read.get('timeouts'), `${path}.timeouts`, base));
  }
  return { includes, timeouts, isDeclared: value !== undefined };
}
