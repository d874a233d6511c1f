import type { SessionRecord } from '../core/model/record.js';

/** A column, for the entity as for the migration. */
export interface Column {
  /** The property that it holds. */
  readonly field: string;
  readonly name: string;
  readonly type: 'varchar' | 'text' | 'bigint' | 'smallint' | 'integer';
  /** In characters; of a `varchar` only. */
  readonly length?: number;
  readonly nullable?: boolean;
  readonly index?: 'primary' | 'unique' | 'plain';
}

/** A column for one of these properties, which can hold its values. */
type ColumnOf<Row> = {
  [field in keyof Row]-?: Column & { readonly field: field } & TypeFor<Row[field]> & NullFor<Row[field]>;
}[keyof Row];
type TypeFor<Value> = {
  readonly type: Value extends number | null ? 'bigint' | 'smallint' | 'integer' : 'varchar' | 'text';
};
type NullFor<Value> = null extends Value ? { readonly nullable: true } : { readonly nullable?: never };

/** Epoch milliseconds. */
const time = (name: string) => ({ name, type: 'bigint' }) as const;
const sha256 = (name: string) => ({ name, type: 'varchar', length: 64 }) as const;

/**
 * The table `sessions`: a column for each property of a record; what they mean is said in `SessionRecord`. Statements name
 * them in this order. `fromCells` does not compile where one is missing.
 */
export const SESSION_COLUMNS = [
  { field: 'id', name: 'id', type: 'varchar', length: 36, index: 'primary' },
  { field: 'seriesHash', ...sha256('series_hash'), index: 'unique' },
  { field: 'tokenHash', ...sha256('token_hash') },
  { field: 'confirmedAt', ...time('confirmed_at'), nullable: true },
  { field: 'rotatedAt', ...time('rotated_at') },
  { field: 'previousHash', ...sha256('previous_hash'), nullable: true },
  { field: 'previousKind', name: 'previous_kind', type: 'varchar', length: 8, nullable: true },
  { field: 'successor', name: 'successor', type: 'varchar', length: 255, nullable: true },
  { field: 'userId', name: 'user_id', type: 'varchar', length: 255, nullable: true, index: 'plain' },
  { field: 'roles', name: 'roles', type: 'text' },
  { field: 'level', name: 'level', type: 'smallint' },
  { field: 'createdAt', ...time('created_at') },
  { field: 'authenticatedAt', ...time('authenticated_at') },
  { field: 'lastSeenAt', ...time('last_seen_at') },
  { field: 'idleExpiresAt', ...time('idle_expires_at') },
  { field: 'absoluteExpiresAt', ...time('absolute_expires_at') },
  { field: 'renewAt', ...time('renew_at') },
  { field: 'expiresAt', ...time('expires_at'), index: 'plain' },
  { field: 'ip', name: 'ip', type: 'varchar', length: 45, nullable: true },
  { field: 'userAgent', name: 'user_agent', type: 'varchar', length: 255, nullable: true },
  { field: 'label', name: 'label', type: 'varchar', length: 100, nullable: true },
  { field: 'data', name: 'data', type: 'text' },
  { field: 'dataVersion', name: 'data_version', type: 'integer' },
] as const satisfies readonly ColumnOf<SessionRecord>[];

/** A row of `session_users`: when the sessions or roles of a user were last changed. */
export interface SessionMark {
  /** SHA-256 of the user id: hashes compare exactly on every database, user ids do not. */
  readonly userHash: string;
  /** Stamp of that change, in epoch milliseconds. */
  readonly changedAt: number;
}

/** The table `session_users`. */
export const MARK_COLUMNS = [
  { field: 'userHash', ...sha256('user_hash'), index: 'primary' },
  { field: 'changedAt', ...time('changed_at'), index: 'plain' },
] as const satisfies readonly ColumnOf<SessionMark>[];
