/** SQL for a random string of 64 hexadecimal digits, so that indexes look as they do with real hashes. */
export const RANDOM_HEX = {
  postgres: 'md5(random()::text) || md5(random()::text)',
  sqlite: 'lower(hex(randomblob(32)))',
} as const;

export interface Multiplication {
  readonly table: string;
  readonly columns: readonly string[];
  /** SQL of the columns that must differ between rows; `n` is the number of the row. */
  readonly different: Readonly<Record<string, string>>;
  readonly count: number;
}

/** A statement that fills a table with copies of one of its rows. */
export function multiplying({ table, columns, different, count }: Multiplication): string {
  const quoted = columns.map((column) => `"${column}"`).join(', ');
  const values = columns.map((column) => different[column] ?? `"${column}"`).join(', ');
  return (
    `WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${count}) ` +
    `INSERT INTO "${table}" (${quoted}) SELECT ${values} FROM (SELECT * FROM "${table}" LIMIT 1) AS model, numbers`
  );
}
