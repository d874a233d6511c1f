/** A socket of `ws`, or of the platform. */
interface WebSocketUnderTest {
  readonly readyState: number;
  addEventListener(type: 'close', listener: (end: { readonly reason: string }) => void): unknown;
  addEventListener(type: 'error', listener: () => void): unknown;
  /** What `ws` has, and no platform. */
  once?(event: never, listener: (...details: never[]) => void): unknown;
}

/** A socket of `socket.io-client`. */
interface IoSocketUnderTest {
  on(event: string, listener: (what: never) => void): unknown;
}

/** Whichever it is that a test opens. */
export type SocketUnderTest = WebSocketUnderTest | IoSocketUnderTest;

const CLOSED = 3;

/**
 * Why the server ends a socket, or refuses its handshake: the `code`. Ask before what ends it:
 *
 * ```ts
 * const socket = new WebSocket(url, { headers: ana.bearer });
 * const end = endOf(socket);
 * await sessions.revoke(ana.session.id);
 * equal(await end, 'session_invalid');
 * ```
 *
 * @returns `null` where it ends without a code, as when the test closes it, or where the platform hides a refusal
 */
export async function endOf(socket: SocketUnderTest): Promise<string | null> {
  return 'readyState' in socket ? endOfWebSocket(socket) : endOfIoSocket(socket);
}

function endOfWebSocket(socket: WebSocketUnderTest): Promise<string | null> {
  if (socket.readyState === CLOSED) {
    throw new Error('The socket has ended before `endOf()` was called: call it before what ends the socket.');
  }
  return new Promise((resolve) => {
    // A listener, or an error of `ws` would end the process.
    socket.addEventListener('error', () => {});
    socket.addEventListener('close', ({ reason }) => resolve(reason || null));
    socket.once?.(
      'unexpected-response' as never,
      async (request: { destroy(): void }, answer: AsyncIterable<Buffer>) => {
        resolve(await codeIn(answer));
        request.destroy();
      },
    );
  });
}

async function codeIn(answer: AsyncIterable<Buffer>): Promise<string | null> {
  let text = '';
  for await (const part of answer) text += String(part);
  try {
    return (JSON.parse(text) as { readonly code?: string }).code ?? null;
  } catch {
    return null;
  }
}

function endOfIoSocket(socket: IoSocketUnderTest): Promise<string | null> {
  return new Promise((resolve) => {
    let latest: string | null = null;
    socket.on('exception', ({ code }: { readonly code?: string }) => (latest = code ?? null));
    socket.on('disconnect', (reason: string) => resolve(reason === 'io server disconnect' ? latest : null));
    socket.on('connect_error', ({ data }: { readonly data?: { readonly code?: string } }) =>
      resolve(data?.code ?? null),
    );
  });
}
