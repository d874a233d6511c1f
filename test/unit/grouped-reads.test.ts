import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { GroupedReads } from '../../src/store/grouped-reads.js';

/** A database that answers when it is told to. */
class FakeDatabase {
  readonly queries: { keys: readonly string[]; answer(): void; fail(error: Error): void }[] = [];

  readonly load = (keys: readonly string[]) =>
    new Promise<ReadonlyMap<string, string>>((resolve, reject) => {
      const answer = () =>
        resolve(new Map(keys.filter((key) => key !== 'none').map((key) => [key, `row ${key}`])));
      this.queries.push({ keys, answer, fail: reject });
    });
}

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

const pass = (milliseconds: number) => jest.advanceTimersByTimeAsync(milliseconds);

function reads() {
  const database = new FakeDatabase();
  return { database, reads: new GroupedReads(database.load) };
}

it('sends a lookup at once, and those that come meanwhile together, each key once', async () => {
  const { database, reads: grouped } = reads();
  const first = grouped.read('a');
  expect(database.queries.map(({ keys }) => keys)).toEqual([['a']]);
  const others = ['b', 'c', 'b', 'a', 'none'].map((key) => grouped.read(key));
  expect(database.queries).toHaveLength(1);
  database.queries[0]?.answer();
  expect(await first).toBe('row a');
  await pass(0);
  expect(database.queries.map(({ keys }) => keys)).toEqual([['a'], ['b', 'c', 'a', 'none']]);
  database.queries[1]?.answer();
  expect(await Promise.all(others)).toEqual(['row b', 'row c', 'row b', 'row a', null]);
});

it('never answers a lookup with a query that began before it', async () => {
  const { database, reads: grouped } = reads();
  const early = grouped.read('a');
  const late = grouped.read('a');
  database.queries[0]?.answer();
  await early;
  let isAnswered = false;
  void late.then(() => (isAnswered = true));
  await pass(1);
  expect(isAnswered).toBe(false);
  database.queries[1]?.answer();
  expect(await late).toBe('row a');
});

it('lets an error reach only those whom it concerns', async () => {
  const { database, reads: grouped } = reads();
  const first = grouped.read('a');
  const second = grouped.read('b');
  database.queries[0]?.fail(new Error('lost'));
  await expect(first).rejects.toThrow('lost');
  await pass(0);
  database.queries[1]?.answer();
  expect(await second).toBe('row b');
});

it('sends many that wait beside the query that is under way, and no third', async () => {
  const { database, reads: grouped } = reads();
  const lookups = Array.from({ length: 80 }, (_, at) => grouped.read(String(at)));
  expect(database.queries.map(({ keys }) => keys.length)).toEqual([1, 48]);
  lookups.push(...Array.from({ length: 18 }, (_, at) => grouped.read(`late ${at}`)));
  expect(database.queries).toHaveLength(2);
  database.queries[1]?.answer();
  await pass(0);
  expect(database.queries.map(({ keys }) => keys.length)).toEqual([1, 48, 49]);
  for (const query of database.queries) query.answer();
  await Promise.all(lookups);
});

it('does not wait for a slow query, but opens few more', async () => {
  const { database, reads: grouped } = reads();
  const lookups: Promise<string | null>[] = [];
  for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) {
    lookups.push(grouped.read(key));
    await pass(12);
  }
  expect(database.queries.map(({ keys }) => keys)).toEqual([['a'], ['b'], ['c'], ['d']]);
  for (let at = 0; at < 5; at++) {
    database.queries[at]?.answer();
    await pass(10);
  }
  expect(await Promise.all(lookups)).toEqual(['row a', 'row b', 'row c', 'row d', 'row e', 'row f']);
  expect(database.queries[4]?.keys).toEqual(['e', 'f']);
});

it('bounds the size of a group', async () => {
  const { database, reads: grouped } = reads();
  const lookups = Array.from({ length: 1_000 }, (_, at) => grouped.read(String(at)));
  for (let at = 0; at < 6; at++) {
    database.queries[at]?.answer();
    await pass(0);
  }
  await Promise.all(lookups);
  expect(database.queries.map(({ keys }) => keys.length)).toEqual([1, 48, 256, 256, 256, 183]);
});

it('takes no query for slow that is not, however long lookups go on coming', async () => {
  let [underWay, most] = [0, 0];
  const grouped = new GroupedReads(async () => {
    most = Math.max(most, ++underWay);
    await new Promise((resolve) => setTimeout(resolve, 2));
    underWay--;
    return new Map<string, string>();
  });
  for (let at = 0; at < 100; at++) {
    void grouped.read(String(at));
    await pass(1);
  }
  await pass(10);
  expect([underWay, most]).toEqual([0, 1]);
});

it('keeps no lookups for a silent database that nobody waits for any more', async () => {
  const { database, reads: grouped } = reads();
  const lookups = Array.from({ length: 2_000 }, (_, at) => grouped.read(String(at)));
  const outcomes = Promise.allSettled(lookups);
  await pass(5_100);
  expect(database.queries.map(({ keys }) => keys.length)).toEqual([1, 48, 256, 256]);
  expect((await outcomes).map(({ status }) => status)).toEqual(lookups.map(() => 'rejected'));
  const late = grouped.read('late');
  database.queries.at(-1)?.answer();
  expect(await late).toBe('row late');
  expect(database.queries.at(-1)?.keys).toEqual(['late']);
});
