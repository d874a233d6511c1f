// Proof that the tests can fail: each weakening of `weakenings.json` is made in a copy of the sources, and the test
// that is named with it has to fail there, by an assertion. `npm run test:weakenings`, or with a part of a name.
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
const COPIED = ['src', 'test', 'docs', 'README.md', 'package.json', 'jest.config.js'];
/** Shared by all copies. */
const INSTALLS = ['node_modules', 'test/providers/node_modules'];
const ASSERTION = /expect\(|expected .+, got |Property failed|The contract wants/;
const MISTAKE = /SyntaxError|ReferenceError|Cannot find module/;
/** In milliseconds. The baseline runs all tests that are named, each weakening one of them. */
const PATIENCE = { baseline: 1_800_000, weakening: 180_000 };

const all = JSON.parse(await readFile(join(ROOT, 'test/attacks/weakenings.json'), 'utf8'));
const wanted = process.argv[2];
const weakenings = all.filter(({ what }) => wanted === undefined || what.includes(wanted));
const queue = [...weakenings];
const failures = [];
let passed = 0;

const workers = await Promise.all(Array.from({ length: availableParallelism() }, makeCopy));
try {
  await checkBaseline(workers[0]);
  await Promise.all(workers.map(work));
} finally {
  await Promise.all(workers.map((folder) => rm(folder, { recursive: true, force: true })));
}
for (const failure of failures) console.log(failure);
console.log(`${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length > 0 ? 1 : 0;

async function makeCopy() {
  const folder = await mkdtemp(join(tmpdir(), 'nestjs-sessions-weakened-'));
  const filter = (path) => !path.includes('node_modules');
  for (const name of COPIED) await cp(join(ROOT, name), join(folder, name), { recursive: true, filter });
  for (const install of INSTALLS) await symlink(join(ROOT, install), join(folder, install));
  return folder;
}

/** What fails anyhow catches nothing. */
async function checkBaseline(folder) {
  const names = [...new Set(weakenings.map(({ testName }) => testName))];
  const files = [...new Set(weakenings.map(({ caughtBy }) => caughtBy))];
  const { failed, ran, mistakes, messages } = await run(folder, files, names.join('|'), PATIENCE.baseline);
  if (failed > 0 || mistakes > 0 || ran === 0) {
    throw new Error(`Without any weakening ${failed} tests fail:\n${messages.join('\n')}`);
  }
}

async function work(folder) {
  for (let weakening = queue.shift(); weakening; weakening = queue.shift()) {
    const fault = await faultOf(folder, weakening).catch(String);
    if (fault === null) passed++;
    else failures.push(`✕ ${weakening.what}: ${fault}`);
    console.log(`${fault === null ? '✓' : '✕'} ${weakening.what}`);
  }
}

/** Why a weakening is not proven to be caught; `null` when it is. */
async function faultOf(folder, { file, find, replace, caughtBy, testName }) {
  const path = join(folder, file);
  const source = await readFile(path, 'utf8');
  const found = source.split(find).length - 1;
  if (found !== 1) return `${file} has its place ${found} times`;
  await writeFile(path, source.split(find).join(replace));
  try {
    const { ran, mistakes, messages } = await run(folder, [caughtBy], testName, PATIENCE.weakening);
    if (messages.some((message) => ASSERTION.test(message) && !MISTAKE.test(message))) return null;
    if (mistakes > 0) return 'it does not even run';
    return ran === 0 ? `${caughtBy} has no such test` : `${caughtBy} does not catch it`;
  } finally {
    await writeFile(path, source);
  }
}

async function run(folder, files, testName, timeout) {
  const output = join(folder, 'result.json');
  const jest = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js'];
  const options = ['--json', `--outputFile=${output}`, '--silent', '--forceExit', '-t', testName];
  const settings = { cwd: folder, maxBuffer: 2 ** 26, timeout };
  try {
    // Jest ends with an error when a test has failed.
    await execute(process.execPath, [...jest, ...files, ...options], settings).catch((error) => {
      if (error.killed) throw new Error(`it took longer than ${timeout / 1_000} s`);
    });
    return summaryOf(JSON.parse(await readFile(output, 'utf8')));
  } finally {
    await rm(output, { force: true });
  }
}

function summaryOf({ numPassedTests, numFailedTests, numRuntimeErrorTestSuites, testResults }) {
  return {
    ran: numPassedTests + numFailedTests,
    failed: numFailedTests,
    mistakes: numRuntimeErrorTestSuites,
    messages: testResults.flatMap(({ assertionResults }) =>
      assertionResults.flatMap(({ failureMessages }) => failureMessages),
    ),
  };
}
