import { session } from './session.js';

const PAUSE = 1_000;

/**
 * Listens to a stream of the server, which ends with the session. Then the browser asks for the next one by itself, and gives
 * up if that is refused; whether we are still signed in decides.
 *
 * @returns {() => void} stops it
 */
export function listen(path, onNews, onLost) {
  let source;
  let timer;
  let isWanted = true;

  function open() {
    source = new EventSource(path);
    source.addEventListener('message', ({ data }) => onNews(JSON.parse(data)));
    source.addEventListener('error', async (event) => {
      onLost();
      const code = await session.socketEnded(event);
      if (code !== null || !isWanted || source.readyState !== EventSource.CLOSED) return;
      clearTimeout(timer);
      timer = setTimeout(open, PAUSE);
    });
  }

  open();
  return () => {
    isWanted = false;
    clearTimeout(timer);
    source.close();
  };
}
