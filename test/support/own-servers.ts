import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** A server that the test may stop and start as it likes. */
export interface OwnServer {
  readonly url: string;
  stop(): Promise<void>;
  start(): Promise<void>;
  remove(): Promise<void>;
}

const POSTGRES_ROOT = '/usr/lib/postgresql';

/** Where the programs of PostgreSQL are; `null` where it is not installed. */
export function postgresPrograms(): string | null {
  const versions = existsSync(POSTGRES_ROOT) ? readdirSync(POSTGRES_ROOT) : [];
  const folders = versions.map((version) => join(POSTGRES_ROOT, version, 'bin'));
  return folders.find((folder) => existsSync(join(folder, 'initdb'))) ?? null;
}

export function hasRedis(): boolean {
  return ['/usr/bin', '/usr/local/bin'].some((folder) => existsSync(join(folder, 'redis-server')));
}

export async function ownRedis(): Promise<OwnServer> {
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  return served(
    `redis://127.0.0.1:${port}`,
    () => canConnect(port),
    () => spawn('redis-server', args, { stdio: 'ignore' }),
    'SIGTERM',
  );
}

export async function ownPostgres(): Promise<OwnServer> {
  const programs = postgresPrograms();
  if (programs === null) throw new Error('PostgreSQL is not installed.');
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'nestjs-sessions-postgres-'));
  // It refuses to run as root.
  const asUser = process.getuid?.() === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : {};
  if (asUser.uid !== undefined) await chown(folder, asUser.uid, asUser.gid);
  await chmod(folder, 0o700);
  const settings = { ...asUser, cwd: folder, stdio: 'ignore' } as const;
  execFileSync(join(programs, 'initdb'), ['-D', folder, '-A', 'trust', '-U', 'postgres', '-N'], settings);
  const args = ['-D', folder, '-p', String(port), '-k', folder, '-h', '127.0.0.1'];
  const start = () => spawn(join(programs, 'postgres'), args, settings);
  // A fast shutdown: it waits for nobody.
  const isUp = () => answers(join(programs, 'pg_isready'), '-h', '127.0.0.1', '-p', String(port));
  const server = await served(`postgres://postgres@127.0.0.1:${port}/postgres`, isUp, start, 'SIGINT');
  return {
    ...server,
    async remove() {
      await server.remove();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function idOf(kind: '-u' | '-g'): number {
  return Number(execFileSync('id', [kind, 'postgres'], { encoding: 'utf8' }));
}

async function served(
  url: string,
  isUp: () => Promise<boolean>,
  spawnServer: () => ChildProcess,
  signal: NodeJS.Signals,
): Promise<OwnServer> {
  let child: ChildProcess | null = null;
  const start = async () => {
    child = spawnServer();
    await until(isUp);
  };
  const stop = async () => {
    if (child === null) return;
    const end = once(child, 'exit');
    child.kill(signal);
    child = null;
    await end;
    await until(async () => !(await isUp()));
  };
  await start();
  return { url, start, stop, remove: stop };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Whether the program says that all is well. */
function answers(program: string, ...args: string[]): Promise<boolean> {
  return new Promise((resolve) => execFile(program, args, (error) => resolve(error === null)));
}

async function canConnect(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('The server does not do it.');
    await wait(20);
  }
}
