import type { SessionRecord } from '../../core/model/record.js';
import { RECORD_FIELDS, type SessionRow, toRecord } from '../session-rows.js';
import type { Statements } from './statements.js';
import type { UserSql } from './user-sql.js';

/** In one statement, where one can say what it has deleted. */
export async function deletedByUser(
  statements: Statements,
  { names: { sessions, session }, isTheirs }: UserSql,
  userId: string,
  except: string | undefined,
): Promise<SessionRecord[]> {
  const others = except === undefined ? '' : ` AND ${session('id')} <> :except`;
  const record = RECORD_FIELDS.map((field) => `${session(field)} AS "${field}"`).join(', ');
  // TypeORM drops the rows that come back from SQLite where DELETE is the first word.
  const { rows } = await statements.run(
    `WITH doomed AS (SELECT 1) DELETE FROM ${sessions} WHERE ${isTheirs}${others} RETURNING ${record}`,
    { userId, except },
  );
  return (rows as SessionRow[]).map(toRecord).filter(wasLive);
}

/** Of a session that is still pending nobody has been told, so that there is no end of it to tell. */
export function wasLive({ expiresAt }: SessionRecord): boolean {
  return expiresAt > 0;
}
