import { describe, expect, it } from '@jest/globals';
import { SECURITY_LEVELS, SessionPolicy } from '../../src/core/policy/policy.js';
import { resolveOptions } from '../../src/core/options/resolve-options.js';
import { RoleHierarchy } from '../../src/core/policy/roles.js';
import type { SessionModuleOptions } from '../../src/core/options/options.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

function policyOf(options: SessionModuleOptions): SessionPolicy {
  const { timeouts, roles, touchEvery } = resolveOptions(options);
  return new SessionPolicy(
    timeouts,
    roles.timeouts,
    new RoleHierarchy(roles.includes, roles.isDeclared),
    touchEvery,
  );
}

it('has the numbers of the standards', () => {
  expect(SECURITY_LEVELS).toEqual({
    low: { idle: 60 * MINUTE, absolute: 30 * DAY, renewal: 24 * HOUR },
    medium: { idle: 30 * MINUTE, absolute: 24 * HOUR, renewal: 4 * HOUR },
    high: { idle: 15 * MINUTE, absolute: 12 * HOUR, renewal: HOUR },
  });
  expect(policyOf({}).of('[]').timeouts).toEqual(SECURITY_LEVELS.medium);
});

describe('with roles', () => {
  const policy = policyOf({
    securityLevel: 'low',
    roles: {
      admin: { includes: ['support'], timeouts: { idle: '5m' } },
      support: { securityLevel: 'medium' },
      auditor: { timeouts: { absolute: '1h' } },
    },
  });

  it('takes the strictest of each timeout', () => {
    expect(policy.of('["support","auditor"]').timeouts).toEqual({
      idle: 30 * MINUTE,
      absolute: HOUR,
      renewal: 4 * HOUR,
    });
    expect(policy.of('["visitor"]').timeouts).toEqual(SECURITY_LEVELS.low);
  });

  it('counts the roles that a role includes', () => {
    expect(policy.of('["admin"]').timeouts).toEqual({ idle: 5 * MINUTE, absolute: DAY, renewal: 4 * HOUR });
  });

  it('notes activity sixty times per idle timeout, and at least once a minute', () => {
    expect(policy.of('["admin"]').touchEvery).toBe(5_000);
    expect(policy.of('[]').touchEvery).toBe(MINUTE);
  });

  it('knows roles with names of properties of every object', () => {
    for (const name of ['__proto__', 'constructor', 'hasOwnProperty']) {
      expect(policy.of(JSON.stringify([name])).timeouts).toEqual(SECURITY_LEVELS.low);
    }
  });
});

it('ends sessions sooner where the timeouts were made stricter since, never later', () => {
  const record = {
    roles: '[]',
    authenticatedAt: 0,
    lastSeenAt: 0,
    expiresAt: 30 * MINUTE,
    rotatedAt: 0,
    renewAt: HOUR,
  };
  expect(
    policyOf({ timeouts: { idle: '10m' } })
      .of('[]')
      .expiresAt(record as never),
  ).toBe(10 * MINUTE);
  expect(
    policyOf({ timeouts: { idle: '2h', reason: 'a test' } })
      .of('[]')
      .expiresAt(record as never),
  ).toBe(30 * MINUTE);
  expect(
    policyOf({ timeouts: { renewal: '10m' } })
      .of('[]')
      .renewAt(record as never),
  ).toBe(10 * MINUTE);
});

describe('a hierarchy', () => {
  it('is followed to the end', () => {
    const hierarchy = new RoleHierarchy(
      new Map([
        ['a', ['b']],
        ['b', ['c']],
      ]),
      true,
    );
    expect([...hierarchy.satisfying(['c'])].toSorted()).toEqual(['a', 'b', 'c']);
    expect([...hierarchy.satisfying(['a'])]).toEqual(['a']);
  });

  it('with a circle is refused, with the way around it', () => {
    expect(() => policyOf({ roles: { a: ['b'], b: ['c'], c: ['a'] } })).toThrow(/a → b → c → a.*circle/);
    expect(() => policyOf({ roles: { a: ['a'] } })).toThrow(/a → a/);
  });
});
