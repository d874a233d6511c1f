import type { Admission, RolesChange, SessionStore } from '../../core/model/store.js';
import type { Checks } from './checks.js';
import { expectThat } from './expectation.js';
import { ABSOLUTE, admissionWith, atOnce, IDLE, LOOKALIKES, NOW, put, recordWith } from './fixtures.js';

const rolesAt = (changedAt: number): RolesChange => ({
  roles: '["admin"]',
  idle: IDLE,
  absolute: ABSOLUTE,
  now: NOW,
  changedAt,
});

const OVERTAKING: Readonly<Record<string, (store: SessionStore, changedAt: number) => Promise<unknown>>> = {
  setRoles: (store, changedAt) => store.setRoles('ana', rolesAt(changedAt)),
  deleteByUser: (store, changedAt) => store.deleteByUser('ana', changedAt),
  deleteAll: (store, changedAt) => store.deleteAll(changedAt),
};

async function outcomesOf(store: SessionStore, admission: Admission): Promise<string[]> {
  const { id } = await put(store, { userId: null });
  const inserted = await store.insert(recordWith({ userId: admission.userId }), admission);
  const admitted = await store.admit(id, {}, { userId: admission.userId }, admission);
  return [inserted.outcome, admitted.outcome];
}

const overtaking = Object.entries(OVERTAKING).map(([verb, change]): [string, Checks[string]] => [
  `${verb} overtakes the sign-ins that arrived earlier`,
  async ({ store, second }) => {
    await change(second, NOW + 5);
    await change(second, NOW + 2);
    const at = (arrivedAt: number) => outcomesOf(store, admissionWith({ arrivedAt }));
    expectThat('insert and admit say so', await at(NOW + 4), ['overtaken', 'overtaken']);
    expectThat('and nobody has signed in', await store.findLive('ana', NOW), []);
    expectThat('what arrived with it or after it is admitted', await at(NOW + 5), ['admitted', 'admitted']);
  },
]);

export const ordering: Checks = {
  ...Object.fromEntries(overtaking),

  'nobody is overtaken by a change to another user': async ({ store }) => {
    const [first, ...others] = LOOKALIKES;
    await store.deleteByUser(first, NOW + 5);
    await store.setRoles(first, rolesAt(NOW + 5));
    for (const userId of others) {
      const outcomes = await outcomesOf(store, admissionWith({ userId }));
      expectThat(`${JSON.stringify(userId)} is admitted`, outcomes, ['admitted', 'admitted']);
    }
  },

  'an anonymous session is overtaken by nothing': async ({ store }) => {
    await store.deleteAll(NOW + 5);
    const { id } = await put(store, { userId: null });
    expectThat('it is there', (await store.findById(id))?.id, id);
  },

  'no sign-in slips past a revocation at the same time': async ({ store, second }) => {
    const admission = admissionWith();
    await atOnce(31, { store, second }, async (each, at) => {
      if (at === 15) await each.deleteByUser('ana', NOW + 1);
      else await each.insert(recordWith(), admission);
    });
    expectThat('all of them are overtaken or deleted', await store.findLive('ana', NOW), []);
  },

  'no sign-in slips past a change of roles at the same time': async ({ store, second }) => {
    const admission = admissionWith();
    await atOnce(31, { store, second }, async (each, at) => {
      if (at === 15) await each.setRoles('ana', rolesAt(NOW + 1));
      else await each.insert(recordWith(), admission);
    });
    const roles = new Set((await store.findLive('ana', NOW)).map((record) => record.roles));
    roles.delete('["admin"]');
    expectThat('those that came before it have the new roles, the others are overtaken', [...roles], []);
  },
};
