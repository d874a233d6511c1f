import base from './jest.config.js';

// TypeORM 1.x has no `sqlite3` driver. Its own install is in `test/typeorm-1`: `npm ci --prefix test/typeorm-1`.
process.env.TEST_SQLITE_DRIVER = 'better-sqlite3';
// What survives a crash is up to the database, which is the same: fewer rounds do.
process.env.TEST_KILLS ??= '10';

/** The store and HTTP suites on TypeORM 1.x. @type {import('jest').Config} */
export default {
  ...base,
  testMatch: ['**/test/store/**/*.test.ts', '**/test/http/**/*.test.ts'],
  moduleNameMapper: {
    ...base.moduleNameMapper,
    '^typeorm$': '<rootDir>/test/typeorm-1/node_modules/typeorm',
  },
};
