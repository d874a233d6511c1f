// What a newcomer does, without a hand in between: a fresh application of the Nest CLI, `nest add nestjs-sessions`, its
// tests, its start, a sign-in. `npm run test:nest-add`, or `-- <name…>` for some of the applications.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { installNode } from '../support/runtimes.mjs';
import { createDatabase } from './steps/database.mjs';
import { addCompiled } from './steps/install.mjs';
import { pack, run, start, succeed } from './steps/processes.mjs';

const ROOT = resolve(import.meta.dirname, '../..');
const BIN = join(ROOT, 'node_modules/.bin');
const QUICKLY = ['--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts'];

/**
 * Every way in which the CLI makes applications, and every database. Jest in CommonJS can load Nest 12 on Node 24.9 and
 * newer only; the application itself also starts on older ones.
 */
const APPLICATIONS = {
  'esm-sqlite': { make: newest('esm'), database: 'sqlite', transport: 'cookie', level: 'high' },
  'esm-postgres': { make: newest('esm'), database: 'postgres', transport: 'bearer', level: 'medium' },
  'esm-mysql': { make: newest('esm'), database: 'mysql', transport: 'cookie', level: 'low' },
  'commonjs-sqlite': { make: newest('cjs'), database: 'sqlite', transport: 'bearer', level: 'low', node: 24 },
  'commonjs-postgres': {
    make: newest('cjs'),
    database: 'postgres',
    transport: 'cookie',
    level: 'high',
    node: 24,
  },
  'commonjs-mysql': {
    make: newest('cjs'),
    database: 'mysql',
    transport: 'bearer',
    level: 'medium',
    node: 24,
  },
  'nest-11-sqlite': { make: nest11, database: 'sqlite', transport: 'bearer', level: 'medium' },
  'nest-11-postgres': { make: nest11, database: 'postgres', transport: 'cookie', level: 'high' },
  'nest-11-mysql': { make: nest11, database: 'mysql', transport: 'bearer', level: 'low' },
};
const DRIVERS = { sqlite: 'better-sqlite3', postgres: 'pg', mysql: 'mysql2' };
/** Not needed by anything here, and large. */
const LEFT_OUT =
  /^(oxlint|eslint|prettier|globals|typescript-eslint|@eslint\/|@nestjs\/mau|@vitest\/coverage)/;

/** `nest new` asks for the kind of module, and a schematic of the same command line takes it as an option. */
function newest(type) {
  return (name, cwd) =>
    succeed(
      join(BIN, 'schematics'),
      [
        '@nestjs/schematics:application',
        `--name=${name}`,
        `--type=${type}`,
        '--language=ts',
        '--package-manager=npm',
      ],
      { cwd },
    );
}

function nest11(name, cwd) {
  const command = ['new', name, '--skip-install', '--skip-git', '--package-manager', 'npm'];
  return succeed(
    'npm',
    ['exec', '--yes', '--prefer-offline', '--package=@nestjs/cli@11', '--', 'nest', ...command],
    {
      cwd,
    },
  );
}

async function tryOut(name, workshop, tarball) {
  const { make, database, transport, level, node } = APPLICATIONS[name];
  const server = await createDatabase({ [DRIVERS[database]]: '' });
  if (server.absence !== undefined) throw new Error(server.absence);
  const folder = join(workshop, name);
  const env = { ...server.env, npm_config_ignore_scripts: 'true', npm_config_prefer_offline: 'true' };
  const add = ['nest', 'add', 'nestjs-sessions', '--skip-install'];
  const flags = ['--database', database, '--transport', transport, '--security-level', level];
  const command = (...args) => run('npx', args, { cwd: folder, env });
  const npm = (...args) => succeed('npm', args, { cwd: folder, env });

  await step('is made', () => make(name, workshop));
  await step('installs the package', async () => {
    await leaveOut(folder);
    await npm('install', ...QUICKLY, tarball);
  });
  await step('is left as it is where it is not understood', async () => {
    const main = join(folder, 'src/main.ts');
    await rename(main, `${main}.away`);
    const before = await sourcesOf(folder);
    // The CLI of Nest 11 ends with 0 all the same.
    const { output } = await command(...add, ...flags);
    assert.deepEqual(await sourcesOf(folder), before, output);
    assert.match(output, /There is no src\/main\.ts\. .*Nothing was changed\./s);
    await rename(`${main}.away`, main);
  });
  await step('adds sessions', async () => {
    const { exitCode, output } = await command(...add, ...flags);
    assert.deepEqual([exitCode, existsSync(join(folder, 'src/auth/auth.module.ts'))], [0, true], output);
    await addCompiled(folder, ROOT);
  });
  await step('adds nothing when it is told again', async () => {
    const before = await sourcesOf(folder);
    for (const again of [
      [...add, ...flags],
      ['nest', 'g', '-c', 'nestjs-sessions', 'auth'],
    ]) {
      const { output } = await command(...again);
      assert.match(output, /Nothing to be done\./);
    }
    assert.deepEqual(await sourcesOf(folder), before);
  });
  await step('passes its tests', async () => {
    const path = node
      ? [await installNode(node, workshop), process.env.PATH].join(delimiter)
      : process.env.PATH;
    const output = await succeed('npm', ['test'], { cwd: folder, env: { ...env, PATH: path } });
    assert.match(output, /auth\.spec\.ts/);
  });
  await step('starts, and lets nobody in', async () => {
    await npm('run', 'build');
    await whileRunning(folder, env, async (url) => {
      assert.deepEqual(await answerOf(fetch(url)), [401, 'session_required']);
      assert.deepEqual(await answerOf(signIn(url)), [401, 'sign_in_failed']);
    });
  });
  await step('signs in those whom its author looks up', async () => {
    await lookUsersUp(folder);
    await npm('run', 'build');
    const session = await whileRunning(folder, env, async (url) => {
      const answer = await signIn(url);
      assert.equal(answer.status, 201);
      const [cookie] = answer.headers.getSetCookie();
      assert.equal(cookie !== undefined, transport === 'cookie');
      return cookie
        ? { Cookie: cookie.split(';')[0] }
        : { Authorization: `Bearer ${(await answer.json()).token}` };
    });
    // Another process: the session is in the database.
    await whileRunning(folder, env, async (url) => {
      const devices = () => fetch(`${url}/auth/devices`, { headers: session });
      assert.equal((await (await devices()).json()).length, 1);
      const signedOut = await fetch(`${url}/auth/sign-out`, { method: 'POST', headers: session });
      assert.deepEqual([signedOut.status, (await devices()).status], [204, 401]);
    });
  });
  await server.drop();

  async function step(what, work) {
    const startedAt = Date.now();
    await work();
    console.log(`ok     ${name}: ${what} (${((Date.now() - startedAt) / 1000).toFixed(1)} s)`);
    passed += 1;
  }
}

async function leaveOut(folder) {
  const path = join(folder, 'package.json');
  const manifest = JSON.parse(await readFile(path, 'utf8'));
  const kept = Object.entries(manifest.devDependencies).filter(([name]) => !LEFT_OUT.test(name));
  await writeFile(path, JSON.stringify({ ...manifest, devDependencies: Object.fromEntries(kept) }, null, 2));
}

/** The texts of all sources, and of package.json. */
async function sourcesOf(folder) {
  const names = await readdir(join(folder, 'src'), { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const paths = [...files.toSorted(), join(folder, 'package.json')];
  return Promise.all(paths.map(async (path) => [path, await readFile(path, 'utf8')]));
}

/** What the author has to do: here there is one user. */
async function lookUsersUp(folder) {
  const path = join(folder, 'src/auth/users.service.ts');
  const service = await readFile(path, 'utf8');
  const users = `return _username === 'ana'
      ? hashPassword('correct horse battery').then((passwordHash) => ({ id: '1', roles: [], passwordHash }))
      : Promise.resolve(null);`;
  const implemented = service
    .replace('return Promise.resolve(null);', users)
    .replace('{ isPassword }', '{ hashPassword, isPassword }');
  assert.notEqual(implemented, service);
  await writeFile(path, implemented);
}

function signIn(url) {
  return fetch(`${url}/auth/sign-in`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ username: 'ana', password: 'correct horse battery' }),
  });
}

async function answerOf(request) {
  const answer = await request;
  return [answer.status, (await answer.json()).code];
}

async function whileRunning(folder, env, work) {
  const port = await freePort();
  const ready = /(Nest application) successfully started/;
  const application = await start(['dist/main.js'], { cwd: folder, env: { ...env, PORT: port }, ready });
  try {
    await listening(port);
    return await work(`http://127.0.0.1:${port}`);
  } finally {
    await application.stop();
  }
}

/** Nest says that it has started before it listens. */
async function listening(port) {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) return;
    if (Date.now() > deadline) throw new Error(`Nothing listens on port ${port}.`);
    await wait(50);
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(APPLICATIONS);
const unknown = names.filter((name) => !(name in APPLICATIONS));
if (unknown.length > 0)
  throw new Error(
    `No such application: ${unknown.join(', ')}. There are ${Object.keys(APPLICATIONS).join(', ')}.`,
  );

let passed = 0;
let failed = 0;
const workshop = await mkdtemp(join(tmpdir(), 'nest-add-'));
try {
  const tarball = await pack(ROOT, workshop);
  for (const name of names) {
    await tryOut(name, workshop, tarball).catch((error) => {
      failed += 1;
      console.log(`FAILED ${name}: ${error.message}`);
    });
    await rm(join(workshop, name), { recursive: true, force: true });
  }
} finally {
  await rm(workshop, { recursive: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
