import type {
  DataSource,
  DeleteQueryBuilder,
  EntityTarget,
  ObjectLiteral,
  QueryRunner,
  SelectQueryBuilder,
  UpdateQueryBuilder,
} from 'typeorm';
import type { SessionRecord } from '../core/record.js';
import type { Change, Expected, ReuseJudgement, RolesChange } from '../core/store.js';
import type { BaseSessionEntity } from './session.entity.js';
import type { NotedTouch } from './touch-buffer.js';
import { RECORD_FIELDS, type SessionRow, toRecord } from './session-rows.js';

export type ExpiredRow = Pick<SessionRecord, 'id' | 'expiresAt'>;

type WhereBuilder = { andWhere(condition: string, parameters?: ObjectLiteral): unknown };

/** The statements on the table of sessions that are the same on every database. Each is one statement. */
export class SessionTable {
  private seriesQuery: string | undefined;

  constructor(
    private readonly dataSource: DataSource,
    readonly entity: EntityTarget<BaseSessionEntity>,
  ) {}

  /** The read of every request: its SQL is built once. */
  async findBySeries(runner: QueryRunner, seriesHash: string): Promise<SessionRecord | null> {
    this.seriesQuery ??= this.select(runner).where('s.seriesHash = :seriesHash', { seriesHash }).getSql();
    const [row] = (await runner.query(this.seriesQuery, [seriesHash])) as SessionRow[];
    return row === undefined ? null : toRecord(row);
  }

  findByAnySeries(runner: QueryRunner, seriesHashes: readonly string[]): Promise<SessionRecord | null> {
    return this.one(this.select(runner).where('s.seriesHash IN (:...seriesHashes)', { seriesHashes }));
  }

  findById(runner: QueryRunner, id: string): Promise<SessionRecord | null> {
    return this.one(this.select(runner).where('s.id = :id', { id }));
  }

  /** Live sessions of a user, newest first. */
  findLive(runner: QueryRunner, userId: string, now: number): Promise<SessionRecord[]> {
    const query = this.select(runner).where('s.expiresAt > :now', { now });
    this.whereUser(query, userId, 's.');
    return this.many(query.orderBy('s.createdAt', 'DESC').addOrderBy('s.id', 'DESC'));
  }

  findByUser(runner: QueryRunner, userId: string, except?: string): Promise<SessionRecord[]> {
    const query = this.select(runner).where('1 = 1');
    this.whereUser(query, userId, 's.');
    if (except !== undefined) query.andWhere('s.id <> :except', { except });
    return this.many(query);
  }

  async insert(runner: QueryRunner, record: SessionRecord): Promise<void> {
    await runner.manager
      .createQueryBuilder()
      .insert()
      .into(this.entity)
      .values(record)
      .updateEntity(false)
      .callListeners(false)
      .execute();
  }

  /** @param refine further conditions, with the columns' names as they stand in the table */
  async change(
    runner: QueryRunner,
    id: string,
    expected: Expected,
    change: Change,
    refine: (query: WhereBuilder) => void = () => {},
  ): Promise<boolean> {
    const query = this.update(runner, change).where(`${this.column('id')} = :id`, { id });
    this.whereExpected(query, expected);
    refine(query);
    return ((await query.execute()).affected ?? 0) > 0;
  }

  async touch(runner: QueryRunner, touch: NotedTouch): Promise<void> {
    const { id, roles, authenticatedAt, lastSeenAt, idleExpiresAt, expiresAt, since } = touch;
    await this.change(
      runner,
      id,
      { roles, authenticatedAt },
      { lastSeenAt, idleExpiresAt, expiresAt },
      (query) =>
        query.andWhere(
          `${this.column('lastSeenAt')} < :lastSeenAt AND ${this.column('expiresAt')} > :since`,
          { lastSeenAt, since },
        ),
    );
  }

  async setRoles(runner: QueryRunner, userId: string, change: RolesChange): Promise<number> {
    const [rolesColumn, renewColumn] = [this.column('roles'), this.column('renewAt')];
    const [idleEnd, absoluteEnd] = [
      `${this.column('lastSeenAt')} + :idle`,
      `${this.column('authenticatedAt')} + :absolute`,
    ];
    const query = this.update(runner, {
      // First, for MySQL lets an assignment see those before it: after it `roles` would be the new ones.
      renewAt: () => `CASE WHEN ${rolesColumn} = :roles THEN ${renewColumn} ELSE :now END`,
      idleExpiresAt: () => idleEnd,
      absoluteExpiresAt: () => absoluteEnd,
      expiresAt: () => `CASE WHEN ${idleEnd} < ${absoluteEnd} THEN ${idleEnd} ELSE ${absoluteEnd} END`,
      roles: () => ':roles',
    });
    query.where(`${this.column('expiresAt')} > :now`, { ...change });
    this.whereUser(query, userId);
    return (await query.execute()).affected ?? 0;
  }

  /** @param userId only where it is that user's */
  async delete(runner: QueryRunner, id: string, userId?: string): Promise<boolean> {
    const query = this.remove(runner).where(`${this.column('id')} = :id`, { id });
    if (userId !== undefined) this.whereUser(query, userId);
    return ((await query.execute()).affected ?? 0) > 0;
  }

  async deleteExpected(runner: QueryRunner, id: string, expected: Expected): Promise<boolean> {
    const query = this.remove(runner).where(`${this.column('id')} = :id`, { id });
    this.whereExpected(query, expected);
    return ((await query.execute()).affected ?? 0) > 0;
  }

  async deleteReused(runner: QueryRunner, judgement: ReuseJudgement): Promise<boolean> {
    const query = this.remove(runner)
      .where(`${this.column('id')} = :id`)
      .andWhere(`${this.column('seriesHash')} = :seriesHash`)
      .andWhere(`${this.column('tokenHash')} <> :shownHash`)
      .andWhere(`${this.column('rotatedAt')} <= :settledBy`)
      .andWhere(`${this.column('confirmedAt')} <= :settledBy`, { ...judgement });
    return ((await query.execute()).affected ?? 0) > 0;
  }

  async deleteAll(runner: QueryRunner): Promise<number> {
    return (await this.remove(runner).execute()).affected ?? 0;
  }

  /** Locks the oldest that have expired by `now`, from `from` on; those that another node has locked are left to it. */
  async lockExpired(runner: QueryRunner, now: number, from: number, size: number): Promise<ExpiredRow[]> {
    const rows = await runner.manager
      .createQueryBuilder(this.entity, 's')
      .select('s.id', 'id')
      .addSelect('s.expiresAt', 'expiresAt')
      .cache(false)
      .where('s.expiresAt >= :from AND s.expiresAt <= :now', { from, now })
      .orderBy('s.expiresAt', 'ASC')
      .limit(size)
      .setLock('pessimistic_write')
      .setOnLocked('skip_locked')
      .getRawMany<{ id: string; expiresAt: unknown }>();
    return rows.map(({ id, expiresAt }) => ({ id, expiresAt: Number(expiresAt) }));
  }

  async deleteExpired(runner: QueryRunner, ids: readonly string[], now: number): Promise<void> {
    await this.remove(runner)
      .where(`${this.column('id')} IN (:...ids) AND ${this.column('expiresAt')} <= :now`, { ids, now })
      .execute();
  }

  async isAsExpected(runner: QueryRunner, id: string, expected: Expected): Promise<boolean> {
    const record = await this.findById(runner, id);
    const entries = Object.entries(expected) as [keyof Expected, unknown][];
    return record !== null && entries.every(([field, value]) => record[field] === value);
  }

  whereUser(query: WhereBuilder, userId: string, alias = ''): void {
    this.whereExactly(query, alias ? `${alias}userId` : this.column('userId'), 'userId', userId);
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

  private get isMysql(): boolean {
    return this.dataSource.options.type === 'mysql' || this.dataSource.options.type === 'mariadb';
  }

  private async one(query: SelectQueryBuilder<BaseSessionEntity>): Promise<SessionRecord | null> {
    const [record] = await this.many(query);
    return record ?? null;
  }

  private update(
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

  private remove(runner: QueryRunner): DeleteQueryBuilder<BaseSessionEntity> {
    return runner.manager.createQueryBuilder().delete().from(this.entity).callListeners(false);
  }

  private whereExpected(query: WhereBuilder, expected: Expected): void {
    for (const [field, value] of Object.entries(expected)) {
      const column = this.column(field as keyof Expected);
      if (value === null) query.andWhere(`${column} IS NULL`);
      else this.whereExactly(query, column, `expected_${field}`, value);
    }
  }

  /** The default collations of MySQL take `aB3` and `Ab3`, and also `a` and `a ` or `á`, for the same. */
  private whereExactly(query: WhereBuilder, column: string, parameter: string, value: string | number): void {
    query.andWhere(`${column} = :${parameter}`, { [parameter]: value });
    if (!this.isMysql || typeof value !== 'string') return;
    // The comparison above finds the rows by the index, this one takes the right ones of them.
    const bytesOf = (text: string) => `CAST(CONVERT(${text} USING utf8mb4) AS BINARY)`;
    query.andWhere(`${bytesOf(column)} = ${bytesOf(`:${parameter}`)}`);
  }
}
