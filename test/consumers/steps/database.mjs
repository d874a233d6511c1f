import { randomBytes } from 'node:crypto';

const POSTGRES_URL = process.env.TEST_POSTGRES_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres';
const MYSQL_URL = process.env.TEST_MYSQL_URL ?? 'mysql://root@127.0.0.1:3306/mysql';

/** By the driver that a consumer depends on. */
const SERVERS = {
  pg: { name: 'PostgreSQL', url: POSTGRES_URL, execute: onPostgres },
  mysql2: { name: 'MySQL or MariaDB', url: MYSQL_URL, execute: onMysql },
};

/** A fresh database on the server that the consumer needs; SQLite needs none. `absence` says why there is none. */
export async function createDatabase(dependencies) {
  const driver = Object.keys(SERVERS).find((name) => name in dependencies);
  if (driver === undefined) return { env: {}, drop: async () => {} };
  const { name, url, execute } = SERVERS[driver];
  const database = `consumer_${randomBytes(6).toString('hex')}`;
  try {
    await execute(url, `CREATE DATABASE ${database}`);
  } catch (error) {
    return { absence: `no ${name} at ${new URL(url).host}: ${error.message || error.code}` };
  }
  const own = new URL(url);
  own.pathname = database;
  return { env: { DATABASE_URL: own.href }, drop: () => execute(url, `DROP DATABASE ${database}`) };
}

async function onPostgres(url, statement) {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  await client.connect();
  await client.query(statement).finally(() => client.end());
}

async function onMysql(url, statement) {
  const { default: mysql } = await import('mysql2/promise');
  const connection = await mysql.createConnection({ uri: url, connectTimeout: 5_000 });
  await connection.query(statement).finally(() => connection.end());
}
