import type { Admission, RolesChange, SessionStore } from '../../core/model/store.js';
import type { Checks } from './checks.js';
import { expectThat } from './expectation.js';
import {
  ABSOLUTE,
  admissionWith,
  atOnce,
  endAllOf,
  endEveryones,
  giveRoles,
  IDLE,
  liveOf,
  LOOKALIKES,
  NOW,
  put,
  putAll,
  recordWith,
} from './fixtures.js';

const ROLES: RolesChange = { roles: '["admin"]', idle: IDLE, absolute: ABSOLUTE, now: NOW };

const CHANGES: Readonly<Record<string, (store: SessionStore, userId: string) => Promise<unknown>>> = {
  setRoles: (store, userId) => giveRoles(store, userId, ROLES),
  deleteByUser: (store, userId) => endAllOf(store, userId),
  deleteAll: (store) => endEveryones(store),
};

/** Of a fresh sign-in, one on an anonymous session, and one more on a session of the user's. */
async function outcomesOf(store: SessionStore, admission: Admission): Promise<string[]> {
  const { userId } = admission;
  const [anonymous, own] = await putAll(store, [{ userId: null }, { userId }]);
  const inserted = await store.insert(recordWith({ userId }), admission);
  const expected = { userId: null, tokenHash: anonymous?.tokenHash ?? '' };
  const admitted = await store.admit(anonymous?.id ?? '', expected, { userId }, admission);
  const again = await store.admit(
    own?.id ?? '',
    { userId, roles: own?.roles ?? '' },
    { level2At: NOW },
    admission,
  );
  await store.delete(own?.id ?? '');
  return [inserted.outcome, admitted.outcome, again.outcome];
}

const ALL_OVERTAKEN = ['overtaken', 'overtaken', 'overtaken'];
const ALL_ADMITTED = ['admitted', 'admitted', 'admitted'];

const overtaking = Object.entries(CHANGES).map(([verb, change]): [string, Checks[string]] => [
  `${verb} overtakes the sign-ins that began earlier`,
  async ({ store, second }) => {
    const first = await store.latestChange();
    await change(second, 'ana');
    const between = await store.latestChange();
    await change(second, 'ana');
    for (const begun of [first, between]) {
      expectThat('they are told so', await outcomesOf(store, admissionWith({ begun })), ALL_OVERTAKEN);
    }
    expectThat('and nobody has signed in', await liveOf(store, 'ana', NOW), []);
    const begun = await store.latestChange();
    expectThat(
      'what begins later is admitted',
      await outcomesOf(store, admissionWith({ begun })),
      ALL_ADMITTED,
    );
  },
]);

export const ordering: Checks = {
  ...Object.fromEntries(overtaking),

  'each change has a larger number than all before it, whoever makes it': async ({ store, second }) => {
    const numbers = [await store.latestChange()];
    for (const change of Object.values(CHANGES)) {
      for (const each of [store, second]) {
        await change(each, 'ana');
        numbers.push(await store.latestChange());
        expectThat('every instance reads the same', await second.latestChange(), numbers.at(-1));
      }
    }
    const inOrder = [...new Set(numbers)].toSorted((one, other) => one - other);
    expectThat('the numbers grow with each change', inOrder, numbers);
  },

  'nobody is overtaken by a change to another user': async ({ store }) => {
    const begun = await store.latestChange();
    const [first, ...others] = LOOKALIKES;
    await endAllOf(store, first);
    await giveRoles(store, first, ROLES);
    for (const userId of others) {
      const outcomes = await outcomesOf(store, admissionWith({ userId, begun }));
      expectThat(`${JSON.stringify(userId)} is admitted`, outcomes, ALL_ADMITTED);
    }
  },

  'an anonymous session is overtaken by nothing': async ({ store }) => {
    await endEveryones(store);
    const { id } = await put(store, { userId: null });
    expectThat('it is there', (await store.findById(id))?.id, id);
  },

  'no sign-in slips past a revocation at the same time': async ({ store, second }) => {
    const admission = admissionWith({ begun: await store.latestChange() });
    await atOnce(31, { store, second }, async (each, at) => {
      if (at === 15) await endAllOf(each, 'ana');
      else await each.insert(recordWith(), admission);
    });
    expectThat('all of them are overtaken or deleted', await liveOf(store, 'ana', NOW), []);
  },

  'no sign-in slips past a change of roles at the same time': async ({ store, second }) => {
    const admission = admissionWith({ begun: await store.latestChange() });
    await atOnce(31, { store, second }, async (each, at) => {
      if (at === 15) await giveRoles(each, 'ana', ROLES);
      else await each.insert(recordWith(), admission);
    });
    const roles = new Set((await liveOf(store, 'ana', NOW)).map((record) => record.roles));
    roles.delete('["admin"]');
    expectThat('those that came before it have the new roles, the others are overtaken', [...roles], []);
  },
};
