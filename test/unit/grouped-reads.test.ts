import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
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

function reads() {
  const database = new FakeDatabase();
  return { database, reads: new GroupedReads(database.load) };
}

it('sends a lookup at once, and those that come meanwhile together, each key once', async () => {
  const { database, reads: grouped } = reads();
  const first = grouped.find('a');
  expect(database.queries.map(({ keys }) => keys)).toEqual([['a']]);
  const others = ['b', 'c', 'b', 'a', 'none'].map((key) => grouped.find(key));
  expect(database.queries).toHaveLength(1);
  database.queries[0]?.answer();
  expect(await first).toBe('row a');
  await wait(0);
  expect(database.queries.map(({ keys }) => keys)).toEqual([['a'], ['b', 'c', 'a', 'none']]);
  database.queries[1]?.answer();
  expect(await Promise.all(others)).toEqual(['row b', 'row c', 'row b', 'row a', null]);
});

it('never answers a lookup with a query that began before it', async () => {
  const { database, reads: grouped } = reads();
  const early = grouped.find('a');
  const late = grouped.find('a');
  database.queries[0]?.answer();
  await early;
  let isAnswered = false;
  void late.then(() => (isAnswered = true));
  await wait(1);
  expect(isAnswered).toBe(false);
  database.queries[1]?.answer();
  expect(await late).toBe('row a');
});

it('lets an error reach only those whom it concerns', async () => {
  const { database, reads: grouped } = reads();
  const first = grouped.find('a');
  const second = grouped.find('b');
  database.queries[0]?.fail(new Error('lost'));
  await expect(first).rejects.toThrow('lost');
  await wait(0);
  database.queries[1]?.answer();
  expect(await second).toBe('row b');
});

it('sends many that wait beside the query that is under way, and no third', async () => {
  const { database, reads: grouped } = reads();
  const lookups = Array.from({ length: 80 }, (_, at) => grouped.find(String(at)));
  expect(database.queries.map(({ keys }) => keys.length)).toEqual([1, 48]);
  lookups.push(...Array.from({ length: 18 }, (_, at) => grouped.find(`late ${at}`)));
  expect(database.queries).toHaveLength(2);
  database.queries[1]?.answer();
  await wait(0);
  expect(database.queries.map(({ keys }) => keys.length)).toEqual([1, 48, 49]);
  for (const query of database.queries) query.answer();
  await Promise.all(lookups);
});

it('does not wait for a slow query, but opens few more', async () => {
  const { database, reads: grouped } = reads();
  const lookups = ['a', 'b', 'c', 'd', 'e', 'f'].map((key, at) =>
    wait(at * 12).then(() => grouped.find(key)),
  );
  await wait(150);
  expect(database.queries.map(({ keys }) => keys)).toEqual([['a'], ['b'], ['c'], ['d']]);
  for (let at = 0; at < 5; at++) {
    database.queries[at]?.answer();
    await wait(10);
  }
  expect(await Promise.all(lookups)).toEqual(['row a', 'row b', 'row c', 'row d', 'row e', 'row f']);
  expect(database.queries[4]?.keys).toEqual(['e', 'f']);
});

it('bounds the size of a group', async () => {
  const { database, reads: grouped } = reads();
  const lookups = Array.from({ length: 1_000 }, (_, at) => grouped.find(String(at)));
  for (let at = 0; at < 6; at++) {
    database.queries[at]?.answer();
    await wait(0);
  }
  await Promise.all(lookups);
  expect(database.queries.map(({ keys }) => keys.length)).toEqual([1, 48, 256, 256, 256, 183]);
});
