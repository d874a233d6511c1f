import type { SessionRecord } from '../core/model/record.js';
import type { TableMessage } from '../core/model/cluster-database.js';
import type { Change } from '../core/model/store.js';

/** A column, for the entity as for the migration. */
export interface Column {
  /** The property that it holds. */
  readonly field: string;
  readonly name: string;
  readonly type: 'varchar' | 'text' | 'bigint' | 'smallint' | 'integer';
  /** In characters; of a `varchar` only. */
  readonly length?: number;
  readonly nullable?: boolean;
  /** `by-id`: together with the id, for what goes through many rows of one value in the order of their ids. */
  readonly index?: 'primary' | 'unique' | 'plain' | 'by-id';
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
 * The table `sessions`: a column for each property of a record; what they mean is said in `SessionRecord`. Statements
 * name them in this order. `fromCells` does not compile where one is missing.
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
  // Eight of 16 characters, and the commas.
  { field: 'unshown', name: 'unshown', type: 'varchar', length: 135, nullable: true },
  { field: 'ignoredFrom', ...time('ignored_from'), nullable: true },
  { field: 'userId', name: 'user_id', type: 'varchar', length: 255, nullable: true, index: 'by-id' },
  { field: 'roles', name: 'roles', type: 'text' },
  { field: 'createdAt', ...time('created_at') },
  { field: 'authenticatedAt', ...time('authenticated_at') },
  { field: 'level2At', ...time('level2_at'), nullable: true },
  { field: 'level3At', ...time('level3_at'), nullable: true },
  { field: 'lastSeenAt', ...time('last_seen_at') },
  { field: 'idleExpiresAt', ...time('idle_expires_at') },
  { field: 'absoluteExpiresAt', ...time('absolute_expires_at') },
  { field: 'renewAt', ...time('renew_at') },
  { field: 'expiresAt', ...time('expires_at') },
  { field: 'ip', name: 'ip', type: 'varchar', length: 45, nullable: true },
  { field: 'userAgent', name: 'user_agent', type: 'varchar', length: 255, nullable: true },
  { field: 'label', name: 'label', type: 'varchar', length: 100, nullable: true },
  { field: 'data', name: 'data', type: 'text' },
  { field: 'dataVersion', name: 'data_version', type: 'integer' },
] as const satisfies readonly ColumnOf<SessionRecord>[];

/** What a row holds beside the record. */
export interface StoreFields {
  /**
   * When the row may be purged: `expiresAt`, rounded up so coarsely that most activity leaves it alone. `expiresAt` has no
   * index therefore: PostgreSQL writes all indexes of a row anew when one of the indexed columns changes.
   */
  readonly purgeAfter: number;
  /** Number of the latest `setRoles` that has reached the row. */
  readonly rolesSet: number;
  /** The number that the sign-in had read: changes with larger ones reach the row. 0 of a session of nobody. */
  readonly begun: number;
  /** Which sign-in of the user's it was, where there is a limit; 0 where there was none. */
  readonly turn: number;
}

/** A row of `sessions`. It is pending, a sign-in that is not done yet, while `expiresAt` is 0. */
export type StoredRecord = SessionRecord & StoreFields;
export type StoredChange = Change & Partial<Pick<StoreFields, 'purgeAfter' | 'begun'>>;

export const STORED_COLUMNS = [
  ...SESSION_COLUMNS,
  { field: 'purgeAfter', ...time('purge_after'), index: 'plain' },
  { field: 'rolesSet', name: 'roles_set', type: 'bigint' },
  { field: 'begun', name: 'begun', type: 'bigint' },
  { field: 'turn', name: 'turn', type: 'bigint' },
] as const satisfies readonly ColumnOf<StoredRecord>[];

/** A row of `session_users`: see `SessionUserEntity` and `OrderSql`. */
export interface SessionUserRow {
  /** SHA-256 of the user id: hashes compare exactly on every database, user ids do not. */
  readonly userHash: string;
  /** The mark: of the latest revocation, or change of roles, that concerns the user; 0 where there was none. */
  readonly number: number;
  /** The user's latest turn, or that number if it is larger. */
  readonly turns: number;
}

/** A row of `session_nodes`: see `NodeRegistry`. Two rows are no nodes, and stay: `server` and `namespace`. */
export interface SessionNodeRow {
  readonly nodeId: string;
  /** 1: it may not answer from memory any more. */
  readonly evicted: number;
  /** The server on which it was written; of the row `server`, the one that is there. */
  readonly server: string;
  /** How long the node may answer after it has asked whether it may, in milliseconds. */
  readonly lease: number;
}

/** The table `session_nodes`. */
export const NODE_COLUMNS = [
  { field: 'nodeId', name: 'node_id', type: 'varchar', length: 36, index: 'primary' },
  { field: 'evicted', name: 'evicted', type: 'smallint' },
  { field: 'server', name: 'server', type: 'varchar', length: 255 },
  { field: 'lease', name: 'lease', type: 'integer' },
] as const satisfies readonly ColumnOf<SessionNodeRow>[];

/** The table `session_messages`, which is the bus of `cluster: { bus: 'table' }`. */
export const MESSAGE_COLUMNS = [
  { field: 'id', name: 'id', type: 'varchar', length: 36, index: 'primary' },
  { field: 'channel', name: 'channel', type: 'varchar', length: 64, index: 'plain' },
  { field: 'message', name: 'message', type: 'text' },
] as const satisfies readonly ColumnOf<TableMessage>[];

/** The table `session_users`. */
export const USER_COLUMNS = [
  { field: 'userHash', ...sha256('user_hash'), index: 'primary' },
  { field: 'number', name: 'number', type: 'bigint' },
  { field: 'turns', name: 'turns', type: 'bigint', index: 'plain' },
] as const satisfies readonly ColumnOf<SessionUserRow>[];
