import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/**
 * The newest Node of a major version that npm has, installed into a folder. npm brings the program inside of a package
 * for each kind of machine.
 * @returns the folder of the program `node`
 */
export async function installNode(major, folder) {
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const home = join(folder, `node-${major}`);
  const bin = join(home, 'node_modules', name, 'bin');
  if (existsSync(join(bin, 'node'))) return bin;
  await mkdir(home, { recursive: true });
  await writeFile(join(home, 'package.json'), '{ "private": true }');
  const quickly = ['--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts'];
  await execute('npm', ['install', ...quickly, `${name}@${major}`], { cwd: home });
  return bin;
}
