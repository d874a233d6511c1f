import type { SessionStore } from '../../core/model/store.js';
import type { SessionRecord } from '../../core/model/record.js';
import type { Checks } from './checks.js';
import { expectRecord, expectThat } from './expectation.js';
import { IDLE, liveOf, NOW, put, touchOf } from './fixtures.js';

async function seenAt(store: SessionStore, { id }: SessionRecord): Promise<number | undefined> {
  return (await store.findById(id))?.lastSeenAt;
}

export const touches: Checks = {
  'a touch is seen at once by reads through the same store': async ({ store }) => {
    const record = await put(store);
    const touch = touchOf(record, 10);
    await store.touch(touch, false);
    const touched = { ...record, ...touch };
    expectRecord('findBySeries sees it', await store.findBySeries(record.seriesHash), touched);
    expectRecord('findByAnySeries sees it', await store.findByAnySeries([record.seriesHash]), touched);
    expectRecord('findById sees it', await store.findById(record.id), touched);
    const [live] = await liveOf(store, 'ana', record.expiresAt);
    expectRecord('findLive sees it, also where the session would have expired', live ?? null, touched);
  },

  'a durable touch is written when it returns': async ({ store, second }) => {
    const record = await put(store);
    await store.touch(touchOf(record, 10), true);
    expectThat('every other instance sees it', await seenAt(second, record), NOW + 10);
  },

  'flush writes what was noted': async ({ store, second }) => {
    const record = await put(store);
    await store.touch(touchOf(record, 10), false);
    await store.flush();
    expectThat('every other instance sees it', await seenAt(second, record), NOW + 10);
  },

  'a touch changes only the activity': async ({ store, second }) => {
    const record = await put(store);
    await store.touch(touchOf(record, 10), false);
    await second.change(record.id, {}, { data: '{}', dataVersion: 1, confirmedAt: NOW });
    await store.flush();
    const expected = { ...record, ...touchOf(record, 10), data: '{}', dataVersion: 1, confirmedAt: NOW };
    expectRecord('what others changed meanwhile stays', await second.findById(record.id), expected);
  },

  'a touch never moves lastSeenAt back': async ({ store, second }) => {
    const record = await put(store);
    await store.touch(touchOf(record, 20), true);
    for (const isDurable of [true, false]) {
      await second.touch(touchOf(record, 10), isDurable);
      await second.flush();
      const found = await second.findById(record.id);
      const activity = [found?.lastSeenAt, found?.idleExpiresAt, found?.expiresAt];
      const expected = [NOW + 20, NOW + 20 + IDLE, NOW + 20 + IDLE];
      expectThat('the later activity stays, with its deadlines', activity, expected);
    }
  },

  'a touch never applies after a change of roles or a sign-in': async ({ store, second }) => {
    for (const change of [{ roles: '["admin"]' }, { roles: '["Customer"]' }, { authenticatedAt: NOW + 1 }]) {
      const record = await put(store);
      await store.touch(touchOf(record, 10), false);
      const { lastSeenAt, idleExpiresAt, expiresAt } = touchOf(record, 1);
      const changed = { ...record, ...change, lastSeenAt, idleExpiresAt, expiresAt };
      await second.change(record.id, {}, { ...change, lastSeenAt, idleExpiresAt, expiresAt });
      await store.flush();
      const promise = `a touch does not count once ${JSON.stringify(change)}`;
      expectRecord(`${promise} came after it was noted`, await second.findById(record.id), changed);
      await store.touch(touchOf(record, 20), true);
      expectRecord(`${promise} came before it`, await store.findById(record.id), changed);
    }
  },

  'a touch never brings a session back': async ({ store, second }) => {
    const deleted = await put(store);
    await store.touch(touchOf(deleted, 10), false);
    await second.delete(deleted.id);
    expectThat('a session that is deleted is gone for all', await store.findById(deleted.id), null);
    await store.flush();
    await store.touch(touchOf(deleted, 20), true);
    expectThat('whatever was noted of it', await second.findById(deleted.id), null);

    const expired = await put(store);
    await store.touch(touchOf(expired, IDLE), true);
    expectRecord('one that has expired stays so', await second.findById(expired.id), expired);
  },
};
