import { beforeEach, describe, expect, it } from '@jest/globals';
import { InMemorySessionStore, TestClock } from 'nestjs-sessions/testing';
import type { Announcement } from '../../src/core/model/announcement.js';
import type { NearMemory } from '../../src/core/model/near-memory.js';
import type { SessionModuleOptions } from '../../src/core/options/options.js';
import { resolveOptions } from '../../src/core/options/resolve-options.js';
import { SessionCore } from '../../src/core/session-core.js';
import { SessionService } from '../../src/session.service.js';

const SILENT = {
  onOutage: () => {},
  onRecovery: () => {},
  onSubscriberError: () => {},
  onUnknownRoles: () => {},
};

let store: InMemorySessionStore;
let clock: TestClock;
let announced: Announcement[];
let order: string[];
let answer: () => Promise<void>;

beforeEach(() => {
  store = new InMemorySessionStore();
  clock = new TestClock();
  announced = [];
  order = [];
  answer = async () => {};
});

function node(options: SessionModuleOptions = {}, memory: NearMemory | null = null) {
  const announce = (changes: readonly Announcement[]) => {
    announced.push(...changes);
    order.push('announced');
    return answer();
  };
  const resolved = resolveOptions({ clock: clock.now, ...options });
  const core = new SessionCore(resolved, store, SILENT, { announcer: { announce }, memory });
  return { core, service: new SessionService(core) };
}

const session = (id: string): Announcement => ({ scope: 'session', id });
const user = (id: string): Announcement => ({ scope: 'user', id });

describe('a verb that takes something away announces it', () => {
  const ofSession: readonly [string, (service: SessionService, id: string) => Promise<unknown>][] = [
    ['revoke', (service, id) => service.revoke(id)],
    ['rotate', (service, id) => service.rotate(id)],
    ['update', (service, id) => service.update(id, () => ({ changed: true }))],
    ['update that changes nothing', (service, id) => service.update(id, (data) => data)],
    ['authenticate, as a step-up', (service, id) => service.authenticate(id, { userId: 'ana', level: 2 })],
    ['authenticate, as somebody else', (service, id) => service.authenticate(id, { userId: 'ben' })],
  ];
  it.each(ofSession)('%s: the session', async (_, verb) => {
    const { service } = node();
    const issued = await service.create({ userId: 'ana' });
    expect(announced).toEqual([]);
    await verb(service, issued.session.id);
    expect(announced).toEqual([session(issued.session.id)]);
  });

  it('a sign-in on an anonymous session: the session', async () => {
    const { service } = node();
    const visit = await service.createAnonymous();
    await service.authenticate(visit.session.id, { userId: 'ana' });
    expect(announced).toEqual([session(visit.session.id)]);
  });

  it('a sign-out: the session', async () => {
    const { core, service } = node();
    const { session: signedIn } = await service.create({ userId: 'ana' });
    await core.revocation.signOut((await core.lookup.byId(signedIn.id))!);
    expect(announced).toEqual([session(signedIn.id)]);
  });

  it('revokeAll and setRoles: the user; revokeEveryone: all', async () => {
    const { service } = node();
    await service.create({ userId: 'ana' });
    await service.setRoles('ana', ['admin']);
    await service.revokeAll('ana');
    await service.revokeEveryone();
    expect(announced).toEqual([user('ana'), user('ana'), { scope: 'all' }]);
  });

  it('a sign-in at the limit: the sessions that it evicts', async () => {
    const { service } = node({ maxSessionsPerUser: 1 });
    const { session: evicted } = await service.create({ userId: 'ana' });
    await service.create({ userId: 'ana' });
    expect(announced).toEqual([session(evicted.id)]);
  });

  it('the reuse of a dead token: the session', async () => {
    const { service } = node({ grace: 0 });
    const { session: stolen, token } = await service.create({ userId: 'ana' });
    await service.validate(token);
    const { token: newer } = await service.rotate(stolen.id);
    await service.validate(newer);
    clock.advance(1);
    announced = [];
    expect(await service.validate(token)).toMatchObject({ reason: 'reused' });
    expect(announced).toEqual([session(stolen.id)]);
  });
});

describe('also where nothing is found to take away, since another node may still wait,', () => {
  const id = '01a21635-a792-72bf-b7d3-0e13fb91f094';
  const verbs: readonly [string, (service: SessionService) => Promise<unknown>, unknown, Announcement][] = [
    ['revoke', (service) => service.revoke(id), false, session(id)],
    ['update', (service) => service.update(id, () => ({})), null, session(id)],
    ['revokeAll', (service) => service.revokeAll('ana'), 0, user('ana')],
    ['setRoles', (service) => service.setRoles('ana', []), 0, user('ana')],
    ['revokeEveryone', (service) => service.revokeEveryone(), 0, { scope: 'all' }],
  ];
  it.each(verbs)('%s', async (_, verb, outcome, announcement) => {
    expect(await verb(node().service)).toBe(outcome);
    expect(announced).toEqual([announcement]);
  });
});

it('announces nothing of what takes nothing away', async () => {
  const { core, service } = node({ timeouts: { renewal: '1m' }, grace: 0 });
  const { session: kept, token } = await service.create({ userId: 'ana' });
  await service.validate(token); // confirmed
  clock.advance('2m');
  const accepted = await core.validation.validate(token); // touched, and due
  if (accepted.reason !== undefined) throw new Error(accepted.reason);
  expect(await core.rotation.renew(accepted)).not.toBeNull();
  await service.get(kept.id);
  await service.list('ana');
  await service.purgeExpired();
  expect(announced).toEqual([]);
});

it('returns once it is announced, and announces once it is done', async () => {
  const { service } = node();
  const { session: ended } = await service.create({ userId: 'ana' });
  let arrived = () => {};
  answer = () => new Promise((resolve) => (arrived = resolve));
  const { delete: remove } = store;
  store.delete = async (...args) => {
    const gone = await remove.apply(store, args);
    order.push('done');
    return gone;
  };
  const revoked = service.revoke(ended.id).then(() => order.push('returned'));
  while (!order.includes('announced')) await new Promise((resolve) => setImmediate(resolve));
  expect(order).toEqual(['done', 'announced']);
  arrived();
  await revoked;
  expect(order).toEqual(['done', 'announced', 'returned']);
});

it('fails where it is not certain that all nodes have heard: repeating it helps', async () => {
  const { service } = node();
  const { session: ended } = await service.create({ userId: 'ana' });
  answer = () => Promise.reject(new Error('the registry is away'));
  await expect(service.revoke(ended.id)).rejects.toMatchObject({ status: 503 });
  answer = async () => {};
  expect(await service.revoke(ended.id)).toBe(false);
  expect(announced).toEqual([session(ended.id), session(ended.id)]);
});

it('tells what it is not certain of that all nodes have heard', async () => {
  const { service } = node({ maxSessionsPerUser: 1 });
  const { session: ended } = await service.create({ userId: 'ana' });
  const told: unknown[] = [];
  service.events.subscribe((event) => {
    if (event.type === 'outcome-unknown') told.push([event.attempt, event.sessionId, event.userId]);
  });
  answer = () => Promise.reject(new Error('the registry is away'));
  await expect(service.update(ended.id, () => ({ changed: true }))).rejects.toMatchObject({ status: 503 });
  await expect(service.create({ userId: 'ana' })).rejects.toMatchObject({ status: 503 });
  await expect(service.revokeAll('ana')).rejects.toMatchObject({ status: 503 });
  await expect(service.revokeEveryone()).rejects.toMatchObject({ status: 503 });
  expect(told).toEqual([
    ['announcement', ended.id, null],
    ['announcement', ended.id, null],
    ['announcement', null, 'ana'],
    ['announcement', null, null],
  ]);
});

it('announces where the answer of the store was lost, and then fails', async () => {
  const { service } = node({ maxSessionsPerUser: 1 });
  const { session: ended } = await service.create({ userId: 'ana' });
  const lose = async () => {
    throw new Error('the connection was lost');
  };
  Object.assign(store, { delete: lose, deleteByUser: lose, insert: lose });
  await expect(service.revoke(ended.id)).rejects.toMatchObject({ status: 503 });
  await expect(service.revokeAll('ana')).rejects.toMatchObject({ status: 503 });
  await expect(service.create({ userId: 'ana' })).rejects.toMatchObject({ status: 503 });
  expect(announced).toEqual([session(ended.id), user('ana'), user('ana')]);
});
