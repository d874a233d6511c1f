import type { Faults } from './broken-store.js';
import { ALL } from './lookalikes.js';

export const rolesFaults: Faults = {
  'sets roles of expired sessions too': {
    caughtBy: ['setRoles sets the roles of live sessions, and says how many there are'],
    fault: (sound) => ({
      setRoles: (userId, change, batch) => sound.setRoles(userId, { ...change, now: 0 }, batch),
    }),
  },
  'sets roles, and leaves the deadlines': {
    caughtBy: ['setRoles reckons the deadlines anew'],
    fault: (sound) => ({
      setRoles: async (userId, { roles, now }) => {
        const live = await sound.findLive(userId, now, ALL);
        for (const { id } of live) await sound.change(id, {}, { roles, renewAt: now });
        return { result: live.length, next: null };
      },
    }),
  },
  'always makes tokens due for renewal': {
    caughtBy: ['setRoles makes a token due for renewal only where the roles are others'],
    fault: (sound) => ({
      setRoles: async (userId, change, batch) => {
        const done = await sound.setRoles(userId, change, batch);
        for (const { id } of await sound.findLive(userId, change.now, ALL)) {
          await sound.change(id, {}, { renewAt: change.now });
        }
        return done;
      },
    }),
  },
  'sets roles over those of a later change': {
    caughtBy: ['setRoles leaves the roles of a later setRoles'],
    fault: (sound) => ({
      setRoles: async (userId, change, batch) =>
        sound.setRoles(userId, change, { ...batch, number: await sound.mark(userId) }),
    }),
  },
  'sets the roles of what began later': {
    caughtBy: ['setRoles leaves what began after the mark'],
    fault: (sound) => ({
      setRoles: (userId, change, batch) => sound.setRoles(userId, change, { ...batch, number: Infinity }),
    }),
  },
};
