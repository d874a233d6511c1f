import type { QueryRunner } from 'typeorm';

const EPOCH_MILLISECONDS: Readonly<Record<string, string>> = {
  postgres: 'SELECT EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS now',
  // Whole seconds: `UNIX_TIMESTAMP(NOW(3))` goes by local time, which an hour of every year has twice.
  mysql: 'SELECT UNIX_TIMESTAMP() * 1000 AS now',
  mariadb: 'SELECT UNIX_TIMESTAMP() * 1000 AS now',
};

/** How far, in milliseconds, this machine's clock is from the database's; 0 where they are the same machine's. */
export async function clockSkew(runner: QueryRunner, databaseType: string): Promise<number> {
  const query = EPOCH_MILLISECONDS[databaseType];
  if (query === undefined) return 0;
  const asked = Date.now();
  const [row] = (await runner.query(query)) as [{ now: string | number }];
  const answered = Date.now();
  return Math.round(Number(row.now) - (asked + answered) / 2);
}
