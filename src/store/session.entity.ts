import type { TableMessage } from '../core/model/cluster-database.js';
import { Column, Entity, Index, type ValueTransformer } from 'typeorm';
import {
  type Column as StoredColumn,
  MESSAGE_COLUMNS,
  NODE_COLUMNS,
  type SessionNodeRow,
  USER_COLUMNS,
  type SessionUserRow,
  STORED_COLUMNS,
  type StoredRecord,
} from './columns.js';

/** A bigint comes back as a string on PostgreSQL and MySQL. */
const toNumber: ValueTransformer = {
  to: (value: unknown) => value,
  from: (value: unknown) => (value === null ? null : Number(value)),
};

/**
 * The columns of a session. Extend it to rename the table or to add columns of your own, and pass the class as the
 * option `entity`:
 *
 * ```ts
 * @Entity('app_sessions')
 * export class AppSessionEntity extends BaseSessionEntity {
 *   @Column({ name: 'tenant', type: 'varchar', length: 40, nullable: true })
 *   tenant!: string | null;
 * }
 * ```
 *
 * Columns of your own must be nullable or have a default. Read what you like; to change a session, use the verbs of
 * `SessionService`: a save of an entity would undo what happened since it was loaded.
 */
export abstract class BaseSessionEntity extends withColumns<StoredRecord>(STORED_COLUMNS) {}

/** The table `sessions`. */
@Entity('sessions')
export class SessionEntity extends BaseSessionEntity {}

/**
 * The table `session_users`: what came first, in numbers. It has a row that numbers are drawn from, a row with the number
 * of the latest `revokeEveryone`, and one for each user whose sessions were revoked, or who got other roles, lately.
 */
@Entity('session_users')
export class SessionUserEntity extends withColumns<SessionUserRow>(USER_COLUMNS) {}

/** The table `session_nodes`: which processes may answer from memory, with the option `cluster`. Without it, it is empty. */
@Entity('session_nodes')
export class SessionNodeEntity extends withColumns<SessionNodeRow>(NODE_COLUMNS) {}

/** The table `session_messages`: what processes tell each other with `cluster: { bus: 'table' }`. Else it is empty. */
@Entity('session_messages')
export class SessionMessageEntity extends withColumns<TableMessage>(MESSAGE_COLUMNS) {}

/** What a data source without `autoLoadEntities` has to list. */
export const sessionEntities = [
  SessionEntity,
  SessionUserEntity,
  SessionNodeEntity,
  SessionMessageEntity,
] as const;

/** A class to extend: what decorators at its properties would do is done from the list that the migration has too. */
function withColumns<Row>(columns: readonly StoredColumn[]): new () => Row {
  class Columns {}
  for (const { field, index, ...column } of columns) {
    const transformer = column.type === 'bigint' ? { transformer: toNumber } : {};
    Column({ ...column, ...transformer, primary: index === 'primary' })(Columns.prototype, field);
    if (index === 'by-id') Index([field, 'id'])(Columns);
    else if (index !== undefined && index !== 'primary')
      Index({ unique: index === 'unique' })(Columns.prototype, field);
  }
  return Columns as new () => Row;
}
