/** TypeORM 1.x knows only `better-sqlite3`. */
export const SQLITE_DRIVER = (process.env['TEST_SQLITE_DRIVER'] ?? 'sqlite') as 'sqlite' | 'better-sqlite3';
