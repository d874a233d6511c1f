import type { DataSource } from 'typeorm';
import type { ListeningConnection } from '../../core/model/cluster-database.js';
import type { LoneConnection } from './dialect.js';

/** A SELECT has at most 1,664 columns. */
const MOST_AT_ONCE = 1_000;

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
  const inTurn = turns();
  return {
    query: (sql, parameters) => inTurn(async () => (await client.query(sql, parameters)).rows),
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
  const inTurn = turns();
  const waiting: string[] = [];
  let next: Promise<void> | null = null;
  /** All that has come while the connection was busy: one statement, and one commit. */
  const notifyAll = async () => {
    const values = waiting.splice(0, 2 * MOST_AT_ONCE);
    next = waiting.length > 0 ? inTurn(notifyAll) : null;
    const calls = values.flatMap((_, at) => (at % 2 === 0 ? [`pg_notify($${at + 1}, $${at + 2})`] : []));
    await client.query(`SELECT ${calls.join(', ')}`, values);
  };
  return {
    listen: (channel) => inTurn(async () => void (await client.query(`LISTEN "${channel}"`))),
    notify(channel, message) {
      waiting.push(channel, message);
      return (next ??= inTurn(notifyAll));
    },
    on(onMessage, onEnd) {
      client.on('notification', ({ channel, payload = '' }) => onMessage(channel, payload));
      client.on('end', onEnd);
    },
    end: () => client.end(),
  };
}

/** The driver takes one statement after the other. */
function turns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(work, work);
    last = turn.catch(() => {});
    return turn;
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
