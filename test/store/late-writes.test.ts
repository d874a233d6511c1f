import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Deadline } from '../../src/core/outage/deadline.js';
import { WORK_PATIENCE } from '../../src/core/outage/time-budgets.js';
import { ServerConnection } from '../../src/store/server-connection.js';
import { SharedConnection } from '../../src/store/shared-connection.js';
import { describeOnEachDatabase } from '../support/databases.js';
import { TestCluster, type TestNode } from '../support/store.js';

/** How long a read takes, in milliseconds. */
const SLOW = 40;

type Limit = 'evict-oldest' | 'reject';

/** What changes something, and whether all of it is one decision on what was read, which has one deadline. */
const VERBS: readonly (readonly [name: string, isOneDecision: boolean, call: (on: TestNode) => unknown])[] = [
  ['create', false, ({ service }) => service.create({ userId: 'ana' })],
  ['createAnonymous', false, ({ service }) => service.createAnonymous()],
  ['authenticate', true, (on) => authenticate(on, 'ana')],
  ['authenticate, as another user', true, (on) => authenticate(on, 'eve')],
  ['authenticate, on an anonymous session', true, (on) => authenticate(on, null)],
  ['rotate', true, async (on) => on.service.rotate(await signIn(on))],
  ['update', true, async (on) => on.service.update(await signIn(on), () => ({ n: 1 }))],
  ['setRoles', false, ({ service }) => service.setRoles('ana', ['admin'])],
  ['revoke', false, async (on) => on.service.revoke(await signIn(on))],
  ['revokeAll', false, ({ service }) => service.revokeAll('ana')],
  ['revokeEveryone', false, ({ service }) => service.revokeEveryone()],
];

async function signIn({ service }: TestNode): Promise<string> {
  return (await service.create({ userId: 'ana' })).session.id;
}

async function authenticate(on: TestNode, before: string | null): Promise<void> {
  const { service } = on;
  const { id } = (await (before === null ? service.createAnonymous() : service.create({ userId: before })))
    .session;
  writes.splice(0);
  await service.authenticate(id, { userId: 'ana' });
}

/** The time that each write had when it was asked for. */
const writes: number[] = [];

function watch(connection: { prototype: ServerConnection | SharedConnection }): void {
  const { read, write } = connection.prototype;
  jest.spyOn(connection.prototype, 'read').mockImplementation(async function (this: ServerConnection, work) {
    await wait(SLOW);
    return read.call(this, work) as never;
  });
  const spy = jest.spyOn(connection.prototype as ServerConnection, 'write');
  spy.mockImplementation(function (this: ServerConnection, work, deadline: Deadline) {
    writes.push(deadline.left);
    return write.call(this, work, deadline) as never;
  });
}

await describeOnEachDatabase((leg) => {
  describe.each<Limit | null>([null, 'evict-oldest', 'reject'])('with the limit %s', (onSessionLimit) => {
    let cluster: TestCluster;
    let node: TestNode;

    beforeAll(async () => {
      cluster = await TestCluster.on(leg);
      const limit = onSessionLimit === null ? {} : { maxSessionsPerUser: 100, onSessionLimit };
      node = await cluster.node(limit);
    });
    afterAll(() => cluster.close());
    afterEach(() => void jest.restoreAllMocks());

    it.each(VERBS)('%s begins no write that has no deadline', async (_, isOneDecision, call) => {
      await signIn(node);
      watch(leg.name.startsWith('SQLite') ? SharedConnection : ServerConnection);
      writes.splice(0);
      await call(node);
      expect(writes.length).toBeGreaterThan(0);
      expect(Math.max(...writes)).toBeLessThanOrEqual(WORK_PATIENCE);
      // The session was read before: that time is gone.
      if (isOneDecision) expect(writes.at(-1)).toBeLessThan(WORK_PATIENCE - SLOW + 5);
    });
  });
});
