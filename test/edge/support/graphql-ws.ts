import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { on, once } from 'node:events';

/** What one operation brought: results, or the messages of errors. */
export interface Operation {
  readonly results: readonly unknown[];
  readonly errors: readonly string[];
}

/** One upgraded connection, for several operations. */
export interface GraphqlConnection {
  run(query: string): Promise<Operation>;
  close(): Promise<void>;
}

/** Connects as an app does that shows these headers at the handshake, and these `connectionParams` after it. */
export function connectGraphql(
  port: number,
  headers: Record<string, string>,
  connectionParams: Record<string, unknown> = {},
): GraphqlConnection {
  class Socket extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols, { headers });
    }
  }
  const url = `ws://127.0.0.1:${port}/graphql`;
  const client = createClient({
    url,
    webSocketImpl: Socket,
    connectionParams,
    retryAttempts: 0,
    lazy: false,
    onNonLazyError: () => {},
  });
  return {
    async run(query) {
      const results: unknown[] = [];
      try {
        for await (const { data, errors } of client.iterate({ query })) {
          if (errors) return { results, errors: errors.map(({ message }) => message) };
          results.push(data);
        }
        return { results, errors: [] };
      } catch (error) {
        return { results, errors: [String(error)] };
      }
    },
    close: async () => client.dispose(),
  };
}

/** What the first answer to one operation says, by the older protocol of subscriptions-transport-ws. */
export async function askByOldProtocol(
  port: number,
  query: string,
  headers: Record<string, string>,
): Promise<{ readonly type: string; readonly payload: unknown }> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/graphql`, 'graphql-ws', { headers });
  try {
    await once(socket, 'open');
    const answers = on(socket, 'message') as AsyncIterableIterator<[Buffer]>;
    socket.send(JSON.stringify({ type: 'connection_init', payload: {} }));
    socket.send(JSON.stringify({ id: '1', type: 'start', payload: { query } }));
    for await (const [message] of answers) {
      const { id, ...answer } = JSON.parse(String(message)) as {
        id?: string;
        type: string;
        payload: unknown;
      };
      if (id === '1') return answer;
    }
    throw new Error('The connection was closed.');
  } finally {
    socket.terminate();
  }
}
