import base from './jest.config.js';

/** The sample's page in Chromium. One suite at a time: each has a browser and a sample. @type {import('jest').Config} */
export default {
  ...base,
  testMatch: ['**/test/browser/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  maxWorkers: 1,
};
