import { randomBytes } from 'node:crypto';
import { newSessionId } from '../../src/core/life/session-ids.js';
import type { StoredRecord } from '../../src/store/columns.js';
import { SessionEntity } from '../../src/store/session.entity.js';
import type { TestNode } from './store.js';

/** SQLite takes 32,766 parameters in a statement, and PostgreSQL 65,535. */
const ROWS_AT_ONCE = 1_000;

/**
 * Sessions of the same user as the one with this id, and otherwise like it, each a millisecond older than the one before.
 * @returns their ids, the newest first
 */
export async function addOlder({ dataSource }: TestNode, id: string, count: number): Promise<string[]> {
  const model = (await dataSource.getRepository(SessionEntity).findOneByOrFail({ id })) as StoredRecord;
  const ids: string[] = [];
  while (ids.length < count) {
    const rows = Array.from({ length: Math.min(ROWS_AT_ONCE, count - ids.length) }, (_, at) => {
      const createdAt = model.createdAt - ids.length - at - 1;
      const [seriesHash, tokenHash] = [randomBytes(32).toString('hex'), randomBytes(32).toString('hex')];
      return { ...model, id: newSessionId(createdAt), createdAt, seriesHash, tokenHash };
    });
    await dataSource
      .createQueryBuilder()
      .insert()
      .into(SessionEntity)
      .values(rows)
      .updateEntity(false)
      .execute();
    ids.push(...rows.map((row) => row.id));
  }
  return ids;
}
