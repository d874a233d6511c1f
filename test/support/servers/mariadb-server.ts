import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { folderFor, freePort, giveTo, runAs, startAs } from './programs.js';

const USER = 'mysql';
const GALERA = '/usr/lib/galera/libgalera_smm.so';
export const MARIADB_PROGRAMS = ['mariadb-install-db', 'mariadbd'];
export const GALERA_PROGRAMS = [...MARIADB_PROGRAMS, GALERA];
const HISTORY = '11111111-2222-11ee-8333-444444444444';
/** In milliseconds: what a machine may take that does other things meanwhile. */
const LONGEST_START = 30_000;
const SMALL = [
  '--skip-log-bin',
  '--innodb-buffer-pool-size=32M',
  '--innodb-log-file-size=16M',
  '--innodb-flush-log-at-trx-commit=0',
  '--aria-pagecache-buffer-size=8M',
  '--key-buffer-size=1M',
  '--performance-schema=OFF',
];

/** A MariaDB of the test's own. */
export class MariadbServer {
  private process: ChildProcess | null = null;

  private constructor(
    private readonly folder: string,
    readonly port: number,
  ) {}

  static async start(...settings: string[]): Promise<MariadbServer> {
    const server = await MariadbServer.install();
    await server.run(settings);
    return server;
  }

  /**
   * Three nodes of one Galera cluster. They begin with the same content and the memory of having been a cluster, so that
   * none is copied to another: that takes minutes on a busy machine.
   */
  static async galera(): Promise<readonly MariadbServer[]> {
    const first = await MariadbServer.install();
    const nodes = [first, await first.copy(), await first.copy()];
    const ports = await Promise.all(nodes.map(() => freePort()));
    const members = nodes.map((_, nth) => `0000000${nth + 1}-1605-11e4-aa3d-ab44303c044a`);
    const starting = nodes.map(async (node, nth) => {
      await node.remember('grastate.dat', stateAt(HISTORY));
      await node.remember('gvwstate.dat', viewOf(members, nth));
      await node.run([
        '--wsrep-on=ON',
        `--wsrep-provider=${GALERA}`,
        `--wsrep-start-position=${HISTORY}:1`,
        '--wsrep-sst-method=skip',
        '--wsrep-cluster-name=nestjs-sessions',
        `--wsrep-cluster-address=gcomm://${ports.map((port) => `127.0.0.1:${port}`).join(',')}`,
        `--wsrep-node-address=127.0.0.1:${ports[nth]}`,
        `--wsrep-provider-options=base_port=${ports[nth]};gmcast.listen_addr=tcp://127.0.0.1:${ports[nth]};gcache.size=16M`,
        '--wsrep-slave-threads=2',
        '--binlog-format=ROW',
        '--innodb-autoinc-lock-mode=2',
      ]);
    });
    await Promise.all(starting);
    return nodes;
  }

  private static async install(): Promise<MariadbServer> {
    const server = new MariadbServer(await folderFor(USER), await freePort());
    const own = ['--no-defaults', `--datadir=${server.data}`, `--tmpdir=${server.folder}`];
    const passwordless = '--auth-root-authentication-method=normal';
    await runAs(USER, 'mariadb-install-db', ...own, passwordless, '--skip-test-db');
    return server;
  }

  /** Before it is started. */
  private async copy(): Promise<MariadbServer> {
    const copy = new MariadbServer(await folderFor(USER), await freePort());
    await runAs(USER, 'cp', '--recursive', this.data, copy.data);
    return copy;
  }

  get options(): DataSourceOptions {
    return this.optionsAt(this.port);
  }

  optionsAt(port: number): DataSourceOptions {
    return { type: 'mariadb', host: '127.0.0.1', port, username: 'root', database: 'mysql' };
  }

  async query(statement: string, ...values: unknown[]): Promise<unknown> {
    const dataSource = await new DataSource(this.options).initialize();
    return dataSource.query(statement, values).finally(() => dataSource.destroy());
  }

  /** The tables of another server's, and what is in them: this one is its replica, which has caught up. */
  async copyTables(from: MariadbServer, ...tables: string[]): Promise<void> {
    for (const table of tables) {
      const [made] = (await from.query(`SHOW CREATE TABLE ${table}`)) as { 'Create Table': string }[];
      await this.query(made?.['Create Table'] ?? '');
      for (const row of (await from.query(`SELECT * FROM ${table}`)) as object[]) {
        const places = Object.keys(row).map(() => '?');
        await this.query(`INSERT INTO ${table} VALUES (${places.join(', ')})`, ...Object.values(row));
      }
    }
  }

  async drop(): Promise<void> {
    const child = this.process;
    if (child !== null && child.exitCode === null && child.signalCode === null) {
      const exit = once(child, 'exit');
      await this.query('SHUTDOWN').catch(() => child.kill());
      await exit;
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  private async remember(file: string, content: string): Promise<void> {
    await writeFile(join(this.data, file), content, { mode: 0o644 });
    await giveTo(USER, join(this.data, file));
  }

  private get data(): string {
    return join(this.folder, 'data');
  }

  private async run(settings: readonly string[]): Promise<void> {
    const own = [
      '--no-defaults',
      `--datadir=${this.data}`,
      `--socket=${join(this.folder, 'socket')}`,
      `--pid-file=${join(this.folder, 'pid')}`,
      `--log-error=${join(this.folder, 'log')}`,
      `--port=${this.port}`,
      '--bind-address=127.0.0.1',
    ];
    this.process = startAs(USER, 'mariadbd', ...own, ...SMALL, ...settings);
    const deadline = Date.now() + LONGEST_START;
    // A node of a cluster answers once it is one.
    while (!(await this.query('SELECT 1 FROM mysql.user LIMIT 1').then(Boolean, () => false))) {
      if (this.process.exitCode !== null || Date.now() > deadline) {
        throw new Error(`MariaDB does not start; see ${this.folder}.`);
      }
      await wait(100);
    }
  }
}

/** What a node that was stopped knows of the state of its tables. */
function stateAt(history: string): string {
  return `# GALERA saved state\nversion: 2.1\nuuid:    ${history}\nseqno:   1\nsafe_to_bootstrap: 0\n`;
}

/** What a node knows of the cluster that it was in: once all of its members are back, they are a cluster again. */
function viewOf(members: readonly string[], nth: number): string {
  const list = members.map((member) => `member: ${member} 0\n`).join('');
  return `my_uuid: ${members[nth]}\n#vwbeg\nview_id: 3 ${members[0]} 3\nbootstrap: 0\n${list}#vwend\n`;
}
