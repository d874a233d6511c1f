import { callInBackground } from './api.js';

/** A stream ends with its token too: the answer that brings the new cookie is on its way then. */
const COOKIE_COMES_WITHIN = 300;
const PAUSE = 1_000;

/**
 * Listens to a stream of the server, which ends with the session. Then the browser asks for the next one by itself, and gives
 * up if that is refused; whether we are still signed in decides.
 *
 * @returns {() => void} stops it
 */
export function listen(path, onNews, onLost = () => {}) {
  let source;
  let timer;

  function open() {
    source = new EventSource(path);
    source.addEventListener('message', ({ data }) => onNews(JSON.parse(data)));
    source.addEventListener('error', () => {
      onLost();
      clearTimeout(timer);
      timer = setTimeout(ask, COOKIE_COMES_WITHIN);
    });
  }

  async function ask() {
    await callInBackground('/me/session').catch(() => {});
    if (source?.readyState === EventSource.CLOSED) timer = setTimeout(open, PAUSE);
  }

  open();
  return () => {
    clearTimeout(timer);
    source.close();
    source = null;
  };
}
