import { randomBytes } from 'node:crypto';
import type { QueryRunner } from 'typeorm';
import { StoreRejectedError } from '../../core/model/errors.js';
import type { Membership, NodeRegistry } from '../../core/model/node-registry.js';
import { Deadline } from '../../core/outage/deadline.js';
import { Patience } from '../../core/outage/patience.js';
import type { SessionNodeRow } from '../columns.js';
import type { Dialect, ServerDialect } from '../dialects/dialect.js';
import type { EntityTable } from '../entity-table.js';
import type { PrimaryConnection } from '../primary-connection.js';
import type { OwnConnection } from './own-connection.js';

/** The rows that are no nodes: which server there is, and what tells the applications on one bus apart. */
const SERVER = 'server';
const NAMESPACE = 'namespace';

interface MemberRow {
  readonly id: string | null;
  readonly lease: number | string | null;
  readonly server: string | null;
  readonly answering: string;
}

/** The table `session_nodes`. */
export class NodeTable implements NodeRegistry {
  private readonly patience = new Patience();
  private identity: string | null = null;

  constructor(
    private readonly table: EntityTable<SessionNodeRow>,
    private readonly dialect: Dialect,
    private readonly server: ServerDialect,
    private readonly pool: PrimaryConnection,
    private readonly own: OwnConnection,
  ) {}

  async namespace(): Promise<string> {
    const { name, nodeId, server } = this.names();
    const select = `SELECT ${server} AS namespace FROM ${name} WHERE ${nodeId} = '${NAMESPACE}'`;
    const read = async () => (await this.own.query(select)) as readonly { namespace: string }[];
    let [row] = await read();
    if (row === undefined) {
      await this.insertFixed(NAMESPACE, randomBytes(6).toString('hex'));
      [row] = await read();
    }
    if (row === undefined) throw new Error('The row that names the application vanishes.');
    return row.namespace;
  }

  async join(id: string, lease: number): Promise<void> {
    const { name, columns } = this.names();
    const [node, length] = this.placeholders(2);
    const values = `${node}, 0, ${await this.identityOfServer()}, ${length}`;
    await this.own.query(`INSERT INTO ${name} (${columns}) VALUES (${values})`, [id, lease]);
  }

  async renew(id: string): Promise<boolean> {
    const { name, nodeId, evicted, server } = this.names();
    const [node] = this.placeholders(1);
    const [row] = (await this.own.query(
      `SELECT ${server} AS server, ${await this.identityOfServer()} AS answering ` +
        `FROM ${name} WHERE ${nodeId} = ${node} AND ${evicted} = 0`,
      [id],
    )) as readonly { server: string; answering: string }[];
    return row !== undefined && row.server === row.answering;
  }

  async leave(ids: readonly string[]): Promise<void> {
    await this.own.query(this.deleting(ids), ids);
  }

  async members(): Promise<Membership> {
    const { name, nodeId, server, lease } = this.names();
    const identity = await this.identityOfServer();
    const rows = await this.onPool(
      (runner) =>
        runner.query(
          `SELECT answering, ${nodeId} AS id, ${lease} AS lease, ${server} AS server ` +
            `FROM (SELECT ${identity} AS answering) AS the_server LEFT JOIN ${name} ON 1 = 1`,
        ) as Promise<readonly MemberRow[]>,
    );
    const [{ answering = '' } = {}] = rows;
    const known = rows.find(({ id }) => id === SERVER)?.server ?? null;
    const members = rows.flatMap(({ id, lease: length }) =>
      id === null || id === SERVER || id === NAMESPACE ? [] : [{ id, lease: Number(length) }],
    );
    return { members, newServer: known === answering ? null : answering };
  }

  async evict(ids: readonly string[]): Promise<void> {
    const { name, nodeId, evicted } = this.names();
    const sql = `UPDATE ${name} SET ${evicted} = 1 WHERE ${nodeId} IN (${this.placeholders(ids.length).join(', ')})`;
    await this.onPool((runner) => runner.query(sql, [...ids]));
  }

  async remove(ids: readonly string[]): Promise<void> {
    await this.onPool((runner) => runner.query(this.deleting(ids), [...ids]));
  }

  async acceptServer(identity: string): Promise<void> {
    const { name, nodeId, server } = this.names();
    await this.insertFixed(SERVER, identity);
    const sql = `UPDATE ${name} SET ${server} = ${this.placeholders(1)[0]} WHERE ${nodeId} = '${SERVER}'`;
    await this.onPool((runner) => runner.query(sql, [identity]));
  }

  async close(): Promise<void> {
    this.own.close();
  }

  /** Where it is there already it stays as it is. */
  private async insertFixed(id: string, value: string): Promise<void> {
    const { name, columns } = this.names();
    const [text] = this.placeholders(1);
    const sql = `INSERT INTO ${name} (${columns}) VALUES ('${id}', 0, ${text}, 0)`;
    try {
      await this.onPool((runner) => runner.query(sql, [value]));
    } catch (error) {
      if (!(error instanceof StoreRejectedError)) throw error;
    }
  }

  private deleting(ids: readonly string[]): string {
    const { name, nodeId } = this.names();
    return `DELETE FROM ${name} WHERE ${nodeId} IN (${this.placeholders(ids.length).join(', ')})`;
  }

  private onPool<T>(work: (runner: QueryRunner) => Promise<T>): Promise<T> {
    return this.patience.within(this.pool.write(work, Deadline.none()));
  }

  /** Which server answers a statement of which it is a part. */
  private async identityOfServer(): Promise<string> {
    if (this.identity === null) {
      const [row] = (await this.own.query('SELECT VERSION() AS version')) as readonly { version: string }[];
      this.identity = this.server.identity(row?.version ?? '');
    }
    return this.identity;
  }

  private placeholders(count: number): string[] {
    return Array.from({ length: count }, (_, at) => this.dialect.placeholder(at + 1));
  }

  private names() {
    const { table } = this;
    const [nodeId, evicted] = [table.column('nodeId'), table.column('evicted')];
    const [server, lease] = [table.column('server'), table.column('lease')];
    return {
      name: table.name,
      nodeId,
      evicted,
      server,
      lease,
      columns: [nodeId, evicted, server, lease].join(', '),
    };
  }
}
