import type { SessionRecord } from '../../core/model/record.js';
import type { Checks } from './checks.js';
import { expectRecord, expectThat } from './expectation.js';
import { idsOf, liveOf, LOOKALIKES, newHash, NOW, put, putAll, recordWith } from './fixtures.js';

export const reads: Checks = {
  'what is not there is an answer': async ({ store }) => {
    const { id } = recordWith();
    expectThat('no record of a series is null', await store.findBySeries(newHash()), null);
    expectThat('no record of any series is null', await store.findByAnySeries([newHash(), newHash()]), null);
    expectThat('no record with an id is null', await store.findById(id), null);
    expectThat('no live sessions are an empty array', await liveOf(store, 'nobody', NOW), []);
  },

  'a record is read as it was written': async ({ store, second }) => {
    const full = await put(store, {
      confirmedAt: NOW + 1,
      previousHash: newHash(),
      previousKind: 'renewal',
      successor: 'sealed',
      label: 'Ana’s phone 📱',
      unshown: `${newHash().slice(0, 16)},${newHash().slice(0, 16)}`,
      ignoredFrom: NOW + 2,
      level2At: NOW + 3,
      level3At: NOW + 4,
      data: '{"b":1,"a":"ü"}',
      dataVersion: 7,
    });
    const anonymous = await put(store, { userId: null, ip: null, userAgent: null });
    for (const record of [full, anonymous]) {
      expectRecord('findBySeries reads all fields', await store.findBySeries(record.seriesHash), record);
      expectRecord('findById reads all fields', await second.findById(record.id), record);
    }
    const [live] = await liveOf(second, 'ana', NOW);
    expectRecord('findLive reads all fields', live ?? null, full);
  },

  'a record is found by any of several series': async ({ store }) => {
    const record = await put(store);
    const found = await store.findByAnySeries([newHash(), record.seriesHash, newHash()]);
    expectThat('findByAnySeries finds the record that has one of the series', found?.id, record.id);
  },

  'records are found by many ids at once': async ({ store, second }) => {
    const records = await putAll(
      store,
      Array.from({ length: 3 }, (_, at) => ({ userId: at === 0 ? null : 'ana' })),
    );
    const expired = await put(store, { expiresAt: NOW - 1 });
    const all = [...records, expired];
    const missing = recordWith().id;
    expectThat('findMany of nothing finds nothing', await store.findMany([]), []);
    const ids = [missing, ...idsOf(all), ...idsOf(records)];
    const found = await second.findMany(ids);
    const sorted = (list: readonly SessionRecord[]) => idsOf(list).toSorted();
    expectThat('findMany finds what there is, each once, live or not', sorted(found), sorted(all));
    for (const record of all) {
      const same = found.find(({ id }) => id === record.id) ?? null;
      expectRecord('findMany reads all fields', same, record);
    }
    await store.delete(expired.id);
    expectThat('findMany finds nothing that is deleted', await second.findMany([expired.id]), []);
  },

  'expired records are found by series and id': async ({ store }) => {
    const { id, seriesHash } = await put(store, { expiresAt: NOW - 1 });
    expectThat('findBySeries finds it, live or not', (await store.findBySeries(seriesHash))?.id, id);
    expectThat('findByAnySeries finds it, live or not', (await store.findByAnySeries([seriesHash]))?.id, id);
    expectThat('findById finds it, live or not', (await store.findById(id))?.id, id);
  },

  'countLive counts the live sessions of everybody and nobody, by series, or cannot say': async ({
    store,
    second,
  }) => {
    const counts = async (below: string) => second.countLive(below, NOW);
    if ((await counts('g')) === null) return;
    const [first, last] = [`0${newHash().slice(1)}`, `f${newHash().slice(1)}`];
    await put(store, { seriesHash: first, userId: null });
    await put(store, { seriesHash: last });
    await put(store, { expiresAt: NOW });
    expectThat('all that are live, and what has expired is not', await counts('g'), 2);
    expectThat('those whose series sorts before', await counts('1'), 1);
    expectThat('not the one whose series it is', await counts(first), 0);
  },

  'findLive tells the live sessions of a user, newest first': async ({ store }) => {
    const [oldest, newest, middle] = await putAll(store, [
      { createdAt: NOW - 2 },
      { createdAt: NOW },
      { createdAt: NOW - 1 },
    ]);
    await put(store, { userId: 'ben' });
    await put(store, { userId: null });
    expectThat(
      'findLive goes by createdAt, newest first, and knows no sessions of others',
      idsOf(await liveOf(store, 'ana', NOW)),
      [newest?.id, middle?.id, oldest?.id],
    );
  },

  'findLive tells one page': async ({ store }) => {
    const ages = [5, 4, 3, 2, 1];
    const records = await putAll(
      store,
      ages.map((age) => ({ createdAt: NOW - age })),
    );
    await put(store, { createdAt: NOW - 3, expiresAt: NOW });
    const newestFirst = idsOf(records).toReversed();
    const pageAt = async (before: string | null) =>
      idsOf(await store.findLive('ana', NOW, { limit: 2, before }));
    expectThat('the first has the newest', await pageAt(null), newestFirst.slice(0, 2));
    const [, second = '', , fourth = ''] = newestFirst;
    expectThat('the next goes on after the last of it', await pageAt(second), newestFirst.slice(2, 4));
    await store.delete(fourth);
    expectThat('also where that is gone', await pageAt(fourth), newestFirst.slice(4));
    expectThat('and ends with the oldest', await pageAt(newestFirst[4] ?? ''), []);
  },

  'a session is live until its expiry, and not at it': async ({ store }) => {
    const { id, expiresAt } = await put(store);
    expectThat('it is live before expiresAt', idsOf(await liveOf(store, 'ana', expiresAt - 1)), [id]);
    expectThat('it is not live at expiresAt', await liveOf(store, 'ana', expiresAt), []);
  },

  'user ids compare exactly': async ({ store }) => {
    await putAll(
      store,
      LOOKALIKES.map((userId) => ({ userId })),
    );
    for (const userId of LOOKALIKES) {
      const found = (await liveOf(store, userId, NOW)).map((record) => record.userId);
      expectThat('findLive folds no case, accent or blank of user ids', found, [userId]);
    }
  },

  'ids and hashes compare exactly': async ({ store }) => {
    const [shown, padded] = [newHash().replace(/^./, 'a'), newHash().replace(/.$/, 'a')];
    const record = await put(store, { seriesHash: shown });
    const letters = record.id.replace(/^./, 'a');
    await put(store, { id: letters, seriesHash: padded });
    for (const other of [shown.toUpperCase(), `${shown} `, shown.replace(/^a/, 'á')]) {
      expectThat('findBySeries folds nothing', await store.findBySeries(other), null);
      expectThat('findByAnySeries folds nothing', await store.findByAnySeries([other]), null);
    }
    for (const other of [letters.toUpperCase(), `${letters} `, letters.replace(/^a/, 'á')]) {
      expectThat('findById folds nothing', await store.findById(other), null);
      expectThat('findMany folds nothing', await store.findMany([other]), []);
      expectThat('delete folds nothing', await store.delete(other), null);
      expectThat('change folds nothing', await store.change(other, {}, { label: 'x' }), false);
      expectThat('deleteExpected folds nothing', await store.deleteExpected(other, {}), false);
    }
  },
};
