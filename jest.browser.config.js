import base from './jest.config.js';

/** The sample's page in Chromium. Each suite has a browser and a sample of its own. @type {import('jest').Config} */
export default {
  ...base,
  testMatch: ['**/test/browser/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
};
