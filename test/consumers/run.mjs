// Installs the packed library into small applications as their authors would, compiles and starts them, and goes
// through the journey: `npm run test:consumers`, or `node test/consumers/run.mjs <name…>` for some of them.
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { compile } from './steps/compile.mjs';
import { createDatabase } from './steps/database.mjs';
import { installLibrary, installLocked } from './steps/install.mjs';
import { pack, start, succeed } from './steps/processes.mjs';

const HERE = import.meta.dirname;
const ROOT = resolve(HERE, '../..');
/** A compiler keeps a core busy; npm and the journey mostly wait. */
const AT_ONCE = 2;
const counts = { passed: 0, failed: 0, skipped: 0 };

/** Goes through the steps of one consumer up to the first that fails. */
async function visit(name, workshop, tarball) {
  const folder = join(workshop, name);
  await cp(join(HERE, name), folder, { recursive: true });
  const { dependencies, scripts } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const database = await createDatabase(dependencies);
  if (database.absence !== undefined) return skip(name, database.absence);
  const { env } = database;
  const steps = [
    ['installs from its lock file', () => installLocked(folder, ROOT)],
    ['adds the library', () => installLibrary(folder, tarball)],
    scripts.build && ['compiles with every declaration', () => compile(folder, HERE)],
    scripts.migrate && ['migrates', () => succeed('npm', ['run', 'migrate'], { cwd: folder, env })],
    scripts.start && ['goes through the journey', () => travel(folder, env)],
    scripts.test && ['runs its own tests', () => succeed('npm', ['test'], { cwd: folder })],
  ];
  for (const [what, work] of steps.filter(Boolean)) {
    if (!(await isPassed(`${name}: ${what}`, work))) break;
  }
  await database.drop();
}

async function travel(folder, env) {
  const application = await start(['dist/main.js'], {
    cwd: folder,
    env: { ...env, PORT: '0', NO_COLOR: '1' },
  });
  const flags = existsSync(join(folder, 'src/clock.controller.ts')) ? ['--clock'] : [];
  try {
    await succeed('node', [join(HERE, 'journey.mjs'), application.url, ...flags], { cwd: folder });
  } catch (error) {
    throw new Error(`${error.message}\nThe application said:\n${application.output()}`, { cause: error });
  } finally {
    await application.stop();
  }
  assert.doesNotMatch(application.output(), /^\(node:\d+\)/m);
  assert.match(application.output(), /WARN \[SessionAudit\]/);
}

async function isPassed(what, work) {
  const startedAt = Date.now();
  const fault = await work().then(
    () => null,
    (error) => error,
  );
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  counts[fault === null ? 'passed' : 'failed'] += 1;
  console.log(`${fault === null ? 'ok    ' : 'FAILED'} ${what} (${seconds} s)`);
  if (fault !== null) console.log(fault.message);
  return fault === null;
}

function skip(name, why) {
  if (process.env.CI) counts.failed += 1;
  else counts.skipped += 1;
  console.log(`${process.env.CI ? 'FAILED' : 'SKIPPED'} ${name}: ${why}`);
}

const names = readdirSync(HERE).filter((name) => existsSync(join(HERE, name, 'package.json')));
const wanted = process.argv.length > 2 ? process.argv.slice(2) : names;
const unknown = wanted.filter((name) => !names.includes(name));
if (unknown.length > 0)
  throw new Error(`No such consumer: ${unknown.join(', ')}. There are ${names.join(', ')}.`);

console.log(`Node ${process.version}`);
const workshop = await mkdtemp(join(tmpdir(), 'consumers-'));
const queue = [...wanted];
try {
  const tarball = await pack(ROOT, workshop);
  const worker = async () => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift())
      await visit(name, workshop, tarball);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
} finally {
  await rm(workshop, { recursive: true });
}
const { passed, failed, skipped } = counts;
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed > 0 ? 1 : 0;
