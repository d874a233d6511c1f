import type { QueryRunner } from 'typeorm';
import type { SessionRecord } from '../core/model/record.js';
import type { Dialect } from './dialects/dialect.js';
import type { PreparedQuery } from './query.js';
import { parseRecords, RECORD_FIELDS, type SessionRow, type TextRow, toRecord } from './session-rows.js';
import type { SessionTable } from './session-table.js';
import { assertPrimary } from './standby.js';

/** The column that holds the role in a row of its own. */
const ROLE_FIELD = 'userAgent';

/** The read of every request, for many at once. It asks with the same statement what the server is. */
export class SeriesRead {
  /** By the number of their parameters. */
  private readonly statements = new Map<number, string>();
  private readonly decode: (rows: unknown[]) => SessionRecord[];

  constructor(
    private readonly query: PreparedQuery,
    private readonly dialect: Dialect,
    private readonly table: SessionTable,
    /** Called before a read: what makes its records up to date. */
    private readonly overlay: () => (record: SessionRecord) => SessionRecord,
  ) {
    this.decode = decoderFor(dialect);
  }

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
    for (const record of this.decode((await this.query(runner, statement, padded)).rows)) {
      found.set(record.seriesHash, upToDate(record));
    }
    return found;
  }

  private statementFor(runner: QueryRunner, seriesHashes: readonly string[]): string {
    const { rowsAsText, server } = this.dialect;
    const query = this.table.select(runner).where('s.seriesHash IN (:...seriesHashes)', { seriesHashes });
    if (rowsAsText !== null) {
      query.select(rowsAsText(RECORD_FIELDS.map((field) => `s.${field}`).join(', ')), 'records');
      if (server !== null) query.addSelect(server.role, 'role');
    }
    const sql = query.getSql();
    return rowsAsText === null && server !== null ? `${sql} UNION ALL SELECT ${rowOf(server.role)}` : sql;
  }
}

/** A row beside those of the sessions, so that it is there also where there are none: it has no series. */
function rowOf(role: string): string {
  return RECORD_FIELDS.map((field) => (field === ROLE_FIELD ? role : 'NULL')).join(', ');
}

/** @throws StandbyError where the server that was asked takes no writes: a session that was ended may still be live there */
function decoderFor({ rowsAsText, server }: Dialect): (rows: unknown[]) => SessionRecord[] {
  if (rowsAsText === null) {
    return (rows) => {
      const all = rows as SessionRow[];
      if (server !== null) assertPrimary(all.find(isRole)?.[ROLE_FIELD]);
      return all.filter((row) => !isRole(row)).map(toRecord);
    };
  }
  return (rows) => {
    const answer = rows as readonly (TextRow & { readonly role: unknown })[];
    if (server !== null) assertPrimary(answer[0]?.role);
    return parseRecords(answer);
  };
}

function isRole({ seriesHash }: SessionRow): boolean {
  return seriesHash === null;
}
