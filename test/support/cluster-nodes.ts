import { setTimeout as wait } from 'node:timers/promises';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { sessionEntities } from '../../src/store/session.entity.js';
import type { TestDatabase } from './databases.js';
import { NodeProcess } from './processes.js';

export interface Issued {
  readonly token: string;
  readonly session: { readonly id: string };
}

/** How often a token is shown to each node once a verb has returned. */
export const SHOWN = 10;

/** Connections of each node: servers have 100 for all of them. */
const POOL = 4;

/** Processes with the option `cluster` on one database. */
export class ClusterNodes {
  private nodes: NodeProcess[] = [];

  private constructor(
    readonly dataSource: DataSource,
    private readonly database: TestDatabase,
  ) {}

  static async on(database: TestDatabase): Promise<ClusterNodes> {
    const entities = [...sessionEntities];
    const settings = { ...database.options, entities, synchronize: true };
    return new ClusterNodes(await new DataSource(settings).initialize(), database);
  }

  get options(): DataSourceOptions {
    return this.database.options;
  }

  async start(given: object, count = 2): Promise<NodeProcess[]> {
    const settings = { database: { ...this.options, poolSize: POOL }, ...given };
    const started = await Promise.all(
      Array.from({ length: count }, () => NodeProcess.run('cluster-process.mjs', settings)),
    );
    this.nodes.push(...started);
    return started;
  }

  async kill(): Promise<void> {
    for (const node of this.nodes) node.signal('SIGCONT');
    await Promise.all(this.nodes.map((node) => node.kill()));
    this.nodes = [];
  }

  async close(): Promise<void> {
    await this.kill();
    await this.dataSource.destroy();
    await this.database.drop();
  }

  async members(): Promise<number> {
    const rows: unknown[] = await this.dataSource.query('SELECT node_id FROM session_nodes WHERE lease > 0');
    return rows.length;
  }

  /** Until each of them may answer from memory, and nobody else is in the registry. */
  settled(of: readonly NodeProcess[]): Promise<void> {
    return until(async () => {
      const may = await Promise.all(of.map((node) => node.ask<boolean>('mayAnswer')));
      return may.every(Boolean) && (await this.members()) === of.length;
    });
  }
}

/** A session that all of these nodes remember. */
export async function remembered(by: readonly NodeProcess[], userId: string): Promise<Issued> {
  const [first] = by;
  const issued = await (first as NodeProcess).ask<Issued>('create', { userId, roles: ['older'] });
  await untilRemembered(by, issued.token);
  return issued;
}

export function untilRemembered(by: readonly NodeProcess[], token: string): Promise<void> {
  return until(async () => {
    await Promise.all(by.map((node) => node.ask('show', [token])));
    const counts = await Promise.all(by.map((node) => node.ask<number>('remembered', [token])));
    return counts.every((count) => count === 1);
  });
}

/** How often nodes say of the token what they said before. */
export async function stale(of: readonly NodeProcess[], token: string, before: string): Promise<number> {
  const answers = await Promise.all(of.map((node) => node.ask<string[]>('show', [token], SHOWN)));
  return answers.flat().filter((answer) => answer === before).length;
}

/** What a node says of a token. */
export async function said(by: NodeProcess, token: string): Promise<string> {
  const [answer = ''] = await by.ask<string[]>('show', [token]);
  return answer;
}

/** @throws where it takes too long */
export async function until(condition: () => Promise<boolean>, patience = 60_000): Promise<void> {
  const deadline = Date.now() + patience;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('It has not come about.');
    await wait(20);
  }
}
