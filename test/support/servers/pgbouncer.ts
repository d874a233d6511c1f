import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { folderFor, freePort, giveTo, runAs, startAs } from './programs.js';

const USER = 'postgres';
export const PGBOUNCER_PROGRAMS = ['pgbouncer'];
const LONGEST_START = 30_000;

/** What stands before a PostgreSQL, and gives its few connections to many clients. */
export class PgBouncer {
  private constructor(
    private readonly folder: string,
    private readonly child: ChildProcess,
    readonly port: number,
  ) {}

  /** As `1.18.0`. */
  static async version(): Promise<string> {
    return /PgBouncer (\S+)/.exec(await runAs(USER, 'pgbouncer', '--version'))?.[1] ?? '';
  }

  static async before(
    { hostname, port: target }: URL,
    mode: 'session' | 'transaction',
    ...settings: readonly string[]
  ): Promise<PgBouncer> {
    const [folder, port] = [await folderFor(USER), await freePort()];
    const file = join(folder, 'pgbouncer.ini');
    const lines = [
      '[databases]',
      `* = host=${hostname} port=${target} user=${USER}`,
      '[pgbouncer]',
      'listen_addr = 127.0.0.1',
      `listen_port = ${port}`,
      'unix_socket_dir =',
      'auth_type = any',
      `logfile = ${join(folder, 'log')}`,
      `pool_mode = ${mode}`,
      ...settings,
    ];
    await writeFile(file, `${lines.join('\n')}\n`);
    await giveTo(USER, file);
    const bouncer = new PgBouncer(folder, startAs(USER, 'pgbouncer', file), port);
    await bouncer.answers();
    return bouncer;
  }

  async stop(): Promise<void> {
    const exit = once(this.child, 'exit');
    this.child.kill();
    await exit;
    await rm(this.folder, { recursive: true, force: true });
  }

  private async answers(): Promise<void> {
    const deadline = Date.now() + LONGEST_START;
    const isThere = async () => {
      const socket = connect(this.port, '127.0.0.1');
      return once(socket, 'connect')
        .then(
          () => true,
          () => false,
        )
        .finally(() => socket.destroy());
    };
    while (!(await isThere())) {
      if (Date.now() > deadline) throw new Error(`PgBouncer does not start; see ${this.folder}.`);
      await wait(50);
    }
  }
}
