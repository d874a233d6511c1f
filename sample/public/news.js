import { session } from './session.js';

const ADDRESS = `${location.origin.replace('http', 'ws')}/news`;
const PAUSE = 1_000;

/**
 * Listens to what the bank tells by itself, over a WebSocket that ends with the session.
 *
 * @returns {() => void} stops it
 */
export function listenToNews(onArrival) {
  let socket;
  let timer;
  let isWanted = true;

  function open() {
    socket = new WebSocket(ADDRESS, session.socketProtocols(ADDRESS, 'news'));
    socket.addEventListener('message', ({ data }) => onArrival(JSON.parse(data)));
    socket.addEventListener('close', async (event) => {
      const code = await session.socketEnded(event);
      if (code === null && isWanted) timer = setTimeout(open, PAUSE);
    });
  }

  open();
  return () => {
    isWanted = false;
    clearTimeout(timer);
    // Browsers report it as an error when a socket is closed before it is open.
    if (socket.readyState === WebSocket.CONNECTING) socket.addEventListener('open', () => socket.close());
    else socket.close();
  };
}
