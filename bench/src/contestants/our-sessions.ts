import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { DataSource } from 'typeorm';
import { multiplying, RANDOM_HEX } from '../application/multiply.js';
import { SessionEntity, type SessionService } from '../library.js';
import { bearer } from './bearer.js';
import type { Header, Scene } from './contestant.js';

const PARTS = 10;

/** Makes live sessions, spread over a table of further ones. */
export async function fillSessions(
  sessions: SessionService,
  dataSource: DataSource,
  size: Pick<Scene, 'live' | 'sessions'>,
): Promise<Header[]> {
  const credentials: Header[] = [];
  for (let part = 1; part <= PARTS; part++) {
    while (credentials.length < (size.live * part) / PARTS) {
      const { token } = await sessions.create({ userId: `user-${credentials.length}`, roles: ['customer'] });
      await sessions.validate(token); // The first use of a token is written down.
      credentials.push(bearer(token));
    }
    await addFurther(dataSource, Math.floor((size.sessions - size.live) / PARTS), `part-${part}`);
  }
  await dataSource.query(dataSource.options.type === 'postgres' ? 'VACUUM ANALYZE' : 'ANALYZE');
  return credentials;
}

/** Sessions that nobody has the token of. */
export async function addFurther(
  dataSource: DataSource,
  count: number,
  prefix: string,
  different: Record<string, string> = {},
): Promise<void> {
  if (count === 0) return;
  const { tableName, columns } = dataSource.getMetadata(SessionEntity);
  const hex = RANDOM_HEX[dataSource.options.type === 'postgres' ? 'postgres' : 'sqlite'];
  const statement = multiplying({
    table: tableName,
    columns: columns.map(({ databaseName }) => databaseName),
    different: {
      id: `'${prefix}-' || n`,
      series_hash: hex,
      token_hash: hex,
      user_id: `'${prefix}-user-' || n`,
      ...different,
    },
    count,
  });
  await dataSource.query(statement);
}

/** Of the right shape, with the right checksum of a module without `secret`. */
export function forgeToken(): string {
  const unsigned = `sid_${randomBytes(48).toString('base64url')}`;
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(unsigned));
  return unsigned + checksum.toString('base64url');
}
