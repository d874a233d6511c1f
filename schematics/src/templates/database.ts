import type { Database } from '../dependencies.js';

const CONNECTION: Readonly<Record<Database, string>> = {
  sqlite: `type: 'better-sqlite3',
  database: process.env.DATABASE ?? 'app.sqlite',`,
  postgres: `type: 'postgres',
  url: process.env.DATABASE_URL, // postgres://user:password@localhost:5432/app
  connectTimeoutMS: 5_000,`,
  mysql: `type: 'mysql',
  url: process.env.DATABASE_URL, // mysql://user:password@localhost:3306/app
  connectTimeout: 5_000,`,
};

export function databaseFile(database: Database, migration: string): string {
  return `import type { TypeOrmModuleOptions } from '@nestjs/typeorm';
import { CreateSessions1767225600000 } from '${migration}';

/** A function, so that the environment is read when the application starts, and not when this file is loaded. */
export const database = (): TypeOrmModuleOptions => ({
  ${CONNECTION[database]}
  autoLoadEntities: true,
  migrations: [CreateSessions1767225600000],
  // At the start of every process. Where several start at once, run them before, by TypeORM's command line.
  migrationsRun: true,
});
`;
}
