import type { Faults } from './broken-store.js';
import { ALL, everyone } from './lookalikes.js';

const START = Date.UTC(2026, 0, 1);

export const deletingFaults: Faults = {
  'deletes without telling what': {
    caughtBy: ['delete takes a record away, and says what it was'],
    fault: (sound) => ({
      delete: async (id, userId) => {
        await sound.delete(id, userId);
        return null;
      },
    }),
  },
  'deletes for anybody': {
    caughtBy: ['delete for an owner takes only what is theirs'],
    fault: (sound) => ({ delete: (id) => sound.delete(id) }),
  },
  'deletes for reuse though the newest token is not confirmed': {
    caughtBy: ['deleteReused takes a record only where the judgement holds'],
    fault: (sound) => ({
      deleteReused: async (judgement) => {
        const record = await sound.findById(judgement.id);
        return record?.confirmedAt === null
          ? sound.deleteExpected(judgement.id, {})
          : sound.deleteReused(judgement);
      },
    }),
  },
  'deletes for reuse though the token was never shown': {
    caughtBy: ['deleteReused takes a record only where the judgement holds'],
    fault: (sound) => ({
      deleteReused: async (judgement) => {
        const record = await sound.findById(judgement.id);
        return sound.deleteReused({ ...judgement, unshown: record?.unshown ?? null });
      },
    }),
  },
  'leaves what has expired to the purge': {
    caughtBy: ['deleteByUser takes the records of a user, and says what they were'],
    fault: (sound) => ({
      deleteByUser: async (userId) => {
        const live = await sound.findLive(userId, START, ALL);
        for (const { id } of live) await sound.delete(id);
        return { result: live, next: null };
      },
    }),
  },
  'knows no exception': {
    caughtBy: ['deleteByUser leaves the exception'],
    fault: (sound) => ({
      deleteByUser: (userId, _except, batch) => sound.deleteByUser(userId, null, batch),
    }),
  },
  'ends what began after the mark': {
    caughtBy: ['deleteByUser spares what began after the mark', 'deleteAll spares what began after the mark'],
    fault: (sound) => ({
      deleteByUser: (userId, except, batch) =>
        sound.deleteByUser(userId, except, { ...batch, number: Infinity }),
      deleteAll: (createdBefore, batch) => sound.deleteAll(createdBefore, { ...batch, number: Infinity }),
    }),
  },
  'takes one more sign-in for the beginning of a session': {
    caughtBy: ['deleteByUser deletes what had one more sign-in after the mark'],
    fault: (sound) => ({
      admit: async (id, expected, change, admission) => {
        const record = await sound.findById(id);
        const admitted = await sound.admit(id, expected, change, admission);
        if (record === null || record.userId === null || admitted.outcome !== 'admitted') return admitted;
        await sound.delete(id);
        return sound.insert({ ...record, ...change }, { ...admission, limit: null });
      },
    }),
  },
  'does one batch': {
    caughtBy: ['a change of very many sessions goes by batches'],
    fault: (sound) => ({
      deleteByUser: async (...args) => ({ ...(await sound.deleteByUser(...args)), next: null }),
      setRoles: async (...args) => ({ ...(await sound.setRoles(...args)), next: null }),
    }),
  },
  'deletes all of users, and no anonymous sessions': {
    caughtBy: ['deleteAll takes all records, and says how many'],
    fault: (sound) => ({
      deleteAll: async () => {
        const records = await everyone(sound);
        for (const { id } of records) await sound.delete(id);
        return { result: records.length, next: null };
      },
    }),
  },
  'deletes all, whatever the time': {
    caughtBy: ['deleteAll with a time takes what was created before it'],
    fault: (sound) => ({ deleteAll: (_, batch) => sound.deleteAll(null, batch) }),
  },
  'counts what has expired': {
    caughtBy: ['countLive counts the live sessions of everybody and nobody, by series, or cannot say'],
    fault: (sound) => ({ countLive: (below) => sound.countLive(below, 0) }),
  },
  'leaves what expired long ago': {
    caughtBy: ['purgeExpired takes what has expired, and says how many'],
    fault: (sound) => ({
      purgeExpired: (now, signal) => sound.purgeExpired(now - 2 * 24 * 60 * 60_000, signal),
    }),
  },
  'purges one batch': {
    caughtBy: ['purgeExpired takes as many as there are'],
    fault: (sound) => ({
      purgeExpired: async (now) => {
        const stop = new AbortController();
        const purging = sound.purgeExpired(now, stop.signal);
        stop.abort();
        return purging;
      },
    }),
  },
  'purges on when it is to stop': {
    caughtBy: ['purgeExpired starts nothing once it is to stop'],
    fault: (sound) => ({ purgeExpired: (now) => sound.purgeExpired(now) }),
  },
  'purges the newest first': {
    caughtBy: ['purgeExpired stops when it is told to, and has taken the oldest'],
    fault: (sound) => ({
      purgeExpired: async (now, signal) => {
        let count = 0;
        const newestFirst = (await everyone(sound)).toSorted((a, b) => b.expiresAt - a.expiresAt);
        for (const record of newestFirst) {
          if (signal?.aborted && count > 0) break;
          if (record.expiresAt <= now && (await sound.delete(record.id))) count++;
        }
        return count;
      },
    }),
  },
};
