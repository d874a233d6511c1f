import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { on, once } from 'node:events';

/** What one operation brought: results, or the messages of errors and their `extensions.code`. */
export interface Operation {
  readonly results: readonly unknown[];
  readonly errors: readonly string[];
  readonly codes: readonly unknown[];
}

/** One upgraded connection, for several operations. */
export interface GraphqlConnection {
  run(query: string): Promise<Operation>;
  /** The results of a subscription, as they come. */
  subscribe(query: string): AsyncIterableIterator<unknown>;
  /** The code and the reason of its end. */
  readonly ended: Promise<readonly [number, string]>;
  close(): Promise<void>;
}

/** What an app shows. */
export interface GraphqlVisit {
  readonly headers?: Readonly<Record<string, string>>;
  /** Before that of GraphQL. */
  readonly protocols?: readonly string[];
  readonly connectionParams?: Record<string, unknown>;
}

/** Connects as an app does that shows these headers and protocols at the handshake, and these `connectionParams` after it. */
export function connectGraphql(
  port: number,
  { headers = {}, protocols = [], connectionParams = {} }: GraphqlVisit,
): GraphqlConnection {
  class Socket extends WebSocket {
    constructor(url: string, own: string[]) {
      super(url, [...protocols, ...[own].flat()], { headers });
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
  const ended = new Promise<readonly [number, string]>((resolve) => {
    client.on('closed', (event) => {
      const { code, reason } = event as { code: number; reason: string };
      resolve([code, reason]);
    });
  });
  const run = async (query: string): Promise<Operation> => {
    const results: unknown[] = [];
    try {
      for await (const { data, errors } of client.iterate({ query })) {
        if (errors) return { results, ...told(errors) };
        results.push(data);
      }
      return { results, errors: [], codes: [] };
    } catch (error) {
      return { results, ...told([error].flat()) };
    }
  };
  return {
    run,
    ended,
    subscribe: (query) => client.iterate({ query }),
    close: async () => client.dispose(),
  };
}

function told(errors: readonly unknown[]): Pick<Operation, 'errors' | 'codes'> {
  const read = errors as readonly { message?: string; extensions?: { code?: unknown } }[];
  return {
    errors: read.map(({ message }) => String(message)),
    codes: read.map(({ extensions }) => extensions?.code),
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
