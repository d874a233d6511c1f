import type { QueryRunner } from 'typeorm';
import type { SessionRecord } from '../core/model/record.js';
import type { Dialect } from './dialects/dialect.js';
import type { PreparedQuery } from './query.js';
import {
  parseRecords,
  RECORD_FIELDS,
  type RoleRow,
  type SessionRow,
  type TextRow,
  toPrimaryRecord,
  toRecord,
} from './session-rows.js';
import type { SessionTable } from './session-table.js';
import { askForPrimary, assertPrimary } from './standby.js';

/** The read of every request, for many at once. It asks with the same statement what the server is. */
export class SeriesRead {
  /** By the number of their parameters. */
  private readonly statements = new Map<number, string>();

  constructor(
    private readonly query: PreparedQuery,
    private readonly dialect: Dialect,
    private readonly table: SessionTable,
    /** Called before a read: what makes its records up to date. */
    private readonly overlay: () => (record: SessionRecord) => SessionRecord,
  ) {}

  /** @returns the records by their series */
  async read(runner: QueryRunner, seriesHashes: readonly string[]): Promise<Map<string, SessionRecord>> {
    // As many parameters as the next power of two: few different statements, whose SQL is built once.
    const count = 2 ** Math.ceil(Math.log2(seriesHashes.length));
    const [first = ''] = seriesHashes;
    const padded = [...seriesHashes, ...Array<string>(count - seriesHashes.length).fill(first)];
    let statement = this.statements.get(count);
    if (statement === undefined) {
      statement = this.statementFor(runner, padded);
      this.statements.set(count, statement);
    }
    const found = new Map<string, SessionRecord>();
    const upToDate = this.overlay();
    const { rows } = await this.query(runner, statement, padded);
    for (const record of await this.decode(runner, rows)) {
      found.set(record.seriesHash, upToDate(record));
    }
    return found;
  }

  private statementFor(runner: QueryRunner, seriesHashes: readonly string[]): string {
    const { rowsAsText, server } = this.dialect;
    const query = this.table.select(runner).where('s.seriesHash IN (:...seriesHashes)', { seriesHashes });
    if (rowsAsText !== null) {
      query.select(rowsAsText(RECORD_FIELDS.map((field) => `s.${field}`).join(', ')), 'records');
    }
    if (server !== null) query.addSelect(server.role, 'role');
    return query.getSql();
  }

  /** @throws StandbyError where the server takes no writes: a session that was ended may still be live there */
  private async decode(runner: QueryRunner, rows: readonly unknown[]): Promise<SessionRecord[]> {
    const { rowsAsText, server } = this.dialect;
    if (rowsAsText !== null) {
      const answer = rows as readonly (TextRow & RoleRow)[];
      if (server !== null) assertPrimary(answer[0]?.role);
      return parseRecords(answer);
    }
    if (server === null) return (rows as SessionRow[]).map(toRecord);
    // A row that is always there would make each read a quarter slower, as measured on MariaDB.
    if (rows.length === 0) await askForPrimary(runner, server.role);
    return (rows as (SessionRow & RoleRow)[]).map(toPrimaryRecord);
  }
}
