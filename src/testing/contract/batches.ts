import { BATCH_SIZE, type SessionStore } from '../../core/model/store.js';
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
  idsOf,
  liveOf,
  NOW,
  put,
  putAll,
  recordWith,
} from './fixtures.js';

const ADMIN = { roles: '["admin"]', idle: IDLE, absolute: ABSOLUTE, now: NOW };

/** One of Ana's from before the mark, and two from after it: a fresh one, and one that was nobody's before. */
async function aroundMark(store: SessionStore, userId: string | null) {
  const [earlier, anonymous] = await putAll(store, [{}, { userId: null }]);
  const number = await store.mark(userId);
  const admission = admissionWith({ begun: await store.latestChange() });
  const fresh = recordWith();
  await store.insert(fresh, admission);
  const expected = { userId: null, tokenHash: anonymous?.tokenHash ?? '' };
  await store.admit(anonymous?.id ?? '', expected, { userId: 'ana' }, admission);
  const later = [fresh.id, anonymous?.id ?? ''].toSorted();
  return { earlier: earlier?.id ?? '', later, first: { number, before: null } };
}

export const batches: Checks = {
  'deleteByUser spares what began after the mark': async ({ store }) => {
    const { earlier, later, first } = await aroundMark(store, 'ana');
    const { result } = await store.deleteByUser('ana', null, first);
    expectThat('what began before is deleted', idsOf(result), [earlier]);
    expectThat('the others stay', idsOf(await liveOf(store, 'ana', NOW)).toSorted(), later);
    expectThat('until the next revocation', idsOf(await endAllOf(store, 'ana')).toSorted(), later);
  },

  'deleteByUser deletes what had one more sign-in after the mark': async ({ store }) => {
    const { id, tokenHash } = await put(store);
    const number = await store.mark('ana');
    const admission = admissionWith({ begun: await store.latestChange() });
    await store.admit(id, { userId: 'ana', tokenHash }, { level2At: NOW }, admission);
    const { result } = await store.deleteByUser('ana', null, { number, before: null });
    expectThat('the session began before', idsOf(result), [id]);
  },

  'deleteAll spares what began after the mark': async ({ store }) => {
    const { later, first } = await aroundMark(store, null);
    expectThat('what began before is deleted', (await store.deleteAll(null, first)).result, 1);
    expectThat('the others stay', idsOf(await liveOf(store, 'ana', NOW)).toSorted(), later);
    expectThat('until the next revocation', await endEveryones(store), 2);
  },

  'setRoles leaves what began after the mark': async ({ store }) => {
    const { earlier, first } = await aroundMark(store, 'ana');
    expectThat('what began before is counted', (await store.setRoles('ana', ADMIN, first)).result, 1);
    const admins = (await liveOf(store, 'ana', NOW)).filter(({ roles }) => roles === ADMIN.roles);
    expectThat('and has the roles, and no other', idsOf(admins), [earlier]);
    expectThat('until the next change', await giveRoles(store, 'ana', ADMIN), 3);
  },

  'setRoles leaves the roles of a later setRoles': async ({ store, second }) => {
    const { id } = await put(store);
    const number = await store.mark('ana');
    await giveRoles(second, 'ana', ADMIN);
    const late = await store.setRoles('ana', { ...ADMIN, roles: '["guest"]' }, { number, before: null });
    expectThat('the earlier one changes nothing', late, { result: 0, next: null });
    expectThat('the roles are those of the later one', (await store.findById(id))?.roles, ADMIN.roles);
  },

  'a change of very many sessions goes by batches': async ({ store, second }) => {
    const all = BATCH_SIZE + 1;
    const records = await atOnce(all, { store, second }, (each) => put(each));
    const number = await store.mark('ana');
    const changed = await store.setRoles('ana', ADMIN, { number, before: null });
    const said = [changed.result, changed.next !== null];
    expectThat('setRoles says how many it has changed, and where to go on', said, [BATCH_SIZE, true]);
    const rest = await store.setRoles('ana', ADMIN, { number, before: changed.next });
    expectThat('and goes on from there', rest, { result: 1, next: null });

    const later = await store.mark('ana');
    const deleted = await store.deleteByUser('ana', null, { number: later, before: null });
    const ended = [deleted.result.length, deleted.next !== null];
    expectThat('deleteByUser says which it has deleted, and where to go on', ended, [BATCH_SIZE, true]);
    const [oldest = ''] = idsOf(records).toSorted();
    expectThat('the newest', idsOf(await liveOf(second, 'ana', NOW)), [oldest]);
    const last = await second.deleteByUser('ana', null, { number: later, before: deleted.next });
    expectThat('and goes on from there', [idsOf(last.result), last.next], [[oldest], null]);
  },

  'an insert evicts at most one batch': async ({ store, second }) => {
    const all = BATCH_SIZE + 1;
    await atOnce(all, { store, second }, (each) => put(each));
    const limit = { max: 1, onReached: 'evict-oldest' } as const;
    const evictedBy = async () => {
      const admitted = await store.insert(recordWith(), admissionWith({ limit }));
      return admitted.outcome === 'admitted' ? admitted.evicted.length : admitted.outcome;
    };
    expectThat('the first is admitted', await evictedBy(), BATCH_SIZE);
    expectThat('the next one ends the others', await evictedBy(), 2);
    expectThat('one is left', (await liveOf(store, 'ana', NOW)).length, 1);
  },
};
