import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const QUICKLY = ['--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts'];

/**
 * The newest Node of a major version that npm has, installed into a folder.
 * @returns the folder of the program `node`
 */
export async function installNode(major, folder) {
  const name = `node-${process.platform}-${process.arch}`;
  return dirname(
    await installProgram(`${name}@${major}`, join(name, 'bin/node'), join(folder, `node-${major}`)),
  );
}

/**
 * npm brings a program inside of a package for each kind of machine.
 * @param path of the program in `node_modules`
 * @returns the path of the program
 */
export async function installProgram(packed, path, folder) {
  const program = join(folder, 'node_modules', path);
  if (existsSync(program)) return program;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), '{ "private": true }');
  await execute('npm', ['install', ...QUICKLY, packed], { cwd: folder });
  return program;
}
