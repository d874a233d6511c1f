// The library on newer versions of Node than the one that develops it: `npm run test:runtimes`, or `-- --smoke` for the
// least, `-- 26` for one version. Warnings of deprecation are failures where this library causes them. After a build.
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createDatabase } from '../consumers/steps/database.mjs';
import { run, succeed } from '../consumers/steps/processes.mjs';
import { installNode, installProgram } from '../support/runtimes.mjs';

const ROOT = resolve(import.meta.dirname, '../..');
const NODES = ['22', '24', '26'];
/** Where each version of Nest is installed. */
const NESTS = { 11: join(ROOT, 'test/edge/nest-11/node_modules'), 12: join(ROOT, 'node_modules') };
/** Tried and not promised: they start the package, and no suite runs on them. */
const OTHERS = {
  Bun: { packed: '@oven/bun-linux-x64', path: '@oven/bun-linux-x64/bin/bun', args: [] },
  Deno: {
    packed: '@deno/linux-x64-glibc',
    path: '@deno/linux-x64-glibc/deno',
    args: ['run', '--allow-all', '--node-modules-dir=manual'],
  },
};
const OF_NEST = ['@nestjs', 'typeorm', 'reflect-metadata', 'rxjs'];
const OF_ROOT = ['cookie', 'lru-cache', 'ms', 'on-headers', 'uuid', 'pg', 'mysql2'];
const JEST = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', '--trace-deprecation'];
const SUITES = [
  'test/unit',
  'test/http',
  'test/client/token',
  'test/client/server',
  'test/testing',
  'test/store/verbs',
];
const SMOKE = [
  'test/unit/token',
  'test/unit/seal',
  'test/http/start-session',
  'test/testing/typeorm-contract',
];

const { values, positionals } = parseArgs({
  options: { smoke: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const wanted = positionals.length > 0 ? positionals : NODES;
let passed = 0;
let failed = 0;

async function check(what, work) {
  const startedAt = Date.now();
  const fault = await work().then(
    () => null,
    (error) => error,
  );
  if (fault === null) passed += 1;
  else failed += 1;
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  console.log(
    `${fault === null ? 'ok    ' : 'FAILED'} ${what} (${seconds} s)${fault ? `\n${fault.message}` : ''}`,
  );
}

/** An application in a folder of its own, with the packed files of the library and one version of Nest. */
async function assemble(folder, nest) {
  const modules = join(folder, 'node_modules');
  const library = join(modules, 'nestjs-sessions');
  await mkdir(library, { recursive: true });
  for (const name of OF_NEST) await symlink(join(NESTS[nest], name), join(modules, name));
  for (const name of OF_ROOT) await symlink(join(ROOT, 'node_modules', name), join(modules, name));
  await cp(join(ROOT, 'package.json'), join(library, 'package.json'));
  await cp(join(ROOT, 'dist'), join(library, 'dist'), { recursive: true });
  await cp(join(import.meta.dirname, 'boot.mjs'), join(folder, 'boot.mjs'));
}

async function boot(folder, driver, program, args) {
  const database = await createDatabase({ [driver]: '' });
  if (database.absence !== undefined) throw new Error(database.absence);
  try {
    await succeed(program, [...args, 'boot.mjs'], { cwd: folder, env: database.env });
  } finally {
    await database.drop();
  }
}

/** On every version of Nest, and every database that has its driver in JavaScript. */
async function bootEach(name, program, args) {
  for (const nest of Object.keys(NESTS)) {
    for (const driver of ['pg', 'mysql2'])
      await check(`${name}: Nest ${nest} with ${driver}`, () =>
        boot(join(workshop, nest), driver, program, args),
      );
  }
}

/** Warnings of what the suites themselves use are not ours: their traces have no line of `src`. */
async function runSuites(suites, node) {
  const jest = join(ROOT, 'node_modules/jest/bin/jest.js');
  const { exitCode, output } = await run(node, [...JEST, jest, ...suites], {
    cwd: ROOT,
    env: { CI: 'true' },
  });
  const traces = output.match(/^\(node:\d+\) (?:\[\w+\] )?DeprecationWarning.*(?:\n {4}at .*)*/gm) ?? [];
  const ours = traces.filter((trace) => trace.includes(join(ROOT, 'src')));
  if (exitCode !== 0 || ours.length > 0) throw new Error([...ours, output].join('\n'));
}

const absent = Object.entries(NESTS).filter(([, folder]) => !existsSync(folder));
if (absent.length > 0)
  throw new Error(`Nest ${absent[0][0]} is not there: npm ci --prefix test/edge/nest-11`);
const workshop = await mkdtemp(join(tmpdir(), 'runtimes-'));
try {
  for (const nest of Object.keys(NESTS)) await assemble(join(workshop, nest), nest);
  for (const major of wanted) {
    const bin = await installNode(major, workshop);
    await bootEach(`Node ${major}`, join(bin, 'node'), ['--throw-deprecation']);
    // The suites of the least are for the newest one: it warns of the most.
    if (values.smoke && major !== wanted.at(-1)) continue;
    await check(`Node ${major}: suites`, () => runSuites(values.smoke ? SMOKE : SUITES, join(bin, 'node')));
  }
  if (!values.smoke && positionals.length === 0 && process.platform === 'linux' && process.arch === 'x64') {
    for (const [name, { packed, path, args }] of Object.entries(OTHERS))
      await bootEach(name, await installProgram(packed, path, join(workshop, name)), args);
  }
} finally {
  await rm(workshop, { recursive: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
