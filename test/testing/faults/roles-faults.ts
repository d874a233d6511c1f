import type { Faults } from './broken-store.js';

export const rolesFaults: Faults = {
  'sets roles of expired sessions too': {
    caughtBy: ['setRoles sets the roles of live sessions, and says how many there are'],
    fault: (sound) => ({ setRoles: (userId, change) => sound.setRoles(userId, { ...change, now: 0 }) }),
  },
  'sets roles, and leaves the deadlines': {
    caughtBy: ['setRoles reckons the deadlines anew'],
    fault: (sound) => ({
      setRoles: async (userId, { roles, now }) => {
        const live = await sound.findLive(userId, now);
        for (const { id } of live) await sound.change(id, {}, { roles, renewAt: now });
        return live.length;
      },
    }),
  },
  'always makes tokens due for renewal': {
    caughtBy: ['setRoles makes a token due for renewal only where the roles are others'],
    fault: (sound) => ({
      setRoles: async (userId, change) => {
        const count = await sound.setRoles(userId, change);
        for (const { id } of await sound.findLive(userId, change.now)) {
          await sound.change(id, {}, { renewAt: change.now });
        }
        return count;
      },
    }),
  },
};
