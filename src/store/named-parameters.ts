import type { ObjectLiteral, QueryResult, QueryRunner } from 'typeorm';
import type { Dialect } from './dialects/dialect.js';

/** Runs SQL of our own with parameters as TypeORM's query builders take them: `:name`, and `:...name` for a list. */
export function runSql(
  runner: QueryRunner,
  { placeholder }: Pick<Dialect, 'placeholder'>,
  sql: string,
  parameters: ObjectLiteral,
): Promise<QueryResult> {
  const values: unknown[] = [];
  const query = sql.replaceAll(/:(?:\.\.\.)?(\w+)/g, (_, name: string) => {
    const value: unknown = parameters[name];
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    return list.map((each) => placeholder(values.push(each))).join(', ');
  });
  return runner.query(query, values, true);
}
