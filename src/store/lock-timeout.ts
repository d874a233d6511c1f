import type { QueryRunner } from 'typeorm';

/**
 * Seconds that a transaction waits for a lock. Shorter than the patience of whoever waits for the transaction: one that
 * was given up must not go on holding a connection, and sign somebody in after all.
 */
const LOCK_TIMEOUT = 3;

/** Runs a transaction that waits for locks no longer than that. It calls `limit` once it has begun. */
export async function withLockTimeout<T>(
  runner: QueryRunner,
  databaseType: string,
  transaction: (limit: () => Promise<unknown>) => Promise<T>,
): Promise<T> {
  if (databaseType === 'postgres') {
    return transaction(() => runner.query(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT}s'`));
  }
  // MySQL has it per connection only, which goes back to the application's pool afterwards.
  const [before] = (await runner.query('SELECT @@innodb_lock_wait_timeout AS seconds')) as [
    { seconds: number },
  ];
  await runner.query(`SET SESSION innodb_lock_wait_timeout = ${LOCK_TIMEOUT}`);
  try {
    return await transaction(() => Promise.resolve());
  } finally {
    await runner.query(`SET SESSION innodb_lock_wait_timeout = ${Number(before.seconds)}`).catch(() => {});
  }
}
