import type { DataSource } from 'typeorm';
import type { ListeningConnection } from '../../core/model/cluster-database.js';
import type { LoneConnection } from './dialect.js';

interface Client {
  connect(): Promise<void>;
  query(text: string, values?: readonly unknown[]): Promise<{ readonly rows: object[] }>;
  on(event: 'error' | 'end', listener: () => void): unknown;
  on(event: 'notification', listener: (notification: { channel: string; payload?: string }) => void): unknown;
  end(): Promise<void>;
}

interface PostgresDriver {
  readonly postgres: { readonly Client: new (options: object) => Client };
  readonly master: { readonly options: object };
}

export async function connectPostgresAlone(dataSource: DataSource): Promise<LoneConnection> {
  const client = await connect(dataSource, null);
  return {
    query: async (sql, parameters) => (await client.query(sql, parameters)).rows,
    destroy: () => void client.end().catch(() => {}),
  };
}

/** @param directUrl of the database itself, where the data source goes through a pooler that cannot listen */
export async function listenOnPostgres(
  dataSource: DataSource,
  directUrl: string | null,
): Promise<ListeningConnection> {
  const client = await connect(dataSource, directUrl);
  // What is told need not outlive a crash of the server: nothing waits for the disk.
  await client.query('SET synchronous_commit = off');
  return {
    listen: async (channel) => void (await client.query(`LISTEN "${channel}"`)),
    async notify(channel, message) {
      await client.query('SELECT pg_notify($1, $2)', [channel, message]);
    },
    on(onMessage, onEnd) {
      client.on('notification', ({ channel, payload = '' }) => onMessage(channel, payload));
      client.on('end', onEnd);
    },
    end: () => client.end(),
  };
}

async function connect(dataSource: DataSource, url: string | null): Promise<Client> {
  const { postgres, master } = dataSource.driver as unknown as PostgresDriver;
  // Not a copy of the options: the password in them is not enumerable.
  const client = new postgres.Client(url === null ? master.options : { connectionString: url });
  // What has no listener ends the process. `end` follows.
  client.on('error', () => {});
  await client.connect();
  return client;
}
