import { describe, expect, it } from '@jest/globals';
import { SessionOptionsError } from '../../src/core/model/errors.js';
import type { SessionModuleOptions } from '../../src/core/options/options.js';
import { describePolicy } from '../../src/core/options/policy-document.js';
import { SessionPolicy } from '../../src/core/policy/policy.js';
import { resolveOptions } from '../../src/core/options/resolve-options.js';
import { RoleHierarchy } from '../../src/core/policy/roles.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

function documentOf(given: SessionModuleOptions) {
  const options = resolveOptions(given);
  const hierarchy = new RoleHierarchy(options.roles.includes, options.roles.isDeclared);
  const policy = new SessionPolicy(options.timeouts, options.roles.timeouts, hierarchy, options.touchEvery);
  return describePolicy(options, hierarchy, policy);
}

describe('the policy document', () => {
  it('states the limits with those of the standards beside', () => {
    expect(documentOf({ securityLevel: 'high', timeouts: { idle: '5m' }, maxSessionsPerUser: 3 })).toEqual({
      lifetime: {
        securityLevel: 'high',
        idle: { value: 5 * MINUTE, standard: 15 * MINUTE, source: 'OWASP Mobile M9', isWithinStandard: true },
        absolute: {
          value: 12 * HOUR,
          standard: 12 * HOUR,
          source: 'NIST SP 800-63B-4',
          isWithinStandard: true,
        },
        renewal: HOUR,
        reason: null,
      },
      roles: [],
      parallelSessions: { perUser: 3, atTheLimit: 'evict-oldest' },
      onReuse: 'revoke',
      requireHttps: true,
      nearCache: null,
    });
  });

  it('states what a role comes to with all that it includes', () => {
    const { roles } = documentOf({
      securityLevel: 'low',
      roles: {
        admin: ['support'],
        support: { includes: ['customer'], securityLevel: 'high' },
        customer: [],
      },
    });
    expect(
      roles.map(({ role, includes, lifetime }) => [role, includes, lifetime.idle.value / MINUTE]),
    ).toEqual([
      ['admin', ['support', 'customer'], 15],
      ['support', ['customer'], 15],
      ['customer', [], 60],
    ]);
  });

  it('states the reason of what is longer than the standard', () => {
    const reason = 'Wall displays in locked rooms.';
    const { lifetime } = documentOf({ timeouts: { idle: '12h', reason } });
    expect(lifetime).toMatchObject({ reason, idle: { value: 12 * HOUR, isWithinStandard: false } });
  });
});

describe('a timeout beyond that of the security level', () => {
  const refusalOf = (options: SessionModuleOptions): unknown => {
    try {
      return resolveOptions(options);
    } catch (error) {
      return error;
    }
  };

  it.each<[string, SessionModuleOptions, string]>([
    ['idle', { timeouts: { idle: '31m' } }, 'OWASP Mobile M9'],
    ['absolute', { timeouts: { absolute: '25h' } }, 'NIST SP 800-63B-4'],
    [
      'of a role',
      { roles: { admin: { securityLevel: 'high', timeouts: { idle: '16m' } } } },
      'roles.admin.timeouts.reason',
    ],
    ['with an empty reason', { timeouts: { idle: '31m', reason: ' ' } }, 'in a sentence'],
    ['with a reason that is none', { timeouts: { idle: '31m', reason: true as never } }, 'in a sentence'],
  ])('is refused: %s', (_, options, says) => {
    const refusal = refusalOf(options);
    expect(refusal).toBeInstanceOf(SessionOptionsError);
    expect(String(refusal)).toContain(says);
  });

  it.each<[string, SessionModuleOptions]>([
    ['with a reason', { timeouts: { idle: '31m', reason: 'A kiosk.' } }],
    ['as long as the standard', { timeouts: { idle: '30m', absolute: '24h' } }],
    [
      'inherited by a role',
      { timeouts: { idle: '31m', reason: 'A kiosk.' }, roles: { admin: { timeouts: { renewal: '1h' } } } },
    ],
    ['renewal, for which there is no standard', { timeouts: { renewal: '23h' } }],
  ])('is taken: %s', (_, options) => {
    expect(refusalOf(options)).not.toBeInstanceOf(Error);
  });
});
