import type { DataSource, QueryRunner, SelectQueryBuilder } from 'typeorm';
import type { SessionRecord } from '../core/model/record.js';
import { type PreparedQuery, preparedQuery } from './prepared-query.js';
import type { BaseSessionEntity } from './session.entity.js';
import { parseRecords, RECORD_FIELDS, type SessionRow, type TextRow, toRecord } from './session-rows.js';
import type { SessionTable } from './session-table.js';

/** Makes all rows one text. Not on MySQL, whose driver decodes columns fast and JSON by itself. */
const AS_TEXT: Readonly<Record<string, (columns: string) => string>> = {
  postgres: (columns) => `CAST(json_agg(json_build_array(${columns})) AS text)`,
  sqlite: (columns) => `json_group_array(json_array(${columns}))`,
  'better-sqlite3': (columns) => `json_group_array(json_array(${columns}))`,
};

/** The read of every request, for many at once. */
export class SeriesRead {
  private readonly queries = new Map<number, string>();
  private readonly prepared: PreparedQuery;
  private readonly asText: ((columns: string) => string) | undefined;

  constructor(
    dataSource: DataSource,
    private readonly table: SessionTable,
    private readonly upToDate: (record: SessionRecord) => SessionRecord,
  ) {
    this.prepared = preparedQuery(dataSource);
    this.asText = AS_TEXT[dataSource.options.type];
  }

  /** @returns the records by their series */
  async find(runner: QueryRunner, seriesHashes: readonly string[]): Promise<Map<string, SessionRecord>> {
    // As many parameters as the next power of two: few different statements, whose SQL is built once.
    const count = 2 ** Math.ceil(Math.log2(seriesHashes.length));
    const [first = ''] = seriesHashes;
    const padded = [...seriesHashes, ...Array<string>(count - seriesHashes.length).fill(first)];
    let query = this.queries.get(count);
    if (query === undefined) {
      query = this.select(runner).where('s.seriesHash IN (:...padded)', { padded }).getSql();
      this.queries.set(count, query);
    }
    const found = new Map<string, SessionRecord>();
    const rows = await this.prepared(runner, query, padded);
    for (const record of this.asText
      ? parseRecords(rows as TextRow[])
      : (rows as SessionRow[]).map(toRecord)) {
      found.set(record.seriesHash, this.upToDate(record));
    }
    return found;
  }

  private select(runner: QueryRunner): SelectQueryBuilder<BaseSessionEntity> {
    const query = this.table.select(runner);
    if (this.asText === undefined) return query;
    const columns = RECORD_FIELDS.map((field) => `s.${field}`).join(', ');
    return query.select(this.asText(columns), 'records');
  }
}
