import { callInBackground } from './api.js';

const PAUSE = 1_000;

/**
 * Watches the sessions of a user. The server ends each stream after a while, and the browser asks for the next one; if
 * that is refused, the browser gives up, and whether we are still signed in decides.
 *
 * @returns {() => void} stops it
 */
export function watchSessions(path, light, onSessions) {
  let source;
  let timer;

  function open() {
    source = new EventSource(`${path}/live`);
    source.addEventListener('message', ({ data }) => {
      light.textContent = 'live';
      delete light.dataset.lost;
      onSessions(JSON.parse(data).sessions);
    });
    source.addEventListener('error', () => {
      if (source.readyState !== EventSource.CLOSED) return;
      light.textContent = 'not live';
      light.dataset.lost = '';
      callInBackground('/me/session').then(
        () => (timer = setTimeout(open, PAUSE)),
        () => {},
      );
    });
  }

  open();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}
