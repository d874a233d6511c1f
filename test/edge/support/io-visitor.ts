import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';

const opened: Socket[] = [];

export function disconnectAll(): void {
  for (const socket of opened.splice(0)) socket.disconnect();
}

export function connect(
  port: number,
  options: Partial<ManagerOptions & SocketOptions> = {},
  namespace = '',
): Socket {
  const socket = io(`http://127.0.0.1:${port}${namespace}`, {
    reconnection: false,
    forceNew: true,
    ...options,
  });
  opened.push(socket);
  return socket;
}

export function heard(socket: Socket, event: string): Promise<unknown> {
  return new Promise((resolve) => socket.once(event, (what: unknown) => resolve(what)));
}

interface ConnectError extends Error {
  readonly data?: { readonly code: string };
  readonly context?: { readonly responseText?: string };
}

/** Whether it connects; or the code of what refuses it. */
export async function outcomeOf(socket: Socket): Promise<string> {
  const connected = heard(socket, 'connect').then(() => 'connected');
  const refused = heard(socket, 'connect_error').then((error) => {
    const { data, context, message } = error as ConnectError;
    if (data) return data.code;
    const text = context?.responseText;
    return text ? (JSON.parse(text) as { code: string }).code : message;
  });
  return Promise.race([connected, refused]);
}
