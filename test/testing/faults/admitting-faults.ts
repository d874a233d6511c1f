import { setImmediate as giveWay } from 'node:timers/promises';
import type { Admission, SessionRecord, SessionStore } from 'nestjs-sessions';
import type { Faults } from './broken-store.js';
import { ALL } from './lookalikes.js';

/** Looks whether a limit or a change is in the way, gives way, and acts on what it saw. */
async function lateInsert(sound: SessionStore, record: SessionRecord, admission: Admission | null) {
  if (admission === null) return sound.insert(record, null);
  const probe = { ...record, id: `probe-${record.id}`, seriesHash: `probe-${record.seriesHash}` };
  const { limit } = admission;
  const seen = await sound.insert(probe, { ...admission, limit: null });
  await sound.delete(probe.id);
  const live = await sound.findLive(admission.userId, admission.now, ALL);
  await giveWay();
  if (seen.outcome !== 'admitted') return seen;
  if (limit?.onReached === 'reject' && live.length >= limit.max) return { outcome: 'limit-reached' } as const;
  const evicted = limit === null ? [] : live.slice(limit.max - 1);
  for (const { id } of evicted) await sound.delete(id);
  await sound.insert(record, null);
  return { outcome: 'admitted', evicted } as const;
}

export const admittingFaults: Faults = {
  'counts one too many': {
    caughtBy: ['an insert below the limit evicts nobody'],
    fault: (sound) => ({
      insert: (record, admission) =>
        sound.insert(
          record,
          admission && {
            ...admission,
            limit: admission.limit && { ...admission.limit, max: admission.limit.max - 1 },
          },
        ),
    }),
  },
  'knows no limit': {
    caughtBy: [
      'at the limit, an insert evicts the oldest',
      'at the limit, an insert is refused',
      'at the limit, a sign-in on an anonymous session evicts the oldest',
      'at the limit, a sign-in on an anonymous session is refused',
      'a limit that was lowered evicts all that are too many',
    ],
    fault: (sound) => ({
      insert: (record, admission) => sound.insert(record, admission && { ...admission, limit: null }),
      admit: (id, expected, change, admission) =>
        sound.admit(id, expected, change, { ...admission, limit: null }),
    }),
  },
  'evicts without telling': {
    caughtBy: [
      'at the limit, an insert evicts the oldest',
      '50 inserts at the same time leave as many as allowed',
    ],
    fault: (sound) => ({
      insert: async (...args) => {
        const admitted = await sound.insert(...args);
        return admitted.outcome === 'admitted' ? { ...admitted, evicted: [] } : admitted;
      },
    }),
  },
  'looks, gives way, and inserts': {
    caughtBy: [
      '50 inserts at the same time leave as many as allowed',
      '50 inserts at the same time admit as many as allowed',
      'no sign-in slips past a revocation at the same time',
      'no sign-in slips past a change of roles at the same time',
    ],
    fault: (sound) => ({ insert: (record, admission) => lateInsert(sound, record, admission) }),
  },
  'lets nothing overtake': {
    caughtBy: [
      'setRoles overtakes the sign-ins that began earlier',
      'deleteByUser overtakes the sign-ins that began earlier',
      'deleteAll overtakes the sign-ins that began earlier',
    ],
    fault: (sound) => ({
      insert: (record, admission) => sound.insert(record, admission && { ...admission, begun: Infinity }),
    }),
  },
  'looks for changes at fresh sign-ins only': {
    caughtBy: ['setRoles overtakes the sign-ins that began earlier'],
    fault: (sound) => ({
      admit: (id, expected, change, admission) =>
        sound.admit(id, expected, change, { ...admission, begun: Infinity }),
    }),
  },
  'numbers only some of the changes': {
    caughtBy: ['each change has a larger number than all before it, whoever makes it'],
    fault: (sound) => {
      let hidden = 0;
      return {
        latestChange: async () => (await sound.latestChange()) - hidden,
        mark: (userId) => {
          if (userId === null) hidden++;
          return sound.mark(userId);
        },
      };
    },
  },
  'signs in on the session of another': {
    caughtBy: ['admit changes only what is whose it was'],
    fault: (sound) => ({
      admit: async (id, { userId: _shown, ...expected }, change, admission) => {
        const record = await sound.findById(id);
        return sound.admit(id, { ...expected, userId: record?.userId ?? null }, change, admission);
      },
    }),
  },
  'counts a step-up as one more session': {
    caughtBy: ['a sign-in on a session of the user is not one more'],
    fault: (sound) => ({
      admit: async (id, expected, change, admission) => {
        const live = await sound.findLive(admission.userId, admission.now, ALL);
        return live.length >= (admission.limit?.max ?? Infinity)
          ? { outcome: 'limit-reached' }
          : sound.admit(id, expected, change, admission);
      },
    }),
  },
  'lets a change overtake anonymous sessions': {
    caughtBy: ['an anonymous session is overtaken by nothing'],
    fault: (sound) => {
      let isClosed = false;
      return {
        deleteAll: (createdBefore, batch) => {
          isClosed = true;
          return sound.deleteAll(createdBefore, batch);
        },
        insert: async (record, admission) =>
          isClosed ? { outcome: 'overtaken' } : sound.insert(record, admission),
      };
    },
  },
};
