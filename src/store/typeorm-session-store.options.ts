import type { EntityTarget } from 'typeorm';
import type { SchemaCheck } from './schema-check.js';
import type { BaseSessionEntity } from './session.entity.js';

export interface TypeOrmSessionStoreOptions {
  readonly entity: EntityTarget<BaseSessionEntity>;
  /** `null`: as fits the database. */
  readonly purgeBatchSize: number | null;
  /**
   * What has expired is purged at the next multiple of this many milliseconds, so that most activity leaves the index that
   * the purge goes by alone. Default: an hour.
   */
  readonly purgeStep?: number;
  /** Made with the first connection, at boot where the database is there. Default: none. */
  readonly schema?: SchemaCheck | null;
}
