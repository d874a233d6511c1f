import { Column, Entity, Index, PrimaryColumn, type ValueTransformer } from 'typeorm';

/** Epoch milliseconds: a bigint comes back as a string on PostgreSQL and MySQL. */
const epochMilliseconds: ValueTransformer = {
  to: (value: unknown) => value,
  from: (value: unknown) => (value === null ? null : Number(value)),
};

const time = (name: string) => ({ name, type: 'bigint', transformer: epochMilliseconds }) as const;
const hash = (name: string) => ({ name, type: 'varchar', length: 64 }) as const;

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
export abstract class BaseSessionEntity {
  @PrimaryColumn({ name: 'id', type: 'varchar', length: 36 })
  id!: string;

  @Index({ unique: true })
  @Column(hash('series_hash'))
  seriesHash!: string;

  @Column(hash('token_hash'))
  tokenHash!: string;

  @Column({ ...time('confirmed_at'), nullable: true })
  confirmedAt!: number | null;

  @Column(time('rotated_at'))
  rotatedAt!: number;

  @Column({ ...hash('previous_hash'), nullable: true })
  previousHash!: string | null;

  @Column({ name: 'previous_kind', type: 'varchar', length: 8, nullable: true })
  previousKind!: 'renewal' | 'rotation' | null;

  @Column({ name: 'successor', type: 'varchar', length: 255, nullable: true })
  successor!: string | null;

  @Index()
  @Column({ name: 'user_id', type: 'varchar', length: 255, nullable: true })
  userId!: string | null;

  @Column({ name: 'roles', type: 'text' })
  roles!: string;

  @Column({ name: 'level', type: 'smallint' })
  level!: number;

  @Column(time('created_at'))
  createdAt!: number;

  @Column(time('authenticated_at'))
  authenticatedAt!: number;

  @Column(time('last_seen_at'))
  lastSeenAt!: number;

  @Column(time('idle_expires_at'))
  idleExpiresAt!: number;

  @Column(time('absolute_expires_at'))
  absoluteExpiresAt!: number;

  @Column(time('renew_at'))
  renewAt!: number;

  @Index()
  @Column(time('expires_at'))
  expiresAt!: number;

  @Column({ name: 'ip', type: 'varchar', length: 45, nullable: true })
  ip!: string | null;

  @Column({ name: 'user_agent', type: 'varchar', length: 255, nullable: true })
  userAgent!: string | null;

  @Column({ name: 'label', type: 'varchar', length: 100, nullable: true })
  label!: string | null;

  @Column({ name: 'data', type: 'text' })
  data!: string;

  @Column({ name: 'data_version', type: 'integer' })
  dataVersion!: number;
}

/** The table `sessions`. */
@Entity('sessions')
export class SessionEntity extends BaseSessionEntity {}

/**
 * The table `session_users`: when a user's sessions were last revoked or given other roles, so that a sign-in that
 * began before does not outlive it; and the row that serialises the sign-ins of one user.
 */
@Entity('session_users')
export class SessionUserEntity {
  /** SHA-256 of the user id: hashes compare exactly on every database, user ids do not. */
  @PrimaryColumn(hash('user_hash'))
  userHash!: string;

  @Index()
  @Column(time('changed_at'))
  changedAt!: number;
}

/** What a data source without `autoLoadEntities` has to list. */
export const sessionEntities = [SessionEntity, SessionUserEntity] as const;
