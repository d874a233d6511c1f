import type { SessionRecord, SessionStore, Touch } from 'nestjs-sessions';
import type { Faults } from './broken-store.js';

async function overwrite(store: SessionStore, record: SessionRecord): Promise<void> {
  const { id, ...fields } = record;
  if (!(await store.change(id, {}, fields))) await store.insert(record, null);
}

/** Activity is noted, and written by `flush` alone; `apply` decides how. */
function writeBehind(apply: (touch: Touch) => Promise<unknown>): Partial<SessionStore> {
  const noted: Touch[] = [];
  return {
    touch: async (touch) => void noted.push(touch),
    flush: async () => {
      for (const touch of noted.splice(0)) await apply(touch);
    },
  };
}

export const touchingFaults: Faults = {
  'hides activity until it is written, and never writes it durably': {
    caughtBy: [
      'a touch is seen at once by reads through the same store',
      'a durable touch is written when it returns',
      'the limit counts live sessions by the newest activity',
      'setRoles reckons from the newest activity',
    ],
    fault: (sound) => writeBehind((touch) => sound.touch(touch, true)),
  },
  'forgets activity': {
    caughtBy: ['flush writes what was noted'],
    fault: () => writeBehind(async () => {}),
  },
  'writes activity whatever has happened since': {
    caughtBy: [
      'a touch never applies after a change of roles or a sign-in',
      'activity from before setRoles does not lengthen a session',
      'a touch never moves lastSeenAt back',
    ],
    fault: (sound) => writeBehind((touch) => sound.change(touch.id, {}, touch)),
  },
  'writes the whole record with its activity': {
    caughtBy: ['a touch changes only the activity', 'a touch never brings a session back'],
    fault: (sound) => {
      const noted: SessionRecord[] = [];
      return {
        touch: async (touch, isDurable) => {
          const record = await sound.findById(touch.id);
          if (record) noted.push({ ...record, ...touch });
          if (isDurable) await sound.touch(touch, true);
        },
        flush: async () => {
          for (const record of noted.splice(0)) await overwrite(sound, record);
        },
      };
    },
  },
  'revives by activity what has expired': {
    caughtBy: ['a touch never brings a session back'],
    fault: (sound) => ({ touch: async (touch) => void (await sound.change(touch.id, {}, touch)) }),
  },
};
