import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from '@jest/globals';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { SQLITE_DRIVER } from './sqlite-driver.js';

/** A fresh, empty database, and how to get rid of it. */
export interface TestDatabase {
  readonly options: DataSourceOptions;
  drop(): Promise<unknown>;
}

/** One kind of database that the store is tested on. */
export interface DatabaseLeg {
  readonly name: string;
  /** Whether several data sources, and processes, see the same. */
  readonly isShared: boolean;
  /** @param options of `CREATE DATABASE`, on a server */
  create(options?: string): Promise<TestDatabase>;
}

const POSTGRES_URL = process.env['TEST_POSTGRES_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres';
const MYSQL_URL = process.env['TEST_MYSQL_URL'] ?? 'mysql://root@127.0.0.1:3306/mysql';

const sqliteInMemory: DatabaseLeg = {
  name: 'SQLite in memory',
  isShared: false,
  create: async () => ({ options: { type: SQLITE_DRIVER, database: ':memory:' }, drop: async () => {} }),
};

const sqliteInFile: DatabaseLeg = {
  name: 'SQLite in a file',
  isShared: true,
  create: async () => {
    const folder = await mkdtemp(join(tmpdir(), 'nestjs-sessions-'));
    return {
      options: {
        type: SQLITE_DRIVER,
        database: join(folder, 'test.sqlite'),
        // As docs/migrations.md says, for several processes with one file.
        enableWAL: true,
        ...(SQLITE_DRIVER === 'sqlite' ? { busyTimeout: 10_000 } : { timeout: 10_000 }),
      },
      drop: () => rm(folder, { recursive: true }),
    };
  },
};

const postgres = serverLeg('PostgreSQL', 'postgres', POSTGRES_URL);
const mysql = serverLeg('MySQL or MariaDB', await mysqlFlavour(), MYSQL_URL);

type ServerType = 'postgres' | 'mysql' | 'mariadb';

/** TypeORM tells the two apart: under the wrong type it sees differences in the schema where there are none. */
async function mysqlFlavour(): Promise<'mysql' | 'mariadb'> {
  const answer = await administer('mysql', MYSQL_URL, 'SELECT VERSION() AS version').catch(() => null);
  return JSON.stringify(answer).includes('MariaDB') ? 'mariadb' : 'mysql';
}

export const LEGS: readonly DatabaseLeg[] = [sqliteInMemory, sqliteInFile, postgres, mysql];

/** Runs the suite on every database; on one that is not there it is skipped, loudly, and in CI it fails. */
export async function describeOnEachDatabase(suite: (leg: DatabaseLeg) => void): Promise<void> {
  for (const leg of LEGS) {
    const absence = await absenceOf(leg);
    if (absence === null) {
      describe(`on ${leg.name}`, () => suite(leg));
      continue;
    }
    const notice = `${leg.name} is not there, so nothing is tested on it: ${absence}`;
    if (process.env['CI']) throw new Error(notice);
    process.stderr.write(`\n*** SKIPPED: ${notice} ***\n\n`);
    describe.skip(`on ${leg.name}`, () => suite(leg));
  }
}

async function absenceOf(leg: DatabaseLeg): Promise<string | null> {
  try {
    await (await leg.create()).drop();
    return null;
  } catch (error) {
    return String(error);
  }
}

function serverLeg(name: string, type: ServerType, url: string): DatabaseLeg {
  return {
    name,
    isShared: true,
    create: async (options = '') => {
      const database = `nestjs_sessions_${randomBytes(6).toString('hex')}`;
      await administer(type, url, `CREATE DATABASE ${database} ${options}`);
      const own = new URL(url);
      own.pathname = `/${database}`;
      return {
        options: { type, url: own.href },
        drop: () =>
          administer(type, url, `DROP DATABASE ${database}${type === 'postgres' ? ' WITH (FORCE)' : ''}`),
      };
    },
  };
}

async function administer(type: ServerType, url: string, statement: string): Promise<unknown> {
  const server = await new DataSource({ type, url }).initialize();
  try {
    return await server.query(statement);
  } finally {
    await server.destroy();
  }
}
