import type { QueryRunner } from 'typeorm';
import { LOCK_TIMEOUT } from '../core/outage/time-budgets.js';

const SECONDS = LOCK_TIMEOUT / 1_000;

/** Runs a transaction that waits for locks no longer than that. It calls `limit` once it has begun. */
export async function withLockTimeout<T>(
  runner: QueryRunner,
  databaseType: string,
  transaction: (limit: () => Promise<unknown>) => Promise<T>,
): Promise<T> {
  if (databaseType === 'postgres') {
    return transaction(() => runner.query(`SET LOCAL lock_timeout = '${SECONDS}s'`));
  }
  // MySQL has it per connection only, which goes back to the application's pool afterwards.
  const [before] = (await runner.query('SELECT @@innodb_lock_wait_timeout AS seconds')) as [
    { seconds: number },
  ];
  await runner.query(`SET SESSION innodb_lock_wait_timeout = ${SECONDS}`);
  try {
    return await transaction(() => Promise.resolve());
  } finally {
    await runner.query(`SET SESSION innodb_lock_wait_timeout = ${Number(before.seconds)}`).catch(() => {});
  }
}
