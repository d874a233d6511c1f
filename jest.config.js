import { availableParallelism } from 'node:os';

/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  // Suites share the processors with databases, with processes of their own, and on rented machines with strangers.
  testTimeout: 60_000,
  // Jest would take one process for all suites on a machine of two cores. What a suite has loaded stays in the memory of
  // its process, so that a worker makes room for another one when it holds much.
  maxWorkers: Math.max(2, availableParallelism() - 1),
  workerIdleMemoryLimit: '200MB',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  reporters: ['default', '<rootDir>/test/support/conformance-reporter.js'],
  testPathIgnorePatterns: [
    '/node_modules/',
    '<rootDir>/test/browser/',
    '<rootDir>/test/cluster/processes/',
    '<rootDir>/test/edge/',
  ],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {
    '^nestjs-sessions$': '<rootDir>/src/index.ts',
    '^nestjs-sessions/testing$': '<rootDir>/src/testing/index.ts',
    '^nestjs-sessions/client$': '<rootDir>/src/client/index.ts',
    '^nestjs-sessions/openapi$': '<rootDir>/src/openapi/index.ts',
    '^nestjs-sessions/opentelemetry$': '<rootDir>/src/opentelemetry/index.ts',
    '^nestjs-sessions/terminus$': '<rootDir>/src/terminus/index.ts',
    '^nestjs-sessions/cls$': '<rootDir>/src/cls/index.ts',
    '^nestjs-sessions/migrations$': '<rootDir>/src/store/migrations/index.ts',
    '^sqlite3$': '<rootDir>/test/support/sqlite3.cjs',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2023',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
        },
        module: { type: 'es6' },
      },
    ],
  },
};
