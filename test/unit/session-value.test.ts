import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { instanceToPlain } from 'class-transformer';
import { ActiveSession, AnonymousSession } from 'nestjs-sessions';
import { toSession } from '../../src/core/life/recorded-session.js';
import type { SessionRecord } from '../../src/core/model/record.js';
import { RoleHierarchy } from '../../src/core/policy/roles.js';
import { SECURITY_LEVELS, SessionPolicy } from '../../src/core/policy/policy.js';

const policy = new SessionPolicy(
  SECURITY_LEVELS.medium,
  new Map(),
  new RoleHierarchy(new Map(), false),
  null,
);
const RECORD: SessionRecord = {
  id: '0190163d-8694-739b-aea5-966c26f8ad90',
  seriesHash: 'a secret hash',
  tokenHash: 'a secret hash',
  confirmedAt: null,
  rotatedAt: 1_000,
  previousHash: 'a secret hash',
  previousKind: 'renewal',
  successor: 'a secret hash',
  unshown: 'a secret hash',
  ignoredFrom: null,
  userId: 'ana',
  roles: '["admin"]',
  createdAt: 1_000,
  authenticatedAt: 2_000,
  level2At: 1_000,
  level3At: null,
  lastSeenAt: 3_000,
  idleExpiresAt: 1_803_000,
  absoluteExpiresAt: 86_402_000,
  renewAt: 14_401_000,
  expiresAt: 1_803_000,
  ip: '192.0.2.7',
  userAgent: 'curl',
  label: null,
  data: '{"note":"a secret note","list":[{"a":1}]}',
  dataVersion: 0,
};

/** Of the session's life. */
const NOW = 4_000;
const PUBLIC = {
  id: RECORD.id,
  userId: 'ana' as string | null,
  roles: ['admin'] as string[],
  level: 2 as number | null,
  createdAt: new Date(1_000),
  authenticatedAt: new Date(2_000) as Date | null,
  lastSeenAt: new Date(3_000),
  expiresAt: new Date(1_803_000),
  client: { ip: '192.0.2.7', userAgent: 'curl', label: null },
};
const OF_NOBODY = { ...PUBLIC, userId: null, roles: [], level: null, authenticatedAt: null };
const DATA = { note: 'a secret note', list: [{ a: 1 }] };

describe.each([
  ['ActiveSession', ActiveSession, RECORD, PUBLIC],
  ['AnonymousSession', AnonymousSession, { ...RECORD, userId: null, roles: '[]' }, OF_NOBODY],
] as const)('%s', (name, kind, record, shown) => {
  const session = toSession(record, policy.of(record.roles), NOW);

  it('is an instance of its class', () => {
    expect(session).toBeInstanceOf(kind);
    expect(session instanceof ActiveSession).toBe(kind === ActiveSession);
  });

  it.each<[string, () => unknown]>([
    ['a spread', () => ({ ...session })],
    ['Object.entries', () => Object.fromEntries(Object.entries(session))],
    ['Object.assign', () => Object.assign({}, session)],
    ['structuredClone', () => structuredClone(session)],
    ['toJSON()', () => session.toJSON()],
    ["class-transformer's instanceToPlain", () => instanceToPlain(session)],
    [
      'Object.getOwnPropertyDescriptors',
      () => Object.defineProperties({}, Object.getOwnPropertyDescriptors(session)),
    ],
  ])('%s has all that is public, and no data', (_way, copy) => {
    const copied = copy() as object;
    expect(copied).toStrictEqual(shown);
    expect(Reflect.ownKeys(copied)).toEqual(Object.keys(shown));
    expect('data' in copied).toBe(false);
  });

  it('a loop over its names sees no other', () => {
    const names: string[] = [];
    for (const key in session) names.push(key);
    expect(names).toEqual(Object.keys(shown));
    expect(Object.keys(session)).toEqual(Object.keys(shown));
  });

  it('as JSON has times as ISO 8601 texts, and no data', () => {
    expect(JSON.stringify({ session })).toBe(JSON.stringify({ session: shown }));
    expect(JSON.parse(JSON.stringify(session))).toMatchObject({ createdAt: '1970-01-01T00:00:01.000Z' });
  });

  it('on the console has its name and all that is public, and neither data nor hashes', () => {
    const printed = inspect(session, { depth: null });
    expect(printed).toContain(`${name} {`);
    for (const key of Object.keys(shown)) expect(printed).toContain(`${key}: `);
    expect(inspect(session, { depth: null, showHidden: true, getters: false })).not.toContain('secret');
  });

  it('has its data when asked, parsed once', () => {
    expect(session.data).toEqual(DATA);
    expect(session.data).toBe(session.data);
  });

  it.each<[string, (target: never) => void]>([
    ['userId', (target: { userId: string }) => (target.userId = 'eve')],
    ['roles', (target: { roles: string[] }) => (target.roles = ['root'])],
    ['a role', (target: { roles: string[] }) => target.roles.push('root')],
    ['expiresAt', (target: { expiresAt: Date }) => (target.expiresAt = new Date())],
    ['client.ip', (target: { client: { ip: string } }) => (target.client.ip = '::1')],
    ['data', (target: { data: object }) => (target.data = {})],
    ['data.note', (target: { data: { note: string } }) => (target.data.note = 'x')],
    ['data.list[0].a', (target: { data: typeof DATA }) => Object.assign(target.data.list[0]!, { a: 2 })],
    ['a new property', (target: { isAdmin: boolean }) => (target.isAdmin = true)],
  ] as [string, (target: never) => void][])('writing to it is an error: %s', (_what, write) => {
    expect(() => write(session as never)).toThrow(TypeError);
    expect(session.toJSON()).toStrictEqual(shown);
    expect(session.data).toEqual(DATA);
  });

  it('the dates of one are not those of another of the same record', () => {
    toSession(record, policy.of(record.roles), NOW).expiresAt.setTime(0);
    expect(toSession(record, policy.of(record.roles), NOW).expiresAt).toEqual(shown.expiresAt);
  });
});
