import { hash } from 'node:crypto';
import type { DataSource, QueryRunner, SelectQueryBuilder } from 'typeorm';
import type { SessionMark } from './columns.js';
import type { Dialect } from './dialects/dialect.js';
import { EntityTable } from './entity-table.js';
import { runSql } from './named-parameters.js';
import { SessionUserEntity } from './session.entity.js';

/** Stands for all users: no SHA-256 looks like it. */
const EVERYONE = 'everyone';
/** Longer than any sign-in takes: none that is under way can have begun before an older change. */
const KEPT_FOR = 24 * 60 * 60_000;

/** How long a row that was only locked is kept: whoever is about to lock it must find it. */
const LOCK_KEPT_FOR = 60 * 60_000;
/** Rows of `session_users` deleted by one statement. */
const FORGOTTEN_AT_ONCE = 1_000;

/** Whose sessions a change is about: a user id, or `null` for everyone. */
type Whose = string | null;

/** The statements on the table `session_users`. */
export class SessionMarks extends EntityTable<SessionMark> {
  private readonly dialect: Dialect;

  constructor(dataSource: DataSource, dialect: Dialect) {
    super(dataSource, SessionUserEntity);
    this.dialect = dialect;
  }

  /** Makes the rows that `lock` and `raise` need: too old to overtake anybody, and to be forgotten in an hour. */
  async ensure(runner: QueryRunner, now: number, ...users: readonly Whose[]): Promise<void> {
    const changedAt = Math.max(0, now - KEPT_FOR + LOCK_KEPT_FOR);
    const values = users.map((user) => ({ userHash: hashOf(user), changedAt }));
    await runner.manager
      .createQueryBuilder()
      .insert()
      .into(SessionUserEntity)
      .values(values)
      .orIgnore()
      .updateEntity(false)
      .execute();
  }

  /** Notes when sessions were revoked or given other roles; a later time that is there already stays. */
  async raise(runner: QueryRunner, user: Whose, changedAt: number): Promise<void> {
    const [userHash, column] = [this.column('userHash'), this.column('changedAt')];
    await this.run(
      runner,
      `UPDATE ${this.name} SET ${column} = :changedAt WHERE ${userHash} = :user AND ${column} < :changedAt`,
      { user: hashOf(user), changedAt },
    );
  }

  /** `ensure` and `raise` in one, for SQLite. */
  async upsert(runner: QueryRunner, user: Whose, changedAt: number): Promise<void> {
    const [userHash, column] = [this.column('userHash'), this.column('changedAt')];
    await this.run(
      runner,
      `INSERT INTO ${this.name} (${userHash}, ${column}) VALUES (:user, :changedAt) ` +
        `ON CONFLICT (${userHash}) DO UPDATE SET ${column} = MAX(${column}, excluded.${column})`,
      { user: hashOf(user), changedAt },
    );
  }

  /**
   * Locks a user's row until the transaction ends.
   * @param mode as SQL says it: against everybody, or only against those who do not do the same
   * @returns whether there is such a row
   */
  async lock(runner: QueryRunner, user: Whose, mode: string): Promise<boolean> {
    const userHash = this.column('userHash');
    const { records } = await this.run(
      runner,
      `SELECT ${userHash} FROM ${this.name} WHERE ${userHash} = :user ${mode}`,
      { user: hashOf(user) },
    );
    return records.length > 0;
  }

  /** Whether a change came after a sign-in of this user had begun. */
  async hasOvertaken(runner: QueryRunner, userId: string, arrivedAt: number): Promise<boolean> {
    return (await this.later(runner, userId, arrivedAt).getRawMany()).length > 0;
  }

  /** The rows that say so, for statements that look and act at once. */
  later(runner: QueryRunner, userId: string, arrivedAt: number): SelectQueryBuilder<SessionUserEntity> {
    return runner.manager
      .createQueryBuilder(SessionUserEntity, 'u')
      .cache(false)
      .select('u.userHash', 'userHash')
      .where('u.userHash IN (:...users)', { users: [hashOf(userId), hashOf(null)] })
      .andWhere('u.changedAt > :arrivedAt', { arrivedAt });
  }

  /** Deletes some marks that can overtake no sign-in any more, in two statements. @returns how many */
  async forget(runner: QueryRunner, now: number): Promise<number> {
    const [userHash, changedAt] = [this.column('userHash'), this.column('changedAt')];
    const before = now - KEPT_FOR;
    const skipLocked = this.dialect.server === null ? '' : 'FOR UPDATE SKIP LOCKED';
    const { records } = await this.run(
      runner,
      `SELECT ${userHash} AS user_hash FROM ${this.name} WHERE ${changedAt} < :before AND ${userHash} <> :everyone ` +
        `LIMIT :size ${skipLocked}`,
      { before, everyone: EVERYONE, size: FORGOTTEN_AT_ONCE },
    );
    const users = (records as { user_hash: string }[]).map(({ user_hash }) => user_hash);
    if (users.length === 0) return 0;
    await this.run(
      runner,
      `DELETE FROM ${this.name} WHERE ${userHash} IN (:...users) AND ${changedAt} < :before`,
      { users, before },
    );
    return users.length;
  }

  private run(runner: QueryRunner, sql: string, parameters: Record<string, unknown>) {
    return runSql(runner, this.dialect, sql, parameters);
  }
}

function hashOf(user: Whose): string {
  return user === null ? EVERYONE : hash('sha256', user);
}
