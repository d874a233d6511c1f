import type { EndedSession, ReuseJudgement } from '../../core/model/store.js';
import type { Checks } from './checks.js';
import { expectRecord, expectThat } from './expectation.js';
import {
  atOnce,
  endAllOf,
  endEveryones,
  idsOf,
  liveOf,
  LOOKALIKES,
  newHash,
  NOW,
  put,
  putAll,
  recordWith,
} from './fixtures.js';

const ENDED_FIELDS: readonly (keyof EndedSession)[] = [
  'id',
  'userId',
  'roles',
  'authenticatedAt',
  'lastSeenAt',
  'expiresAt',
  'ip',
  'userAgent',
  'label',
];

export const deletions: Checks = {
  'delete takes a record away, and says what it was': async ({ store, second }) => {
    const record = await put(store);
    expectRecord('delete returns the record', await store.delete(record.id), record);
    for (const each of [store, second]) {
      expectThat('nobody finds it by its id', await each.findById(record.id), null);
      expectThat('or its series', await each.findBySeries(record.seriesHash), null);
    }
    expectThat('there is nothing to delete again', await store.delete(record.id), null);
  },

  'delete for an owner takes only what is theirs': async ({ store }) => {
    for (const userId of [...LOOKALIKES, null]) {
      const { id } = await put(store, { userId });
      for (const other of LOOKALIKES.filter((lookalike) => lookalike !== userId)) {
        const promise = `${JSON.stringify(other)} does not delete what is ${JSON.stringify(userId)}'s`;
        expectThat(promise, await store.delete(id, other), null);
      }
      if (userId !== null) expectThat('the owner does', (await store.delete(id, userId))?.id, id);
    }
  },

  'of deletions at the same time, one is told what it was': async ({ store, second }) => {
    const { id } = await put(store);
    const deleted = await atOnce(10, { store, second }, (each) => each.delete(id));
    expectThat('the others get null', deleted.filter((record) => record !== null).length, 1);
  },

  'deleteExpected takes a record only as expected': async ({ store }) => {
    const { id, tokenHash } = await put(store);
    for (const expected of [{ tokenHash: newHash() }, { tokenHash, dataVersion: 1 }]) {
      expectThat('not where it is otherwise', await store.deleteExpected(id, expected), false);
    }
    expectThat('the record stays', (await store.findById(id))?.id, id);
    const said = await store.deleteExpected(id, { tokenHash, confirmedAt: null });
    expectThat('where it is as expected, it is deleted', [said, await store.findById(id)], [true, null]);
    expectThat('there is nothing to delete again', await store.deleteExpected(id, {}), false);
  },

  'of deleteExpected at the same time, one is told that it deleted': async ({ store, second }) => {
    const { id, tokenHash } = await put(store);
    const said = await atOnce(10, { store, second }, (each) => each.deleteExpected(id, { tokenHash }));
    expectThat('the others get false', said.filter(Boolean).length, 1);
  },

  'deleteReused takes a record only where the judgement holds': async ({ store }) => {
    const unshown = 'a'.repeat(16);
    const record = await put(store, { rotatedAt: NOW, confirmedAt: NOW + 10, unshown });
    const { id, seriesHash, tokenHash } = record;
    const just: ReuseJudgement = { id, seriesHash, shownHash: newHash(), unshown, settledBy: NOW + 10 };
    const unjust: Record<string, ReuseJudgement> = {
      'with the newest token': { ...just, shownHash: tokenHash },
      'with a token of another series': { ...just, seriesHash: newHash() },
      'when the newest token was confirmed too late': { ...just, settledBy: NOW + 9 },
      'when other tokens were never shown': { ...just, unshown: 'b'.repeat(16) },
      'when some were never shown by now': { ...just, unshown: null },
      'of another record': { ...just, id: recordWith().id },
    };
    for (const [when, judgement] of Object.entries(unjust)) {
      expectThat(`not ${when}`, await store.deleteReused(judgement), false);
    }
    await store.change(id, {}, { rotatedAt: NOW + 11 });
    expectThat('not when the newest token was made too late', await store.deleteReused(just), false);
    await store.change(id, {}, { rotatedAt: NOW, confirmedAt: null });
    expectThat('not when the newest token is not confirmed', await store.deleteReused(just), false);
    await store.change(id, {}, { confirmedAt: NOW + 10 });
    await store.change(id, {}, { unshown: null });
    expectThat('not when none was never shown', await store.deleteReused(just), false);
    await store.change(id, {}, { unshown });
    expectThat('where all of it holds, it is', await store.deleteReused(just), true);
    expectThat('and it is gone', await store.findById(id), null);
    expectThat('there is nothing to delete again', await store.deleteReused(just), false);
  },

  'deleteByUser takes the records of a user, and says what they were': async ({ store, second }) => {
    const [live, expired] = await putAll(store, [{}, { expiresAt: NOW }]);
    await putAll(store, [{ userId: 'ben' }, { userId: null }]);
    const deleted = await endAllOf(store, 'ana');
    expectThat(
      'live ones and expired ones are told',
      idsOf(deleted).toSorted(),
      [live?.id, expired?.id].toSorted(),
    );
    const told = deleted.find(({ id }) => id === live?.id);
    for (const field of ENDED_FIELDS) expectThat(`${field} as it was`, told?.[field], live?.[field]);
    expectThat('they are gone', await liveOf(second, 'ana', 0), []);
    expectThat('another user keeps theirs', (await liveOf(store, 'ben', NOW)).length, 1);
    expectThat('there is nothing to delete again', await endAllOf(store, 'ana'), []);
  },

  'deleteByUser leaves the exception': async ({ store }) => {
    const [kept, gone] = await putAll(store, [{}, {}]);
    const others = await put(store, { userId: 'ben' });
    expectThat('the others are deleted', idsOf(await endAllOf(store, 'ana', kept?.id)), [gone?.id]);
    expectThat('the exception stays', idsOf(await liveOf(store, 'ana', NOW)), [kept?.id]);
    const deleted = await endAllOf(store, 'ana', others.id);
    expectThat("an exception that is another user's saves none", idsOf(deleted), [kept?.id]);
  },

  'deleteByUser takes users that look alike for different ones': async ({ store }) => {
    await putAll(
      store,
      LOOKALIKES.map((userId) => ({ userId })),
    );
    for (const userId of LOOKALIKES) {
      const deleted = await endAllOf(store, userId);
      const users = deleted.map((record) => record.userId);
      expectThat('it deletes what is exactly theirs', users, [userId]);
    }
  },

  'deleteAll takes all records, and says how many': async ({ store, second }) => {
    const records = await putAll(store, [{}, { userId: 'ben' }, { userId: null }, { expiresAt: NOW }]);
    expectThat('it counts live ones, expired ones and anonymous ones', await endEveryones(store), 4);
    const found = await Promise.all(records.map(({ id }) => second.findById(id)));
    expectThat('they are gone', found, [null, null, null, null]);
    expectThat('there is nothing to delete again', await endEveryones(store), 0);
  },

  'deleteAll with a time takes what was created before it': async ({ store, second }) => {
    const times = [NOW - 1, NOW, NOW + 1];
    const records = await putAll(
      store,
      times.map((createdAt) => ({ createdAt })),
    );
    expectThat('it says how many', await endEveryones(store, NOW), 1);
    const found = await Promise.all(records.map(({ id }) => second.findById(id)));
    expectThat(
      'which are left',
      found.map((record) => record?.createdAt ?? null),
      [null, NOW, NOW + 1],
    );
  },
};
