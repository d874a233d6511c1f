import { performance } from 'node:perf_hooks';
import { toSession } from '../../../dist/core/life/recorded-session.js';
import { SECURITY_LEVELS, SessionPolicy } from '../../../dist/core/policy/policy.js';
import { RoleHierarchy } from '../../../dist/core/policy/roles.js';
import type { SessionRecord } from '../library.js';
import { print } from '../print.js';
import { type Cell, table } from '../report/table.js';
import { NOW, record } from './records.js';

const RECORDS = 1_000;
const ROUNDS = 15;

/** What each request pays for its session's being a plain value, beside the least that a session could be. */
export async function sessionValues({ isSmoke }: { readonly isSmoke: boolean }): Promise<void> {
  const policy = new SessionPolicy(
    SECURITY_LEVELS.medium,
    new Map(),
    new RoleHierarchy(new Map(), false),
    null,
  );
  const records = Array.from({ length: RECORDS }, (_, index) => record(index));
  const ways: Readonly<Record<string, (record: SessionRecord) => unknown>> = {
    'four properties': ({ id, userId, roles, authenticatedAt }) => ({
      id,
      userId,
      roles: policy.of(roles).roles,
      authenticatedAt,
    }),
    'all that is public, as a frozen literal': (each) => literalOf(each, policy),
    session: (each) => toSession(each, policy.of(each.roles), NOW),
    'session, data read': (each) => toSession(each, policy.of(each.roles), NOW).data,
  };
  const best = new Map<string, number>();
  for (let round = 0; round < (isSmoke ? 1 : ROUNDS); round++) {
    for (const [name, make] of Object.entries(ways)) {
      best.set(name, Math.min(best.get(name) ?? Infinity, nanosecondsOf(make, records)));
    }
  }
  const rows = [...best].map(([name, nanoseconds]): Cell[] => [name, Math.round(nanoseconds).toString()]);
  print(table(['of one record', 'ns, best of all rounds'], rows));
}

/** What no session can do without, where all that is public is its own. */
function literalOf(record: SessionRecord, policy: SessionPolicy): object {
  const { id, userId, createdAt, authenticatedAt, lastSeenAt, ip, userAgent, label } = record;
  const rules = policy.of(record.roles);
  return Object.freeze({
    id,
    userId,
    roles: rules.roles,
    level: rules.levelOf(record, NOW),
    createdAt: new Date(createdAt),
    authenticatedAt: new Date(authenticatedAt),
    lastSeenAt: new Date(lastSeenAt),
    expiresAt: new Date(rules.expiresAt(record)),
    client: Object.freeze({ ip, userAgent, label }),
  });
}

let kept: unknown;

function nanosecondsOf(make: (record: SessionRecord) => unknown, records: readonly SessionRecord[]): number {
  const repeats = 200;
  const begin = performance.now();
  for (let repeat = 0; repeat < repeats; repeat++) for (const each of records) kept = make(each);
  return kept === undefined ? NaN : ((performance.now() - begin) * 1e6) / (repeats * records.length);
}
