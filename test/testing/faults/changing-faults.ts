import { setImmediate as giveWay } from 'node:timers/promises';
import type { Expected, SessionRecord, SessionStore } from 'nestjs-sessions';
import type { Faults } from './broken-store.js';

async function meets(sound: SessionStore, id: string, expected: Expected): Promise<boolean> {
  const isMet = await sound.change(id, expected, {});
  await giveWay();
  return isMet;
}

export const changingFaults: Faults = {
  'changes more than it is told': {
    caughtBy: ['a change changes what it names, and nothing else'],
    fault: (sound) => ({
      change: (id, expected, change) => sound.change(id, expected, { dataVersion: 9, ...change }),
    }),
  },
  'never changes the series': {
    caughtBy: ['a change can give a record another series'],
    fault: (sound) => ({
      change: (id, expected, { seriesHash: _lost, ...change }) => sound.change(id, expected, change),
    }),
  },
  'takes null for nothing to change': {
    caughtBy: ['a change can set to null'],
    fault: (sound) => ({
      change: (id, expected, change) =>
        sound.change(
          id,
          expected,
          Object.fromEntries(Object.entries(change).filter(([, value]) => value !== null)),
        ),
    }),
  },
  'changes whatever is there': {
    caughtBy: ['a change is made only where the record is as expected'],
    fault: (sound) => ({ change: (id, _, change) => sound.change(id, {}, change) }),
  },
  'compares what is expected loosely': {
    caughtBy: [
      'a change is made only where the record is as expected',
      'deleteExpected takes a record only as expected',
    ],
    fault: (sound) => ({
      change: (id, { tokenHash }, change) => sound.change(id, tokenHash ? { tokenHash } : {}, change),
      deleteExpected: (id, { tokenHash }) => sound.deleteExpected(id, tokenHash ? { tokenHash } : {}),
    }),
  },
  'changes what does not exist into existence': {
    caughtBy: ['a change never inserts', 'admit never inserts'],
    fault: (sound) => ({
      change: async (id, expected, change) => {
        if ((await sound.findById(id)) !== null) return sound.change(id, expected, change);
        await sound.insert({ id, ...change } as SessionRecord, null);
        return true;
      },
      admit: async (id, expected, change, admission) => {
        if ((await sound.findById(id)) !== null) return sound.admit(id, expected, change, admission);
        return sound.insert({ id, ...change } as SessionRecord, admission);
      },
    }),
  },
  'looks, gives way, and changes': {
    caughtBy: [
      'of changes at the same time that expect the same, one is made',
      'of deletions at the same time, one is told what it was',
      'of deleteExpected at the same time, one is told that it deleted',
    ],
    fault: (sound) => ({
      change: async (id, expected, change) =>
        (await meets(sound, id, expected)) && sound.change(id, {}, change),
      delete: async (id, userId) => {
        const record = await sound.findById(id);
        await giveWay();
        await sound.delete(id, userId);
        return record;
      },
      deleteExpected: async (id, expected) => {
        const isMet = await meets(sound, id, expected);
        if (isMet) await sound.delete(id);
        return isMet;
      },
    }),
  },
  'admits whatever is there': {
    caughtBy: ['admit changes only where the record is as expected'],
    fault: (sound) => ({
      admit: (id, { userId }, change, admission) => sound.admit(id, { userId }, change, admission),
    }),
  },
  'overwrites by insert': {
    caughtBy: ['an insert never takes the place of a record'],
    fault: (sound) => ({
      insert: async (record, admission) => {
        await sound.delete(record.id);
        return sound.insert(record, admission);
      },
    }),
  },
};
