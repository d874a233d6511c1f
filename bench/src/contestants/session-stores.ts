import ConnectPgSimple from 'connect-pg-simple';
import { RedisStore } from 'connect-redis';
import { type ISession, TypeormStore } from 'connect-typeorm';
import expressSession, { type SessionData, type Store } from 'express-session';
import { randomBytes } from 'node:crypto';
import { Pool } from 'pg';
import { createClient } from 'redis';
import { Column, DataSource, DeleteDateColumn, Entity, Index, PrimaryColumn } from 'typeorm';
import { multiplying, RANDOM_HEX } from '../application/multiply.js';
import { countCommandsOf } from '../application/queries.js';
import type { Scene } from './contestant.js';

/** A store of express-session, which @fastify/session takes too. */
export interface FillableStore {
  readonly store: Store;
  /** Adds copies of a session that is there. */
  fill(count: number): Promise<unknown>;
  close(): Promise<unknown>;
}

export type OpenStore = (scene: Scene) => Promise<FillableStore>;

export const REDIS_URL = process.env['BENCH_REDIS_URL'] ?? 'redis://127.0.0.1:6379';
const BATCH = 1_000;

export const memory: OpenStore = async () => {
  const store = new expressSession.MemoryStore();
  return { store, fill: (count) => setCopies(store, count), close: async () => {} };
};

export const postgres: OpenStore = async (scene) => {
  const pool = new Pool({ connectionString: await scene.postgres() });
  const store = new (ConnectPgSimple(expressSession))({ pool, createTableIfMissing: true });
  const copies = {
    table: 'session',
    columns: ['sid', 'sess', 'expire'],
    different: { sid: RANDOM_HEX.postgres },
  };
  return {
    store,
    fill: async (count) => {
      await pool.query(multiplying({ ...copies, count }));
      await pool.query('VACUUM ANALYZE');
    },
    close: async () => {
      store.close();
      await pool.end();
    },
  };
};

@Entity('session')
class StoredSession implements ISession {
  @Index()
  @Column('bigint')
  expiredAt = Date.now();

  @PrimaryColumn('varchar', { length: 255 })
  id = '';

  @Column('text')
  json = '';

  @DeleteDateColumn()
  destroyedAt?: Date;
}

export const typeorm: OpenStore = async (scene) => {
  const url = await scene.postgres();
  const dataSource = new DataSource({ type: 'postgres', url, entities: [StoredSession], synchronize: true });
  await dataSource.initialize();
  const store = new TypeormStore({ cleanupLimit: 2, ttl: 86_400 }).connect(
    dataSource.getRepository(StoredSession),
  );
  const copies = {
    table: 'session',
    columns: ['expiredAt', 'id', 'json'],
    different: { id: RANDOM_HEX.postgres },
  };
  return {
    store,
    fill: async (count) => {
      await dataSource.query(multiplying({ ...copies, count }));
      await dataSource.query('VACUUM ANALYZE');
    },
    close: () => dataSource.destroy(),
  };
};

export const redis: OpenStore = async () => {
  const client = createClient({ url: REDIS_URL });
  countCommandsOf(client);
  await client.connect();
  const store = new RedisStore({ client, prefix: `bench:${randomBytes(6).toString('hex')}:` });
  return {
    store,
    fill: (count) => setCopies(store, count),
    close: async () => {
      await store.clear();
      await client.close();
    },
  };
};

async function setCopies(store: Store, count: number): Promise<void> {
  const session = { cookie: { originalMaxAge: null, path: '/', httpOnly: true }, userId: 'further' };
  const set = () =>
    new Promise<void>((resolve, reject) => {
      const done = (error?: unknown) => (error ? reject(error as Error) : resolve());
      store.set(randomBytes(24).toString('base64url'), session as unknown as SessionData, done);
    });
  for (let left = count; left > 0; left -= BATCH) {
    await Promise.all(Array.from({ length: Math.min(left, BATCH) }, set));
  }
}
