import type { DataSource } from 'typeorm';
import type { LoneConnection } from './dialect.js';

interface Connection {
  connect(done: (error: Error | null) => void): void;
  query(sql: string, values: readonly unknown[], done: (error: Error | null, rows: unknown) => void): unknown;
  on(event: 'error', listener: () => void): unknown;
  destroy(): void;
}

interface MysqlDriver {
  readonly mysql: { createConnection(options: object): Connection };
  readonly options: { readonly replication?: { readonly master: object } };
  createConnectionOptions(options: object, credentials: object): Record<string, unknown>;
}

/** What a pool takes, and a connection warns of. */
const OF_POOLS: ReadonlySet<string> = new Set([
  'connectionLimit',
  'acquireTimeout',
  'waitForConnections',
  'queueLimit',
]);

export async function connectMysqlAlone({ driver }: DataSource): Promise<LoneConnection> {
  const { mysql, options } = driver as unknown as MysqlDriver;
  const pooled = (driver as unknown as MysqlDriver).createConnectionOptions(
    options,
    options.replication?.master ?? options,
  );
  const own = Object.fromEntries(Object.entries(pooled).filter(([name]) => !OF_POOLS.has(name)));
  const connection = mysql.createConnection(own);
  // What has no listener ends the process; the next statement fails, and that is enough.
  connection.on('error', () => {});
  await new Promise<void>((resolve, reject) => {
    connection.connect((error) => (error ? reject(error) : resolve()));
  });
  return {
    query: (sql, parameters) =>
      new Promise((resolve, reject) => {
        connection.query(sql, parameters, (error, rows) =>
          error ? reject(error) : resolve(Array.isArray(rows) ? (rows as object[]) : []),
        );
      }),
    destroy: () => connection.destroy(),
  };
}
