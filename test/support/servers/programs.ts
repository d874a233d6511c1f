import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, readdirSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { describe } from '@jest/globals';

const run = promisify(execFile);
const IS_ROOT = process.getuid?.() === 0;
/** Where Debian keeps a folder for each version, which is in nobody's path. */
const POSTGRES = '/usr/lib/postgresql';
const FOLDERS = [
  ...(process.env['PATH'] ?? '').split(delimiter),
  '/usr/sbin',
  ...(isThere(POSTGRES) ? readdirSync(POSTGRES).map((version) => join(POSTGRES, version, 'bin')) : []),
];

/** Runs the suite where these programs are there; elsewhere it is skipped, loudly, and in CI it fails. */
export function describeWith(programs: readonly string[], name: string, suite: () => void): void {
  const missing = programs.filter((program) => pathOf(program) === null);
  if (missing.length === 0) return void describe(name, suite);
  const notice = `${missing.join(', ')} is not there, so nothing is tested ${name}`;
  if (process.env['CI']) throw new Error(notice);
  process.stderr.write(`\n*** SKIPPED: ${notice} ***\n\n`);
  describe.skip(name, suite);
}

/** Where a program is, or a file with this path. */
function pathOf(program: string): string | null {
  const candidates = program.startsWith('/') ? [program] : FOLDERS.map((folder) => join(folder, program));
  return candidates.find(isThere) ?? null;
}

function isThere(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/** The command as somebody who may run servers: most of them refuse to run as root. */
function commandFor(user: string, program: string, args: readonly string[]): [string, string[]] {
  const path = pathOf(program) ?? program;
  return IS_ROOT ? ['runuser', ['-u', user, '--', path, ...args]] : [path, [...args]];
}

export async function runAs(user: string, program: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await run(...commandFor(user, program, args), { cwd: '/' });
  return stdout;
}

export function startAs(user: string, program: string, ...args: readonly string[]): ChildProcess {
  return spawn(...commandFor(user, program, args), { cwd: '/', stdio: 'ignore' });
}

/** An empty folder that belongs to the user. */
export async function folderFor(user: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'nestjs-sessions-server-'));
  await giveTo(user, folder);
  return folder;
}

export async function giveTo(user: string, path: string): Promise<void> {
  if (IS_ROOT) await run('chown', [user, path]);
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
