import type { Checks } from './checks.js';
import { expectThat } from './expectation.js';
import { idsOf, liveOf, NOW, put, putAll } from './fixtures.js';

/** More than a batch of those who delete in very small ones. */
const MANY = 250;
/** Longer than anybody leaves what has expired. */
const LONG = 24 * 60 * 60_000;

export const purging: Checks = {
  'purgeExpired takes what has expired, and says how many': async ({ store, second }) => {
    const [past, now, live] = await putAll(store, [
      { expiresAt: NOW - 1 },
      { expiresAt: NOW, userId: null },
      { expiresAt: NOW + LONG + 1 },
    ]);
    expectThat('two have expired', await store.purgeExpired(NOW + LONG), 2);
    const left = await Promise.all([past, now, live].map((record) => second.findById(record?.id ?? '')));
    expectThat('the live one stays', idsOf(left.filter((record) => record !== null)), [live?.id]);
    expectThat('there is nothing to delete again', await store.purgeExpired(NOW + LONG), 0);
  },

  'purgeExpired takes as many as there are': async ({ store }) => {
    await putAll(
      store,
      Array.from({ length: MANY }, () => ({ expiresAt: NOW })),
    );
    const live = await put(store, { expiresAt: NOW + LONG + 1 });
    expectThat('all of them', await store.purgeExpired(NOW + LONG), MANY);
    expectThat('the live one stays', (await store.findById(live.id))?.id, live.id);
  },

  'purgeExpired starts nothing once it is to stop': async ({ store }) => {
    const { id } = await put(store, { expiresAt: NOW });
    expectThat('it deletes nothing', await store.purgeExpired(NOW + LONG, AbortSignal.abort()), 0);
    expectThat('the record is there', (await store.findById(id))?.id, id);
  },

  'purgeExpired stops when it is told to, and has taken the oldest': async ({ store }) => {
    const expiries = Array.from({ length: MANY }, (_, at) => NOW - at * LONG);
    await putAll(
      store,
      expiries.map((expiresAt) => ({ expiresAt })),
    );
    const stop = new AbortController();
    const purging = store.purgeExpired(NOW + LONG, stop.signal);
    stop.abort();
    const count = await purging;
    // All of Ana's, for nothing is live before it has expired.
    const left = (await liveOf(store, 'ana', NOW - MANY * LONG)).map(({ expiresAt }) => expiresAt);
    expectThat('it says how many it took', count, MANY - left.length);
    const newest = expiries.slice(0, left.length);
    expectThat(
      'the newest are left',
      left.toSorted((one, other) => other - one),
      newest,
    );
  },
};
