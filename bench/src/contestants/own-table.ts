import { TypeOrmModule } from '@nestjs/typeorm';
import { hash, randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import { Column, DataSource, Entity, Index, PrimaryColumn, type Repository } from 'typeorm';
import { bearerToken, MeController, useGuard } from '../application/me.js';
import { multiplying, RANDOM_HEX } from '../application/multiply.js';
import { createApp } from '../application/nest.js';
import { bearer } from './bearer.js';
import type { Entry, Header, Scene, Start } from './contestant.js';

// Sessions as applications make them by themselves: a table with the hash of a random token.

@Entity('own_sessions')
class OwnSession {
  @PrimaryColumn('varchar')
  id!: string;

  @Index({ unique: true })
  @Column('varchar', { name: 'token_hash', length: 64 })
  tokenHash!: string;

  @Column('varchar', { name: 'user_id' })
  userId!: string;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;

  @Column('timestamptz', { name: 'last_seen_at' })
  lastSeenAt!: Date;
}

type Find = (tokenHash: string) => Promise<string | null>;

const DAY = 24 * 60 * 60_000;
const QUERY = 'SELECT user_id, expires_at FROM own_sessions WHERE token_hash = $1';

/** What most people write: find the session, note its use, save it. */
export const findAndSave: Start = (scene) =>
  start(scene, (dataSource) => {
    const sessions: Repository<OwnSession> = dataSource.getRepository(OwnSession);
    return async (tokenHash) => {
      const session = await sessions.findOne({ where: { tokenHash } });
      if (session === null || session.expiresAt.getTime() <= Date.now()) return null;
      session.lastSeenAt = new Date();
      await sessions.save(session);
      return session.userId;
    };
  });

export const query: Start = (scene) =>
  start(scene, (dataSource) => async (tokenHash) => {
    const rows: OwnRow[] = await dataSource.query(QUERY, [tokenHash]);
    return userOf(rows[0]);
  });

/** The least that a query per request can cost: prepared, on the driver's own pool. */
export const preparedQuery: Start = (scene) =>
  start(scene, (dataSource) => {
    const pool = (dataSource.driver as unknown as { master: Pool }).master;
    return async (tokenHash) => {
      const { rows } = await pool.query<OwnRow>({ name: 'session', text: QUERY, values: [tokenHash] });
      return userOf(rows[0]);
    };
  });

interface OwnRow {
  readonly user_id: string;
  readonly expires_at: Date;
}

function userOf(row: OwnRow | undefined): string | null {
  return row !== undefined && row.expires_at.getTime() > Date.now() ? row.user_id : null;
}

async function start(scene: Scene, finder: (dataSource: DataSource) => Find): Promise<Entry> {
  const url = await scene.postgres();
  const app = await createApp(scene.platform, {
    imports: [TypeOrmModule.forRoot({ type: 'postgres', url, entities: [OwnSession], synchronize: true })],
    controllers: [MeController],
  });
  const dataSource = app.get(DataSource);
  const find = finder(dataSource);
  useGuard(app, async (request) => {
    const token = bearerToken(request);
    return token === null ? null : find(hash('sha256', token));
  });
  const credentials = await fill(dataSource, scene);
  return {
    app,
    credentials: async () => credentials,
    forged: bearer(newToken()),
    revoke: ([, value]) =>
      dataSource
        .getRepository(OwnSession)
        .delete({ tokenHash: hash('sha256', value.slice('Bearer '.length)) }),
  };
}

async function fill(dataSource: DataSource, { live, sessions }: Scene): Promise<Header[]> {
  const tokens = Array.from({ length: live }, newToken);
  await dataSource.getRepository(OwnSession).insert(
    tokens.map((token, n) => ({
      id: `live-${n}`,
      tokenHash: hash('sha256', token),
      userId: `user-${n}`,
      expiresAt: new Date(Date.now() + DAY),
      lastSeenAt: new Date(),
    })),
  );
  await dataSource.query(
    multiplying({
      table: 'own_sessions',
      columns: ['id', 'token_hash', 'user_id', 'expires_at', 'last_seen_at'],
      different: { id: `'further-' || n`, token_hash: RANDOM_HEX.postgres },
      count: sessions - live,
    }),
  );
  await dataSource.query('VACUUM ANALYZE');
  return tokens.map(bearer);
}

const newToken = () => randomBytes(32).toString('base64url');
