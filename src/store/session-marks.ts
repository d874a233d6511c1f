import { hash } from 'node:crypto';
import type { QueryRunner, SelectQueryBuilder } from 'typeorm';
import { SessionUserEntity } from './session.entity.js';

/** Stands for all users: no SHA-256 looks like it. */
const EVERYONE = 'everyone';
/** Longer than any sign-in takes: none that is under way can have begun before an older change. */
const KEPT_FOR = 24 * 60 * 60_000;

/** Whose sessions a change is about: a user id, or `null` for everyone. */
type Whose = string | null;

/** The statements on the table `session_users`. Each is one statement. */
export class SessionMarks {
  /** Makes the rows that `lock` and `raise` need. */
  async ensure(runner: QueryRunner, ...users: readonly Whose[]): Promise<void> {
    const values = users.map((user) => ({ userHash: hashOf(user), changedAt: 0 }));
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

  async forget(runner: QueryRunner, now: number): Promise<void> {
    await runner.manager
      .createQueryBuilder()
      .delete()
      .from(SessionUserEntity)
      .where('changed_at < :before', { before: now - KEPT_FOR })
      .execute();
  }

  private select(runner: QueryRunner): SelectQueryBuilder<SessionUserEntity> {
    return runner.manager.createQueryBuilder(SessionUserEntity, 'u').select('u.userHash', 'userHash');
  }
}

function hashOf(user: Whose): string {
  return user === null ? EVERYONE : hash('sha256', user);
}
