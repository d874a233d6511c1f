import { call } from './api.js';
import { onPress, say } from './dom.js';
import { describe, numbered, showSessions } from './session-list.js';

export async function fillDevices(view) {
  const list = view.querySelector('#devices');
  const endOthers = view.querySelector('#end-others');

  async function load() {
    const devices = numbered(await call('GET', '/devices'));
    const { ip } = devices.find(({ isCurrent }) => isCurrent);
    // The one in hand comes first.
    const sorted = devices.toSorted((one, other) => other.isCurrent - one.isCurrent);
    const sessions = sorted.map((device) => ({
      ...device,
      details: describe(device, device.isCurrent ? null : ip),
    }));
    showSessions(list, sessions, end);
    endOthers.hidden = devices.length === 1;
  }

  async function end(id) {
    await call('DELETE', `/devices/${id}`);
    say('That device is signed out.');
    await load();
  }

  onPress(endOthers, async () => {
    const { ended } = await call('DELETE', '/devices');
    say(ended === 1 ? 'One other device is signed out.' : `${ended} other devices are signed out.`);
    await load();
    list.closest('section').querySelector('h1').focus();
  });

  await load();
}
