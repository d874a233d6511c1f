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
  /** UUIDv7: public. */
  @PrimaryColumn({ name: 'id', type: 'varchar', length: 36 })
  id!: string;

  /** SHA-256 of the series; what a row is found by. */
  @Index({ unique: true })
  @Column(hash('series_hash'))
  seriesHash!: string;

  /** SHA-256 of the newest token. */
  @Column(hash('token_hash'))
  tokenHash!: string;

  /** When the newest token was first shown. Times are epoch milliseconds. */
  @Column({ ...time('confirmed_at'), nullable: true })
  confirmedAt!: number | null;

  /** When the newest token was made. */
  @Column(time('rotated_at'))
  rotatedAt!: number;

  /** SHA-256 of the token before the newest one. */
  @Column({ ...hash('previous_hash'), nullable: true })
  previousHash!: string | null;

  /** How the newest token came to follow the previous one. */
  @Column({ name: 'previous_kind', type: 'varchar', length: 8, nullable: true })
  previousKind!: 'renewal' | 'rotation' | null;

  /** The newest token, sealed for holders of the previous one. */
  @Column({ name: 'successor', type: 'varchar', length: 255, nullable: true })
  successor!: string | null;

  /** `null` before sign-in. */
  @Index()
  @Column({ name: 'user_id', type: 'varchar', length: 255, nullable: true })
  userId!: string | null;

  /** JSON array of strings. */
  @Column({ name: 'roles', type: 'text' })
  roles!: string;

  /** Authenticator assurance level (NIST SP 800-63B AAL). */
  @Column({ name: 'level', type: 'smallint' })
  level!: number;

  /** When the session was made. */
  @Column(time('created_at'))
  createdAt!: number;

  /** The last sign-in or step-up. */
  @Column(time('authenticated_at'))
  authenticatedAt!: number;

  /** The last activity that is written. */
  @Column(time('last_seen_at'))
  lastSeenAt!: number;

  /** When it ends without activity. */
  @Column(time('idle_expires_at'))
  idleExpiresAt!: number;

  /** When it ends, active or not. */
  @Column(time('absolute_expires_at'))
  absoluteExpiresAt!: number;

  /** When the newest token falls due for renewal. */
  @Column(time('renew_at'))
  renewAt!: number;

  /** The earlier of the two expiries. */
  @Index()
  @Column(time('expires_at'))
  expiresAt!: number;

  /** Of the sign-in. */
  @Column({ name: 'ip', type: 'varchar', length: 45, nullable: true })
  ip!: string | null;

  /** Of the sign-in. */
  @Column({ name: 'user_agent', type: 'varchar', length: 255, nullable: true })
  userAgent!: string | null;

  /** The name of the device. */
  @Column({ name: 'label', type: 'varchar', length: 100, nullable: true })
  label!: string | null;

  /** JSON object. */
  @Column({ name: 'data', type: 'text' })
  data!: string;

  /** Grows by one with each change of `data`. */
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

  /** Stamp of that change, in epoch milliseconds. */
  @Index()
  @Column(time('changed_at'))
  changedAt!: number;
}

/** What a data source without `autoLoadEntities` has to list. */
export const sessionEntities = [SessionEntity, SessionUserEntity] as const;
