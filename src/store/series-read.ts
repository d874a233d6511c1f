import type { DataSource, QueryRunner, SelectQueryBuilder } from 'typeorm';
import type { SessionRecord } from '../core/record.js';
import { type PreparedQuery, preparedQuery } from './prepared-query.js';
import type { BaseSessionEntity } from './session.entity.js';
import { parseRecords, RECORD_FIELDS, type SessionRow, toRecord } from './session-rows.js';
import type { SessionTable } from './session-table.js';

/** Makes all rows one text. Not on MySQL, whose driver decodes columns fast and JSON by itself. */
const AS_TEXT: Readonly<Record<string, (columns: string) => string>> = {
  postgres: (columns) => `CAST(json_agg(json_build_array(${columns})) AS text)`,
  sqlite: (columns) => `json_group_array(json_array(${columns}))`,
  'better-sqlite3': (columns) => `json_group_array(json_array(${columns}))`,
};

/** `null` from PostgreSQL where there is no row. */
interface TextRow {
  readonly records: string | null;
}

/** The read of every request, for many at once. */
export class SeriesRead {
  private readonly queries = new Map<number, string>();
  private readonly prepared: PreparedQuery;
  private readonly asText: ((columns: string) => string) | undefined;

  constructor(
    dataSource: DataSource,
    private readonly table: SessionTable,
  ) {
    this.prepared = preparedQuery(dataSource);
    this.asText = AS_TEXT[dataSource.options.type];
  }

  /** @returns the records by their series */
  async find(runner: QueryRunner, seriesHashes: readonly string[]): Promise<Map<string, SessionRecord>> {
    // As many parameters as the next power of two: few different statements, whose SQL is built once.
    const count = 2 ** Math.ceil(Math.log2(seriesHashes.length));
    const [first = ''] = seriesHashes;
    const padded = Array.from({ length: count }, (_, at) => seriesHashes[at] ?? first);
    let query = this.queries.get(count);
    if (query === undefined) {
      query = this.select(runner).where('s.seriesHash IN (:...padded)', { padded }).getSql();
      this.queries.set(count, query);
    }
    const rows = await this.prepared(runner, query, padded);
    const records = this.asText
      ? parseRecords((rows as TextRow[])[0]?.records ?? '[]')
      : (rows as SessionRow[]).map(toRecord);
    return new Map(records.map((record) => [record.seriesHash, record]));
  }

  private select(runner: QueryRunner): SelectQueryBuilder<BaseSessionEntity> {
    const query = this.table.select(runner);
    if (this.asText === undefined) return query;
    const columns = RECORD_FIELDS.map((field) => `s.${field}`).join(', ');
    return query.select(this.asText(columns), 'records');
  }
}
