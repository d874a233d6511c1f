import type { Checks } from './checks.js';
import { expectRecord, expectThat } from './expectation.js';
import { ABSOLUTE, giveRoles, IDLE, liveOf, LOOKALIKES, NOW, put, putAll, touchOf } from './fixtures.js';

const MINUTE = 60_000;
const CHANGE = {
  roles: '["admin"]',
  idle: 5 * MINUTE,
  absolute: 20 * MINUTE,
  now: NOW + 1,
} as const;

export const roles: Checks = {
  'setRoles sets the roles of live sessions, and says how many there are': async ({ store, second }) => {
    await putAll(store, [{}, {}, { userId: 'ben' }, { userId: null }, { expiresAt: CHANGE.now }]);
    expectThat('two sessions of the user are live', await giveRoles(store, 'ana', CHANGE), 2);
    const rolesNow = (await liveOf(second, 'ana', NOW)).map((record) => record.roles).toSorted();
    expectThat('those have the roles, and no others', rolesNow, ['["admin"]', '["admin"]', '["customer"]']);
    const [ben] = await liveOf(store, 'ben', NOW);
    expectThat('another user keeps theirs', ben?.roles, '["customer"]');
    expectThat('of nobody there are none', await giveRoles(store, 'nobody', CHANGE), 0);
    expectThat('the same roles count too', await giveRoles(store, 'ana', CHANGE), 2);
  },

  'setRoles reckons the deadlines anew': async ({ store }) => {
    const byIdle = await put(store, { lastSeenAt: NOW + MINUTE });
    const byAbsolute = await put(store, { authenticatedAt: NOW - 17 * MINUTE });
    await giveRoles(store, 'ana', CHANGE);
    const fields = { roles: CHANGE.roles, renewAt: CHANGE.now };
    expectRecord('the earlier deadline is the idle one', await store.findById(byIdle.id), {
      ...byIdle,
      ...fields,
      idleExpiresAt: NOW + 6 * MINUTE,
      absoluteExpiresAt: NOW + 20 * MINUTE,
      expiresAt: NOW + 6 * MINUTE,
    });
    expectRecord('the earlier deadline is the absolute one', await store.findById(byAbsolute.id), {
      ...byAbsolute,
      ...fields,
      idleExpiresAt: NOW + 5 * MINUTE,
      absoluteExpiresAt: NOW + 3 * MINUTE,
      expiresAt: NOW + 3 * MINUTE,
    });
  },

  'setRoles makes a token due for renewal only where the roles are others': async ({ store }) => {
    const same = await put(store);
    await giveRoles(store, 'ana', { ...CHANGE, roles: same.roles });
    expectThat('the same roles leave renewAt', (await store.findById(same.id))?.renewAt, same.renewAt);
    await giveRoles(store, 'ana', { ...CHANGE, roles: same.roles.toUpperCase() });
    expectThat('other roles make it now', (await store.findById(same.id))?.renewAt, CHANGE.now);
  },

  'setRoles reckons from the newest activity': async ({ store }) => {
    const record = await put(store);
    await store.touch(touchOf(record, 2 * MINUTE), false);
    await giveRoles(store, 'ana', CHANGE);
    const found = await store.findById(record.id);
    expectThat('activity that was noted counts', found?.idleExpiresAt, NOW + 7 * MINUTE);
  },

  'activity from before setRoles does not lengthen a session': async ({ store, second }) => {
    const record = await put(store);
    await store.touch(touchOf(record, 1), false);
    await giveRoles(second, 'ana', CHANGE);
    await store.flush();
    const found = await second.findById(record.id);
    const isShortened = found !== null && found.expiresAt <= NOW + 1 + CHANGE.idle;
    expectThat('the deadlines are those of the new roles', isShortened, true);
  },

  'setRoles takes users that look alike for different ones': async ({ store }) => {
    await putAll(
      store,
      LOOKALIKES.map((userId) => ({ userId })),
    );
    const [first, ...others] = LOOKALIKES;
    const change = { ...CHANGE, idle: IDLE, absolute: ABSOLUTE };
    expectThat('one has the id', await giveRoles(store, first, change), 1);
    for (const userId of others) {
      const [record] = await liveOf(store, userId, NOW);
      expectThat(`${JSON.stringify(userId)} keeps the roles`, record?.roles, '["customer"]');
    }
  },
};
