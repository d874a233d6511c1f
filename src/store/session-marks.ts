import { hash } from 'node:crypto';
import type { QueryRunner, SelectQueryBuilder } from 'typeorm';
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
export class SessionMarks {
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
    await runner.manager
      .createQueryBuilder()
      .update(SessionUserEntity)
      .set({ changedAt })
      .where('user_hash = :userHash AND changed_at < :changedAt', { userHash: hashOf(user), changedAt })
      .updateEntity(false)
      .execute();
  }

  /** `ensure` and `raise` in one, for SQLite. */
  async upsert(runner: QueryRunner, user: Whose, changedAt: number): Promise<void> {
    const { connection } = runner;
    const table = connection.driver.escape(connection.getMetadata(SessionUserEntity).tableName);
    await runner.query(
      `INSERT INTO ${table} (user_hash, changed_at) VALUES (?, ?) ` +
        'ON CONFLICT (user_hash) DO UPDATE SET changed_at = MAX(changed_at, excluded.changed_at)',
      [hashOf(user), changedAt],
    );
  }

  /**
   * Locks a user's row until the transaction ends: against everybody, or only against those who do that.
   * @returns whether there is such a row
   */
  async lock(runner: QueryRunner, user: Whose, mode: 'exclusive' | 'shared'): Promise<boolean> {
    const query = this.select(runner).where('u.userHash = :userHash', { userHash: hashOf(user) });
    const [sql, parameters] = query.getQueryAndParameters();
    // Not by TypeORM's `setLock`: under the type `mysql` it writes `FOR SHARE`, which MariaDB does not know.
    const shared = runner.connection.options.type === 'postgres' ? 'FOR SHARE' : 'LOCK IN SHARE MODE';
    const rows = (await runner.query(
      `${sql} ${mode === 'shared' ? shared : 'FOR UPDATE'}`,
      parameters,
    )) as unknown[];
    return rows.length > 0;
  }

  /** Whether a change came after a sign-in of this user had begun. */
  async hasOvertaken(runner: QueryRunner, userId: string, arrivedAt: number): Promise<boolean> {
    return (await this.later(runner, userId, arrivedAt).getRawMany()).length > 0;
  }

  /** The rows that say so, for statements that look and act at once. */
  later(runner: QueryRunner, userId: string, arrivedAt: number): SelectQueryBuilder<SessionUserEntity> {
    const userHashes = [hashOf(userId), hashOf(null)];
    return this.select(runner)
      .where('u.userHash IN (:...userHashes)', { userHashes })
      .andWhere('u.changedAt > :arrivedAt', { arrivedAt });
  }

  /** Deletes some marks that can overtake no sign-in any more, in two statements. @returns how many */
  async forget(runner: QueryRunner, now: number, suffix = ''): Promise<number> {
    const query = this.select(runner)
      .where('u.changedAt < :before AND u.userHash <> :everyone', {
        before: now - KEPT_FOR,
        everyone: EVERYONE,
      })
      .limit(FORGOTTEN_AT_ONCE);
    const [sql, parameters] = query.getQueryAndParameters();
    const rows = (await runner.query(`${sql} ${suffix}`, parameters)) as { userHash: string }[];
    const userHashes = rows.map(({ userHash }) => userHash);
    if (userHashes.length === 0) return 0;
    await runner.manager
      .createQueryBuilder()
      .delete()
      .from(SessionUserEntity)
      .where('user_hash IN (:...userHashes)', { userHashes })
      .andWhere('changed_at < :before', { before: now - KEPT_FOR })
      .execute();
    return userHashes.length;
  }

  private select(runner: QueryRunner): SelectQueryBuilder<SessionUserEntity> {
    return runner.manager
      .createQueryBuilder(SessionUserEntity, 'u')
      .cache(false)
      .select('u.userHash', 'userHash');
  }
}

function hashOf(user: Whose): string {
  return user === null ? EVERYONE : hash('sha256', user);
}
