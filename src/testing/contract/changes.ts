import type { SessionRecord } from '../../core/model/record.js';
import type { Expected } from '../../core/model/store.js';
import type { Checks } from './checks.js';
import { expectRecord, expectThat } from './expectation.js';
import { admissionWith, atOnce, newHash, NOW, put, recordWith } from './fixtures.js';

/** One expectation each that does not hold for `record`. */
function unmet(record: SessionRecord): Expected[] {
  return [
    { tokenHash: newHash() },
    { tokenHash: record.tokenHash.toUpperCase() },
    { confirmedAt: null },
    { confirmedAt: NOW + 1 },
    { unshown: null },
    { unshown: record.tokenHash.slice(0, 16) },
    { ignoredFrom: null },
    { ignoredFrom: NOW + 1 },
    { dataVersion: record.dataVersion + 1 },
    { roles: record.roles.toUpperCase() },
    { authenticatedAt: NOW + 1 },
    { tokenHash: record.tokenHash, dataVersion: record.dataVersion + 1 },
  ];
}

const SEEN = {
  confirmedAt: NOW,
  tokenHash: 'a'.repeat(64),
  unshown: 'b'.repeat(16),
  ignoredFrom: NOW,
} as const;

export const changes: Checks = {
  'a change changes what it names, and nothing else': async ({ store, second }) => {
    const record = await put(store);
    const change = {
      tokenHash: newHash(),
      previousHash: record.tokenHash,
      previousKind: 'rotation',
    } as const;
    const { tokenHash, dataVersion, roles, authenticatedAt } = record;
    const expected = { tokenHash, confirmedAt: null, dataVersion, roles, authenticatedAt };
    expectThat('change says that it changed', await store.change(record.id, expected, change), true);
    const changed = { ...record, ...change };
    expectRecord('findBySeries reads the newest state', await store.findBySeries(record.seriesHash), changed);
    expectRecord('and so does everybody else', await second.findById(record.id), changed);
  },

  'a change can give a record another series': async ({ store, second }) => {
    const { id, seriesHash } = await put(store);
    const next = newHash();
    await store.change(id, {}, { seriesHash: next });
    for (const each of [store, second]) {
      expectThat('it is found by the new series', (await each.findBySeries(next))?.id, id);
      expectThat('and not by the earlier one', await each.findBySeries(seriesHash), null);
    }
  },

  'a change can set to null': async ({ store }) => {
    const { id } = await put(store, { confirmedAt: NOW, successor: 'sealed' });
    await store.change(id, { confirmedAt: NOW }, { confirmedAt: null, successor: null });
    const found = await store.findById(id);
    const values = [found?.confirmedAt, found?.successor];
    expectThat('what is changed to null is null', values, [null, null]);
  },

  'a change is made only where the record is as expected': async ({ store }) => {
    const record = await put(store, SEEN);
    for (const expected of unmet(record)) {
      const said = await store.change(record.id, expected, { label: 'changed' });
      expectThat(`no change where ${JSON.stringify(expected)} does not hold`, said, false);
    }
    expectRecord('the record stays as it is', await store.findById(record.id), record);
  },

  'a change never inserts': async ({ store }) => {
    const { id, seriesHash } = recordWith();
    expectThat('a change of nothing is false', await store.change(id, {}, { seriesHash, label: 'x' }), false);
    expectThat('and makes nothing', await store.findById(id), null);
  },

  'of changes at the same time that expect the same, one is made': async ({ store, second }) => {
    const { id, tokenHash } = await put(store);
    const next = Array.from({ length: 20 }, newHash);
    const said = await atOnce(20, { store, second }, (each, at) =>
      each.change(id, { tokenHash }, { tokenHash: next[at] ?? '' }),
    );
    const winners = next.filter((_, at) => said[at]);
    expectThat('one of them is told that it changed', winners.length, 1);
    expectThat('and it is the one', (await store.findById(id))?.tokenHash, winners[0]);
  },

  'admit changes only where the record is as expected': async ({ store }) => {
    const record = await put(store, { ...SEEN, userId: null });
    for (const expected of unmet(record)) {
      const { outcome } = await store.admit(
        record.id,
        { userId: null, ...expected },
        { userId: 'ana' },
        admissionWith(),
      );
      expectThat(`a conflict where ${JSON.stringify(expected)} does not hold`, outcome, 'conflict');
    }
    expectRecord('the record stays as it is', await store.findById(record.id), record);
    const { tokenHash } = record;
    const { outcome } = await store.admit(
      record.id,
      { userId: null, tokenHash },
      { userId: 'ana' },
      admissionWith(),
    );
    expectThat('where it holds, it is admitted', outcome, 'admitted');
    expectThat('and changed', (await store.findById(record.id))?.userId, 'ana');
  },

  'admit changes only what is whose it was': async ({ store }) => {
    const anonymous = await put(store, { userId: null });
    const theirs = await put(store, { userId: 'ben' });
    for (const [id, userId] of [
      [anonymous.id, 'ana'],
      [theirs.id, 'ana'],
      [theirs.id, null],
    ] as const) {
      const { outcome } = await store.admit(id, { userId }, { userId: 'ana' }, admissionWith());
      expectThat('another owner is a conflict', outcome, 'conflict');
    }
    expectRecord('the session of nobody stays so', await store.findById(anonymous.id), anonymous);
    expectRecord('and that of another theirs', await store.findById(theirs.id), theirs);
  },

  'admit never inserts': async ({ store }) => {
    const { id, ...fields } = recordWith();
    const { outcome } = await store.admit(id, { userId: null }, fields, admissionWith());
    expectThat('a sign-in on nothing is a conflict', outcome, 'conflict');
    expectThat('and makes nothing', await store.findById(id), null);
  },

  'an insert never takes the place of a record': async ({ store }) => {
    const record = await put(store);
    for (const twin of [recordWith({ id: record.id }), recordWith({ seriesHash: record.seriesHash })]) {
      const isRefused = await store.insert(twin, null).then(
        () => false,
        () => true,
      );
      expectThat('insert throws where the id or the series is there already', isRefused, true);
    }
    expectRecord('the record stays as it is', await store.findById(record.id), record);
  },
};
