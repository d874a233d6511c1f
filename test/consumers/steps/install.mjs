import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { succeed } from './processes.mjs';

/** Addons that this repository has compiled already, and where. */
const COMPILED = {
  sqlite3: 'node_modules/sqlite3',
  'better-sqlite3': 'test/typeorm-1/node_modules/better-sqlite3',
};
const QUICKLY = ['--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts'];

/** What the lock file says, with addons that were compiled for this machine. */
export async function installLocked(folder, root) {
  await succeed('npm', ['ci', ...QUICKLY], { cwd: folder });
  await addCompiled(folder, root);
}

/** Addons of an application that was installed without running scripts. */
export async function addCompiled(folder, root) {
  for (const [addon, path] of Object.entries(COMPILED)) {
    const installed = join(folder, 'node_modules', addon);
    if (!existsSync(installed)) continue;
    const compiled = join(root, path);
    const isCompiled = existsSync(join(compiled, 'build/Release'));
    if (isCompiled && (await versionOf(compiled)) === (await versionOf(installed))) {
      await cp(join(compiled, 'build/Release'), join(installed, 'build/Release'), { recursive: true });
    } else {
      await succeed('npm', ['rebuild', '--ignore-scripts=false', addon], { cwd: folder });
    }
  }
}

/**
 * The packed library, as a user adds it to an application. It is not in the lock file, where its checksum would change
 * with every edit. It must bring its own dependencies along and leave all else alone.
 */
export async function installLibrary(folder, tarball) {
  const before = await packagesIn(folder);
  await succeed('npm', ['install', '--no-save', ...QUICKLY, tarball], { cwd: folder });
  const after = await packagesIn(folder);
  const { name, dependencies } = await readJson(join(folder, 'node_modules/nestjs-sessions/package.json'));
  const itsOwn = new Set([name, ...Object.keys(dependencies)]);
  const added = after.filter((entry) => !before.includes(entry) && !itsOwn.has(nameOf(entry)));
  const lost = before.filter((entry) => !after.includes(entry));
  assert.deepEqual({ added, lost }, { added: [], lost: [] });
}

/** As `name@version`. npm may move a package deeper to make room at the top. */
async function packagesIn(folder) {
  const { packages } = await readJson(join(folder, 'node_modules/.package-lock.json'));
  return Object.entries(packages).map(
    ([path, { version }]) => `${path.split('node_modules/').at(-1)}@${version}`,
  );
}

function nameOf(entry) {
  return entry.slice(0, entry.lastIndexOf('@'));
}

async function versionOf(folder) {
  return (await readJson(join(folder, 'package.json'))).version;
}

async function readJson(file) {
  return JSON.parse(await readFile(file, 'utf8'));
}
