import type { MessageTable, TableMessage } from '../../core/model/cluster-database.js';
import type { Dialect } from '../dialects/dialect.js';
import type { EntityTable } from '../entity-table.js';
import type { OwnConnection } from './own-connection.js';

/** The table `session_messages`, by a connection of its own. */
export class SessionMessages implements MessageTable {
  constructor(
    private readonly table: EntityTable<TableMessage>,
    private readonly dialect: Dialect,
    private readonly own: OwnConnection,
  ) {}

  async write(messages: readonly TableMessage[]): Promise<void> {
    const { table } = this;
    const columns = [table.column('id'), table.column('channel'), table.column('message')].join(', ');
    const rows = messages.map((_, at) => `(${this.placeholders(3, 3 * at)})`).join(', ');
    const values = messages.flatMap(({ id, channel, message }) => [id, channel, message]);
    await this.own.query(`INSERT INTO ${table.name} (${columns}) VALUES ${rows}`, values);
  }

  async read(channels: readonly string[]): Promise<readonly TableMessage[]> {
    const { table } = this;
    const [id, channel, message] = [table.column('id'), table.column('channel'), table.column('message')];
    const sql =
      `SELECT ${id} AS id, ${channel} AS channel, ${message} AS message FROM ${table.name} ` +
      `WHERE ${channel} IN (${this.placeholders(channels.length)})`;
    return (await this.own.query(sql, channels)) as readonly TableMessage[];
  }

  async delete(ids: readonly string[]): Promise<void> {
    const { table } = this;
    const sql = `DELETE FROM ${table.name} WHERE ${table.column('id')} IN (${this.placeholders(ids.length)})`;
    await this.own.query(sql, ids);
  }

  close(): void {
    this.own.close();
  }

  private placeholders(count: number, after = 0): string {
    return Array.from({ length: count }, (_, at) => this.dialect.placeholder(after + at + 1)).join(', ');
  }
}
