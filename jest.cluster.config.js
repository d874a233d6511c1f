import base from './jest.config.js';

/** Nodes that are processes of their own, with buses that fail: minutes. @type {import('jest').Config} */
export default {
  ...base,
  testMatch: ['**/test/cluster/processes/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  maxWorkers: 1,
};
