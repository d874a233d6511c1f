import type { QueryRunner } from 'typeorm';
import { SessionOptionsError } from '../../core/model/errors.js';

/**
 * The drivers put values into the text of a statement, with a backslash before each quote. Where that escapes nothing,
 * a quote in a user id or a label ends the string, and what follows is SQL.
 * @throws SessionOptionsError
 */
export async function assertBackslashesEscape(runner: QueryRunner): Promise<void> {
  const [row] = (await runner.query('SELECT @@SESSION.sql_mode AS modes')) as [{ modes: string }];
  if (!String(row.modes).split(',').includes('NO_BACKSLASH_ESCAPES')) return;
  throw new SessionOptionsError(
    'dataSource',
    'a connection with NO_BACKSLASH_ESCAPES in its sql_mode',
    'take that mode away, for the driver escapes values with backslashes: text of a client could become SQL.',
  );
}
