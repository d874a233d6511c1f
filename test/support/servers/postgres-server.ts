import { appendFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { folderFor, freePort, runAs } from './programs.js';

const USER = 'postgres';
export const POSTGRES_PROGRAMS = ['initdb', 'pg_ctl', 'pg_basebackup'];

/** A PostgreSQL of the test's own, which may be stopped, restored and promoted. */
export class PostgresServer {
  private constructor(
    private readonly folder: string,
    readonly port: number,
  ) {}

  static async start(): Promise<PostgresServer> {
    const server = await PostgresServer.in(await folderFor(USER));
    await runAs(USER, 'initdb', '-D', server.data, '-A', 'trust', '-U', USER, '-E', 'UTF8', '--no-sync');
    await server.configure('fsync = off', "unix_socket_directories = ''", 'shared_buffers = 16MB');
    await server.run();
    return server;
  }

  private static async in(folder: string): Promise<PostgresServer> {
    return new PostgresServer(folder, await freePort());
  }

  /** A copy of this one, as it is now: a backup that was restored, or with `follow` a standby that streams from it. */
  async copy({ follow }: { readonly follow: boolean }): Promise<PostgresServer> {
    const copy = await PostgresServer.in(await folderFor(USER));
    const from = `host=127.0.0.1 port=${this.port} user=${USER}`;
    await runAs(USER, 'pg_basebackup', '-D', copy.data, '-d', from, '-c', 'fast', ...(follow ? ['-R'] : []));
    await copy.run();
    return copy;
  }

  get options(): DataSourceOptions {
    return { type: 'postgres', url: this.urlAt(this.port) } as DataSourceOptions;
  }

  urlAt(port: number): string {
    return `postgres://${USER}@127.0.0.1:${port}/postgres`;
  }

  async query(statement: string): Promise<unknown> {
    const dataSource = await new DataSource(this.options).initialize();
    return dataSource.query(statement).finally(() => dataSource.destroy());
  }

  async catchUpWith(primary: PostgresServer): Promise<void> {
    const [{ now }] = (await primary.query('SELECT pg_current_wal_lsn() AS now')) as [{ now: string }];
    const isThere = `SELECT pg_last_wal_replay_lsn() >= '${now}' AS there`;
    while (!((await this.query(isThere)) as [{ there: boolean }])[0].there) await wait(50);
  }

  promote(): Promise<string> {
    return runAs(USER, 'pg_ctl', 'promote', '-w', '-D', this.data);
  }

  /** As a machine that loses its power. */
  stop(): Promise<string> {
    return runAs(USER, 'pg_ctl', 'stop', '-m', 'immediate', '-D', this.data);
  }

  async drop(): Promise<void> {
    await this.stop().catch(() => {});
    await rm(this.folder, { recursive: true, force: true });
  }

  private get data(): string {
    return join(this.folder, 'data');
  }

  private configure(...lines: string[]): Promise<void> {
    return appendFile(join(this.data, 'postgresql.conf'), `${lines.join('\n')}\n`);
  }

  private async run(): Promise<void> {
    const log = join(this.folder, 'log');
    await runAs(USER, 'pg_ctl', 'start', '-w', '-s', '-D', this.data, '-l', log, '-o', `-p ${this.port}`);
  }
}
