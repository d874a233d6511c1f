import type { Admission, SessionStore } from '../../core/model/store.js';
import type { Checks } from './checks.js';
import { expectThat } from './expectation.js';
import {
  admissionWith,
  atOnce,
  idsOf,
  liveOf,
  LOOKALIKES,
  NOW,
  put,
  putAll,
  recordWith,
  tally,
} from './fixtures.js';

const evicting = (max: number): Admission => admissionWith({ limit: { max, onReached: 'evict-oldest' } });
const rejecting = (max: number): Admission => admissionWith({ limit: { max, onReached: 'reject' } });

/** Two sessions of Ana that count, the older one first, and three that do not. */
async function twoThatCount(store: SessionStore) {
  await put(store, { userId: 'ben' });
  await put(store, { userId: null });
  await put(store, { expiresAt: NOW });
  const [older, newer] = [recordWith({ createdAt: NOW - 2 }), recordWith({ createdAt: NOW - 1 })] as const;
  await store.insert(newer, null);
  await store.insert(older, null);
  return { older, newer };
}

export const admission: Checks = {
  'an insert below the limit evicts nobody': async ({ store }) => {
    await twoThatCount(store);
    for (const limit of [evicting(3), rejecting(4)]) {
      const admitted = await store.insert(recordWith(), limit);
      expectThat('it is admitted', admitted, { outcome: 'admitted', evicted: [] });
    }
  },

  'at the limit, an insert evicts the oldest': async ({ store }) => {
    const { older, newer } = await twoThatCount(store);
    const record = recordWith();
    const admitted = await store.insert(record, evicting(2));
    expectThat('it is admitted', admitted.outcome, 'admitted');
    const evicted = admitted.outcome === 'admitted' ? idsOf(admitted.evicted) : [];
    expectThat('what it evicted is told', evicted, [older.id]);
    expectThat('and is gone', await store.findById(older.id), null);
    expectThat('the others stay', idsOf(await liveOf(store, 'ana', NOW)), [record.id, newer.id]);
  },

  'at the limit, an insert is refused': async ({ store }) => {
    const { older, newer } = await twoThatCount(store);
    const record = recordWith();
    const admitted = await store.insert(record, rejecting(2));
    expectThat('it is told so', admitted, { outcome: 'limit-reached' });
    expectThat('and nothing is inserted', await store.findById(record.id), null);
    expectThat('the others stay', idsOf(await liveOf(store, 'ana', NOW)), [newer.id, older.id]);
  },

  'at the limit, a sign-in on an anonymous session evicts the oldest': async ({ store }) => {
    const { older, newer } = await twoThatCount(store);
    const { id } = await put(store, { userId: null });
    const admitted = await store.admit(id, { userId: null }, { userId: 'ana' }, evicting(2));
    const evicted = admitted.outcome === 'admitted' ? idsOf(admitted.evicted) : admitted.outcome;
    expectThat('what it evicted is told', evicted, [older.id]);
    expectThat(
      'there are as many as allowed, the new one among them',
      idsOf(await liveOf(store, 'ana', NOW)).toSorted(),
      [newer.id, id].toSorted(),
    );
  },

  'at the limit, a sign-in on an anonymous session is refused': async ({ store }) => {
    await twoThatCount(store);
    const { id } = await put(store, { userId: null });
    const admitted = await store.admit(id, { userId: null }, { userId: 'ana' }, rejecting(2));
    expectThat('it is told so', admitted, { outcome: 'limit-reached' });
    expectThat('and nobody has signed in', (await store.findById(id))?.userId, null);
  },

  'a sign-in on a session of the user is not one more': async ({ store }) => {
    const { id } = await put(store);
    const admitted = await store.admit(id, { userId: 'ana' }, { level2At: NOW }, rejecting(1));
    expectThat('it is admitted at the limit', admitted, { outcome: 'admitted', evicted: [] });
  },

  'a limit that was lowered evicts all that are too many': async ({ store }) => {
    await putAll(
      store,
      Array.from({ length: 5 }, (_, at) => ({ createdAt: NOW - 10 + at })),
    );
    const record = recordWith();
    const admitted = await store.insert(record, evicting(1));
    expectThat('all others are evicted', admitted.outcome === 'admitted' && admitted.evicted.length, 5);
    expectThat('one is left', idsOf(await liveOf(store, 'ana', NOW)), [record.id]);
  },

  'the limit counts live sessions by the newest activity': async ({ store }) => {
    const record = await put(store);
    const { id, roles, authenticatedAt, expiresAt } = record;
    const touch = { id, roles, authenticatedAt, lastSeenAt: expiresAt - 1, idleExpiresAt: expiresAt + 1 };
    await store.touch({ ...touch, expiresAt: expiresAt + 1 }, false);
    const admitted = await store.insert(recordWith(), { ...rejecting(1), now: expiresAt });
    expectThat('a session that was just touched counts', admitted, { outcome: 'limit-reached' });
  },

  'users that look alike do not count for each other': async ({ store }) => {
    for (const userId of LOOKALIKES) {
      const admitted = await store.insert(recordWith({ userId }), { ...rejecting(1), userId });
      expectThat(`${JSON.stringify(userId)} is admitted`, admitted.outcome, 'admitted');
    }
  },

  '50 inserts at the same time leave as many as allowed': async ({ store, second }) => {
    const admitted = await atOnce(50, { store, second }, (each) => each.insert(recordWith(), evicting(3)));
    const { admitted: count = 0, conflict = 0 } = tally(admitted);
    expectThat(
      'all of them are admitted, but for those that newer ones evicted before',
      count + conflict,
      50,
    );
    expectThat('three are left', (await liveOf(store, 'ana', NOW)).length, 3);
    const evicted = admitted.flatMap((each) => (each.outcome === 'admitted' ? idsOf(each.evicted) : []));
    expectThat(
      'each of the others is told as evicted, once',
      [evicted.length, new Set(evicted).size],
      [count - 3, count - 3],
    );
  },

  '50 inserts at the same time admit as many as allowed': async ({ store, second }) => {
    const admitted = await atOnce(50, { store, second }, (each) => each.insert(recordWith(), rejecting(3)));
    expectThat('the others are refused', tally(admitted), { admitted: 3, 'limit-reached': 47 });
    expectThat('three are there', (await liveOf(store, 'ana', NOW)).length, 3);
  },
};
