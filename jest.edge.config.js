import { existsSync } from 'node:fs';
import base from './jest.config.js';

const { reporters, testTimeout, ...project } = base;
/** The last are those of routes that the page "What is guarded" names: on Nest 12 they run with all others. */
const TESTS = [
  '**/test/edge/*.test.ts',
  '**/test/edge/ways/*.test.ts',
  '**/test/http/{copied-methods,documents,ensure-session,open-classes,optional-session,placement}.test.ts',
];
/** Of @nestjs/throttler Node can load Nest 12, as that is CommonJS, and Jest cannot; Yoga is for Nest 11 alone. */
const NOT_ON_12 = ['/(throttler|yoga)\\.test\\.ts$', '/test/http/'];

/** Nest 11 is CommonJS and Nest 12 is ESM; each has an install of its own, so that the root stays lean. */
const projects = [11, 12].filter(isInstalled).map((major) => ({
  ...project,
  displayName: `Nest ${major}`,
  resolver: `<rootDir>/test/edge/nest-${major}/resolver.cjs`,
  testMatch: TESTS,
  testPathIgnorePatterns: ['/node_modules/', ...(major === 12 ? NOT_ON_12 : [])],
}));

/** What is not there is skipped, loudly; in CI it is a failure. */
function isInstalled(major) {
  if (existsSync(new URL(`test/edge/nest-${major}/node_modules/.package-lock.json`, import.meta.url)))
    return true;
  const notice = `Nest ${major} is not there, so nothing is tested on it: npm ci --prefix test/edge/nest-${major}`;
  if (process.env['CI']) throw new Error(notice);
  process.stderr.write(`\n*** SKIPPED: ${notice} ***\n\n`);
  return false;
}

/** Every way but routes by which Nest calls an application, on Nest 11 and 12. @type {import('jest').Config} */
export default {
  reporters,
  testTimeout,
  testMatch: TESTS,
  passWithNoTests: true,
  ...(projects.length > 0 ? { projects } : { testPathIgnorePatterns: ['/'] }),
};
