import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import type { SessionRecord } from '../../src/core/model/record.js';
import type { Touch } from '../../src/core/model/store.js';
import { TOUCH_DISPATCH, TOUCH_PATIENCE, TOUCH_RETRY } from '../../src/core/outage/time-budgets.js';
import { type NotedTouch, TouchBuffer } from '../../src/store/touch-buffer.js';

const IDLE = 60_000;

/** A database that answers when it is told to, with the touches whose rows were locked. */
class FakeDatabase {
  readonly writes: { touches: readonly NotedTouch[]; send(): void; answer(...locked: string[]): void }[] = [];

  readonly write = (touches: readonly NotedTouch[], send: () => void) =>
    new Promise<readonly NotedTouch[]>((resolve) => {
      const answer = (...locked: string[]) => resolve(touches.filter(({ id }) => locked.includes(id)));
      this.writes.push({ touches, send, answer });
    });

  ids(): string[][] {
    return this.writes.map(({ touches }) => touches.map(({ id }) => id));
  }
}

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

const pass = (milliseconds: number) => jest.advanceTimersByTimeAsync(milliseconds);

function start() {
  const database = new FakeDatabase();
  return { database, buffer: new TouchBuffer(database.write) };
}

function touch(id: string, at = 1_000): Touch {
  return {
    id,
    roles: '[]',
    authenticatedAt: 0,
    lastSeenAt: at,
    idleExpiresAt: at + IDLE,
    expiresAt: at + IDLE,
  };
}

const seenAt = (buffer: TouchBuffer, id: string) =>
  buffer.overlay()({ ...touch(id, 0) } as unknown as SessionRecord).lastSeenAt;

it('sends activity before any timer can fire', async () => {
  const { database, buffer } = start();
  void buffer.note(touch('a'));
  await Promise.resolve();
  expect(database.ids()).toEqual([['a']]);
});

it('sends what comes during a write together in the next one, each session once', async () => {
  const { database, buffer } = start();
  void buffer.note(touch('a'));
  await pass(0);
  for (const [id, at] of [
    ['b', 2_000],
    ['c', 2_000],
    ['b', 3_000],
    ['a', 3_000],
  ] as const)
    void buffer.note(touch(id, at));
  await pass(60_000);
  expect(database.ids()).toEqual([['a']]);
  database.writes[0]?.answer();
  await pass(0);
  expect(database.ids()).toEqual([['a'], ['b', 'c', 'a']]);
  expect(database.writes[1]?.touches[0]).toMatchObject({ since: 2_000, lastSeenAt: 3_000 });
  database.writes[1]?.answer();
  await buffer.flush();
  expect(database.writes).toHaveLength(2);
});

it('lets reads see activity while it is noted, written, and waiting for a row that is locked', async () => {
  const { database, buffer } = start();
  void buffer.note(touch('a'));
  expect(seenAt(buffer, 'a')).toBe(1_000);
  await pass(0);
  expect(seenAt(buffer, 'a')).toBe(1_000);
  database.writes[0]?.answer('a');
  await pass(0);
  expect(seenAt(buffer, 'a')).toBe(1_000);
  await pass(TOUCH_RETRY);
  database.writes[1]?.answer();
  await pass(0);
  expect(seenAt(buffer, 'a')).toBe(0);
});

it('lets a read see activity that is written while the read is under way', async () => {
  const { database, buffer } = start();
  void buffer.note(touch('a'));
  await pass(0);
  const upToDate = buffer.overlay();
  database.writes[0]?.answer();
  await pass(0);
  const readBefore = { ...touch('a', 0) } as unknown as SessionRecord;
  expect(upToDate(readBefore).lastSeenAt).toBe(1_000);
});

it('lets nobody wait for a row that is locked', async () => {
  const { database, buffer } = start();
  void buffer.note(touch('locked'));
  await pass(0);
  database.writes[0]?.answer('locked');
  await pass(0);
  void buffer.note(touch('other'));
  void buffer.note(touch('locked', 2_000));
  await pass(0);
  expect(database.ids().at(-1)).toEqual(['other']);
  database.writes[1]?.answer();
  await pass(TOUCH_RETRY);
  expect(database.writes.at(-1)?.touches).toMatchObject([{ id: 'locked', since: 1_000, lastSeenAt: 2_000 }]);
  database.writes[2]?.answer('locked');
  await pass(0);
  let isFlushed = false;
  void buffer.flush().then(() => (isFlushed = true));
  await pass(0);
  expect(database.ids().at(-1)).toEqual(['locked']);
  database.writes[3]?.answer('locked');
  await pass(0);
  expect(isFlushed).toBe(true);
});

it('writes at a flush what a write that was under way has found locked', async () => {
  const { database, buffer } = start();
  void buffer.note(touch('a'));
  await pass(0);
  let isFlushed = false;
  void buffer.flush().then(() => (isFlushed = true));
  database.writes[0]?.answer('a');
  await pass(0);
  expect(database.ids()).toEqual([['a'], ['a']]);
  expect(isFlushed).toBe(false);
  database.writes[1]?.answer();
  await pass(0);
  expect(isFlushed).toBe(true);
});

it('waits for the activity of a session until it is written, also where its row is locked', async () => {
  const { database, buffer } = start();
  void buffer.note(touch('a'));
  let isSettled = false;
  void buffer.settle('a').then(() => (isSettled = true));
  await pass(0);
  database.writes[0]?.answer('a');
  await pass(TOUCH_RETRY);
  expect(isSettled).toBe(false);
  database.writes[1]?.answer();
  await pass(0);
  expect(isSettled).toBe(true);
});

it('waits for a locked row no longer than it may be written', async () => {
  const { database, buffer } = start();
  void buffer.note(touch('a'));
  let isSettled = false;
  void buffer.settle('a').then(() => (isSettled = true));
  const expendableAt = performance.now() + TOUCH_PATIENCE;
  for (let past = 0; past <= TOUCH_PATIENCE; past += TOUCH_RETRY) {
    await pass(0);
    const write = database.writes.at(-1);
    expect(write?.touches.map((each) => each.expendableAt)).toEqual([expendableAt]);
    expect(isSettled).toBe(false);
    write?.answer('a');
    await pass(TOUCH_RETRY);
  }
  expect(isSettled).toBe(true);
});

it('lets a request wait until its activity is sent, but not for a database that is slow', async () => {
  const { database, buffer } = start();
  const sent: string[] = [];
  void buffer.note(touch('a')).then(() => sent.push('a'));
  await pass(0);
  void buffer.note(touch('b')).then(() => sent.push('b'));
  await pass(TOUCH_DISPATCH / 2);
  expect(sent).toEqual([]);
  database.writes[0]?.send();
  await pass(0);
  expect(sent).toEqual(['a']);
  await pass(TOUCH_DISPATCH);
  expect(sent).toEqual(['a', 'b']);
  database.writes[0]?.answer();
  await pass(0);
  void buffer.note(touch('c')).then(() => sent.push('c'));
  database.writes[1]?.answer(); // nobody said that it was sent
  await pass(0);
  database.writes[2]?.answer();
  await pass(0);
  expect(sent).toEqual(['a', 'b', 'c']);
});
