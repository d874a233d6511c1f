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
import type { Expected } from '../core/model/store.js';
import type { StoredRecord } from './columns.js';
import type { Dialect } from './dialects/dialect.js';
import { EntityTable } from './entity-table.js';
import type { BaseSessionEntity } from './session.entity.js';
import { RECORD_FIELDS, type RoleRow, type SessionRow, toPrimaryRecord, toRecord } from './session-rows.js';
import { askForPrimary } from './standby.js';

export type WhereBuilder = { andWhere(condition: string, parameters?: ObjectLiteral): unknown };

/** The table of sessions, and what statements on it are made of. */
export class SessionTable extends EntityTable<StoredRecord> {
  constructor(
    dataSource: DataSource,
    override readonly entity: EntityTarget<BaseSessionEntity>,
    protected readonly dialect: Dialect,
  ) {
    super(dataSource, entity);
  }

  protected whereUser(query: WhereBuilder, userId: string, alias = ''): void {
    this.whereExactly(query, alias ? `${alias}userId` : this.column('userId'), 'userId', userId);
  }

  protected whereId(query: WhereBuilder, id: string): void {
    this.whereExactly(query, this.column('id'), 'id', id);
  }

  select(runner: QueryRunner): SelectQueryBuilder<BaseSessionEntity> {
    // Not even where the data source caches every query: a cache knows of no revocation.
    const query = runner.manager.createQueryBuilder(this.entity, 's').cache(false).select([]);
    for (const field of RECORD_FIELDS) query.addSelect(`s.${field}`, field);
    return query;
  }

  /** @throws StandbyError where the server that was asked takes no writes */
  protected async many(
    runner: QueryRunner,
    query: SelectQueryBuilder<BaseSessionEntity>,
  ): Promise<SessionRecord[]> {
    const { server } = this.dialect;
    if (server === null) return (await query.getRawMany<SessionRow>()).map(toRecord);
    const rows = await query.addSelect(server.role, 'role').getRawMany<SessionRow & RoleRow>();
    if (rows.length === 0) await askForPrimary(runner, server.role);
    return rows.map(toPrimaryRecord);
  }

  protected async one(
    runner: QueryRunner,
    query: SelectQueryBuilder<BaseSessionEntity>,
  ): Promise<SessionRecord | null> {
    const [record] = await this.many(runner, query);
    return record ?? null;
  }

  protected update(
    runner: QueryRunner,
    change: { [field in keyof StoredRecord]?: StoredRecord[field] | (() => string) },
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
    const isText = typeof value === 'string';
    const condition = isText ? this.dialect.sameText(column, `:${parameter}`) : `${column} = :${parameter}`;
    query.andWhere(condition, { [parameter]: value });
  }
}
