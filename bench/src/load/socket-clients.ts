import { connect, type Socket } from 'node:net';

/** What the process of the clients is asked, and what it answers once that is done. */
export type Wish = { readonly open: number; readonly tokens: readonly string[] } | { readonly end: true };
export type Tidings = 'open' | 'closed';

const AT_ONCE = 200;
const CLOSE_FRAME = 0x88;

let sockets: Socket[] = [];
let closed = 0;

process.on('message', (wish: Wish) => {
  if ('end' in wish) for (const socket of sockets) socket.destroy();
  else void openAll(wish.open, wish.tokens);
});
process.on('disconnect', () => process.exit());

/** One socket for each token. */
async function openAll(port: number, tokens: readonly string[]): Promise<void> {
  sockets = [];
  closed = 0;
  for (let at = 0; at < tokens.length; at += AT_ONCE)
    sockets.push(...(await Promise.all(tokens.slice(at, at + AT_ONCE).map((token) => open(port, token)))));
  process.send?.('open' satisfies Tidings);
}

/** A handshake by hand: a whole client for each would take longer to close than the server. */
function open(port: number, token: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(handshake(token)));
    socket.on('error', reject);
    socket.once('data', (head) => {
      if (!String(head).startsWith('HTTP/1.1 101')) return reject(new Error(String(head)));
      socket.on('data', (frame) => frame[0] === CLOSE_FRAME && socket.end());
      resolve(socket);
    });
    socket.once('close', () => {
      if (++closed === sockets.length) process.send?.('closed' satisfies Tidings);
    });
  });
}

function handshake(token: string): string {
  const lines = [
    'GET / HTTP/1.1',
    'Host: 127.0.0.1',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    `Authorization: Bearer ${token}`,
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}
