import type { Faults } from './broken-store.js';
import { ALL, everyone, fold, lookalikesOf } from './lookalikes.js';

const START = Date.UTC(2026, 0, 1);

export const readingFaults: Faults = {
  'throws where nothing is there': {
    caughtBy: ['what is not there is an answer'],
    fault: (sound) => ({
      findById: async (id) => {
        const record = await sound.findById(id);
        if (record === null) throw new Error('Not found.');
        return record;
      },
    }),
  },
  'loses a column': {
    caughtBy: ['a record is read as it was written'],
    fault: (sound) => ({ insert: (record, given) => sound.insert({ ...record, label: null }, given) }),
  },
  'looks for the first series only': {
    caughtBy: ['a record is found by any of several series'],
    fault: (sound) => ({ findByAnySeries: (hashes) => sound.findByAnySeries(hashes.slice(0, 1)) }),
  },
  'hides what has expired': {
    caughtBy: ['expired records are found by series and id'],
    fault: (sound) => ({
      findById: async (id) => {
        const record = await sound.findById(id);
        return record && record.expiresAt > START ? record : null;
      },
    }),
  },
  'finds no anonymous sessions among many': {
    caughtBy: ['records are found by many ids at once'],
    fault: (sound) => ({
      findMany: async (ids) => (await sound.findMany(ids)).filter(({ userId }) => userId !== null),
    }),
  },
  'finds one twice that is asked for twice': {
    caughtBy: ['records are found by many ids at once'],
    fault: (sound) => ({
      findMany: async (ids) => (await Promise.all(ids.map((id) => sound.findMany([id])))).flat(),
    }),
  },
  'lists the oldest first': {
    caughtBy: ['findLive tells the live sessions of a user, newest first'],
    fault: (sound) => ({ findLive: async (...args) => (await sound.findLive(...args)).toReversed() }),
  },
  'lists all at once': {
    caughtBy: ['findLive tells one page'],
    fault: (sound) => ({
      findLive: (userId, now, { before }) => sound.findLive(userId, now, { ...ALL, before }),
    }),
  },
  'looks for the last session of the page before': {
    caughtBy: ['findLive tells one page'],
    fault: (sound) => ({
      findLive: async (userId, now, page) => {
        const isThere = page.before === null || (await sound.findById(page.before)) !== null;
        return sound.findLive(userId, now, isThere ? page : { ...page, before: null });
      },
    }),
  },
  'takes a session for live at its expiry': {
    caughtBy: ['a session is live until its expiry, and not at it'],
    fault: (sound) => ({ findLive: (userId, now, page) => sound.findLive(userId, now - 1, page) }),
  },
  'folds user ids': {
    caughtBy: [
      'user ids compare exactly',
      'setRoles takes users that look alike for different ones',
      'deleteByUser takes users that look alike for different ones',
      'nobody is overtaken by a change to another user',
    ],
    fault: (sound) => ({
      findLive: async (userId, now, page) =>
        (await Promise.all(lookalikesOf(userId).map((each) => sound.findLive(each, now, page)))).flat(),
      mark: async (userId) => {
        let number = await sound.mark(userId);
        for (const each of lookalikesOf(userId ?? '')) number = await sound.mark(each);
        return number;
      },
      setRoles: async (userId, change, batch) => {
        let count = 0;
        for (const each of lookalikesOf(userId)) count += (await sound.setRoles(each, change, batch)).result;
        return { result: count, next: null };
      },
      deleteByUser: async (userId, except, batch) => {
        const deleted = lookalikesOf(userId).map((each) => sound.deleteByUser(each, except, batch));
        return { result: (await Promise.all(deleted)).flatMap(({ result }) => result), next: null };
      },
    }),
  },
  'folds user ids where it counts them': {
    caughtBy: ['users that look alike do not count for each other'],
    fault: (sound) => ({
      insert: async (record, admission) => {
        const others = await everyone(sound);
        const isSame = others.some(({ userId }) => fold(userId) === fold(record.userId));
        return admission?.limit && isSame ? { outcome: 'limit-reached' } : sound.insert(record, admission);
      },
    }),
  },
  'folds ids': {
    caughtBy: ['ids and hashes compare exactly'],
    fault: (sound) => ({ findById: (id) => sound.findById(fold(id)) }),
  },
  'folds hashes': {
    caughtBy: ['ids and hashes compare exactly'],
    fault: (sound) => ({ findBySeries: (hash) => sound.findBySeries(fold(hash)) }),
  },
};
