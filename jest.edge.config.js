import { existsSync } from 'node:fs';
import base from './jest.config.js';

const { reporters, testTimeout, maxWorkers, workerIdleMemoryLimit, ...project } = base;
/** The last are those of routes that the page "What is guarded" names: on Nest 12 they run with all others. */
const TESTS = [
  '**/test/edge/*.test.ts',
  '**/test/edge/ways/*.test.ts',
  '**/test/http/{copied-methods,documents,ensure-session,module-once,open-classes,optional-session,placement}.test.ts',
];
/** With it Jest can load what is CommonJS and requires Nest 12, as @nestjs/throttler does. */
const [NODE_MAJOR, NODE_MINOR] = process.versions.node.split('.').map(Number);
const LOADS_THROTTLER = NODE_MAJOR > 24 || (NODE_MAJOR === 24 && NODE_MINOR >= 9);
/** Yoga is for Nest 11 alone. */
const NOT_ON_12 = [
  '/yoga\\.test\\.ts$',
  '/test/http/',
  ...(LOADS_THROTTLER ? [] : ['/throttler\\.test\\.ts$']),
];

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
  maxWorkers,
  workerIdleMemoryLimit,
  testMatch: TESTS,
  passWithNoTests: true,
  ...(projects.length > 0 ? { projects } : { testPathIgnorePatterns: ['/'] }),
};
