import type { QueryRunner } from 'typeorm';
import type { SessionRecord } from '../core/model/record.js';
import type { Dialect } from './dialects/dialect.js';
import type { PreparedQuery } from './query.js';
import { parseRecords, RECORD_FIELDS, type SessionRow, toRecord } from './session-rows.js';
import type { SessionTable } from './session-table.js';

/** The read of every request, for many at once. */
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
    this.decode =
      dialect.rowsAsText === null
        ? (rows) => (rows as SessionRow[]).map(toRecord)
        : (parseRecords as (rows: unknown[]) => SessionRecord[]);
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
    const query = this.table.select(runner).where('s.seriesHash IN (:...seriesHashes)', { seriesHashes });
    if (this.dialect.rowsAsText !== null) {
      const columns = RECORD_FIELDS.map((field) => `s.${field}`).join(', ');
      query.select(this.dialect.rowsAsText(columns), 'records');
    }
    return query.getSql();
  }
}
