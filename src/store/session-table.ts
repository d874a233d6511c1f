import type {
  DataSource,
  DeleteQueryBuilder,
  EntityTarget,
  ObjectLiteral,
  QueryRunner,
  SelectQueryBuilder,
  UpdateQueryBuilder,
} from 'typeorm';
import type { SessionRecord } from '../core/model/record.js';
import type { Change, Expected } from '../core/model/store.js';
import type { BaseSessionEntity } from './session.entity.js';
import { RECORD_FIELDS, type SessionRow, toRecord } from './session-rows.js';

export type WhereBuilder = { andWhere(condition: string, parameters?: ObjectLiteral): unknown };

/** The table of sessions: its names, and what statements on it are made of. */
export class SessionTable {
  constructor(
    private readonly dataSource: DataSource,
    readonly entity: EntityTarget<BaseSessionEntity>,
  ) {}

  whereUser(query: WhereBuilder, userId: string, alias = ''): void {
    this.whereExactly(query, alias ? `${alias}userId` : this.column('userId'), 'userId', userId);
  }

  whereId(query: WhereBuilder, id: string): void {
    this.whereExactly(query, this.column('id'), 'id', id);
  }

  select(runner: QueryRunner): SelectQueryBuilder<BaseSessionEntity> {
    const [first, ...others] = RECORD_FIELDS;
    // Not even where the data source caches every query: a cache knows of no revocation.
    const query = runner.manager
      .createQueryBuilder(this.entity, 's')
      .cache(false)
      .select(`s.${first}`, first);
    for (const field of others) query.addSelect(`s.${field}`, field);
    return query;
  }

  async many(query: SelectQueryBuilder<BaseSessionEntity>): Promise<SessionRecord[]> {
    return (await query.getRawMany<SessionRow>()).map(toRecord);
  }

  /** The escaped name of the table, with its schema where it has one. */
  get name(): string {
    const { driver } = this.dataSource;
    return this.metadata.tablePath
      .split('.')
      .map((part) => driver.escape(part))
      .join('.');
  }

  /** The escaped name of a column. */
  column(field: keyof SessionRecord): string {
    const column = this.metadata.findColumnWithPropertyName(field);
    if (!column)
      throw new Error(`The session entity has no column \`${field}\`: let it extend BaseSessionEntity.`);
    return this.dataSource.driver.escape(column.databaseName);
  }

  private get metadata() {
    return this.dataSource.getMetadata(this.entity);
  }

  get isPostgres(): boolean {
    return this.dataSource.options.type === 'postgres';
  }

  private get isMysql(): boolean {
    return this.dataSource.options.type === 'mysql' || this.dataSource.options.type === 'mariadb';
  }

  protected async one(query: SelectQueryBuilder<BaseSessionEntity>): Promise<SessionRecord | null> {
    const [record] = await this.many(query);
    return record ?? null;
  }

  protected update(
    runner: QueryRunner,
    change: { [field in keyof Change]: Change[field] | (() => string) },
  ): UpdateQueryBuilder<BaseSessionEntity> {
    return runner.manager
      .createQueryBuilder()
      .update(this.entity)
      .set(change)
      .updateEntity(false)
      .callListeners(false);
  }

  protected remove(runner: QueryRunner): DeleteQueryBuilder<BaseSessionEntity> {
    return runner.manager.createQueryBuilder().delete().from(this.entity).callListeners(false);
  }

  protected whereExpected(query: WhereBuilder, expected: Expected): void {
    for (const [field, value] of Object.entries(expected)) {
      const column = this.column(field as keyof Expected);
      if (value === null) query.andWhere(`${column} IS NULL`);
      else this.whereExactly(query, column, `expected_${field}`, value);
    }
  }

  protected whereExactly(
    query: WhereBuilder,
    column: string,
    parameter: string,
    value: string | number,
  ): void {
    query.andWhere(`${column} = :${parameter}`, { [parameter]: value });
    if (!this.isMysql || typeof value !== 'string') return;
    // The comparison above finds the rows by the index, this one takes the right ones of them.
    query.andWhere(`${this.bytesOf(column)} = ${this.bytesOf(`:${parameter}`)}`);
  }

  /** A text for comparing: the default collations of MySQL take `aB3` and `Ab3`, and also `a` and `a ` or `á`, for the same. */
  protected bytesOf(text: string): string {
    return this.isMysql ? `CAST(CONVERT(${text} USING utf8mb4) AS BINARY)` : text;
  }
}
