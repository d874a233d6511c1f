import { type BeforeApplicationShutdown, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { setTimeout as wait } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { Deadline } from '../core/outage/deadline.js';
import { Patience } from '../core/outage/patience.js';
import { SessionOptionsError, SessionSchemaError } from '../core/model/errors.js';
import { SHUTDOWN_PATIENCE } from '../core/outage/time-budgets.js';
import type { SessionRecord } from '../core/model/record.js';
import {
  type Admission,
  type Admitted,
  type ChangeBatch,
  type Change,
  type BatchDone,
  type EndedSession,
  type Expected,
  type ExpectedOwner,
  type SessionPage,
  type ReuseJudgement,
  type RolesChange,
  SessionStore,
  type Touch,
} from '../core/model/store.js';
import { ColumnAlphabets } from './column-alphabets.js';
import { DatabaseClock } from './database-clock.js';
import { dialectOf } from './dialects/dialect-of.js';
import { GroupedReads } from './grouped-reads.js';
import type { PrimaryConnection, Work } from './primary-connection.js';
import { preparedQuery } from './prepared-query.js';
import { PurgeSchedule } from './purge-schedule.js';
import { SeriesRead } from './series-read.js';
import { ServerConnection } from './server-connection.js';
import { SessionStatements } from './session-statements.js';
import { SharedConnection } from './shared-connection.js';
import { TouchBuffer } from './touch-buffer.js';
import { TouchWriter } from './touch-writer.js';
import type { TypeOrmSessionStoreOptions } from './typeorm-session-store.options.js';
import { assembleWriting, type SessionWriting } from './writes/session-writing.js';

/** Each looks for several series. */
const LARGEST_LATER_GROUP = 32;

/** Keeps sessions in the application's database. */
export class TypeOrmSessionStore
  extends SessionStore
  implements OnApplicationBootstrap, BeforeApplicationShutdown
{
  private readonly logger = new Logger('SessionStore');
  private readonly connection: PrimaryConnection;
  private readonly sessions: SessionStatements;
  private readonly alphabets: ColumnAlphabets;
  private readonly clock: DatabaseClock;
  private readonly schedule: PurgeSchedule;
  private readonly reads: GroupedReads<SessionRecord>;
  /** Apart, since most of them are for tokens that nobody has: a flood of those is not to hold up the others. */
  private readonly laterReads: GroupedReads<SessionRecord>;
  private readonly touches: TouchBuffer;
  private readonly patience = new Patience();
  private readonly assemble: () => SessionWriting;
  private writing: Promise<SessionWriting> | null = null;
  private isShuttingDown = false;

  /** @throws SessionOptionsError for a database that is not supported */
  constructor(
    private readonly dataSource: DataSource,
    { entity, purgeBatchSize, purgeStep, schema = null }: TypeOrmSessionStoreOptions,
  ) {
    super();
    const dialect = dialectOf(dataSource);
    const connection: PrimaryConnection =
      dialect.server === null
        ? new SharedConnection(dataSource, schema)
        : new ServerConnection(dataSource, dialect.server, schema);
    const query = preparedQuery(dataSource, dialect);
    const sessions = new SessionStatements(dataSource, entity, dialect);
    this.connection = connection;
    this.sessions = sessions;
    this.schedule = new PurgeSchedule(purgeStep);
    this.clock = new DatabaseClock(connection, dialect.server);
    this.alphabets = new ColumnAlphabets(connection, dialect.server, sessions);
    const batchSize = purgeBatchSize ?? dialect.purge.batchSize;
    const parts = { dataSource, dialect, connection, query, sessions, clock: this.clock, batchSize };
    this.assemble = () => assembleWriting(parts);
    const series = new SeriesRead(query, dialect, sessions, () => this.touches.overlay());
    const load = (hashes: readonly string[]) => this.connection.read((runner) => series.read(runner, hashes));
    this.reads = new GroupedReads(load);
    this.laterReads = new GroupedReads(load, LARGEST_LATER_GROUP);
    const writer = new TouchWriter(connection, sessions, this.schedule, dialect.server !== null);
    this.touches = new TouchBuffer((touches, onSent) => writer.write(touches, onSent));
  }

  /**
   * Makes the first connection, and with it the checks of the connection and of the schema: what would stop every request
   * stops the boot. After `onModuleInit`, where applications may run their migrations. Where the database is away the
   * application starts, and whoever connects first is told.
   *
   * @throws SessionOptionsError, SessionSchemaError
   */
  async onApplicationBootstrap(): Promise<void> {
    // `manualInitialization`: the application does that when it likes.
    if (!this.dataSource.isInitialized) return;
    try {
      await this.patience.within(this.writes());
    } catch (error) {
      if (error instanceof SessionSchemaError || error instanceof SessionOptionsError) throw error;
      this.logger.warn(`The database is not there yet; its tables are checked when it is. ${String(error)}`);
    }
  }

  findBySeries(seriesHash: string): Promise<SessionRecord | null> {
    return this.reads.read(seriesHash);
  }

  findByAnySeries(seriesHashes: readonly string[]): Promise<SessionRecord | null> {
    return this.laterReads.read(...seriesHashes);
  }

  async findById(id: string): Promise<SessionRecord | null> {
    const upToDate = this.touches.overlay();
    const record = await this.connection.read((runner) => this.sessions.findById(runner, id));
    return record && upToDate(record);
  }

  override async findMany(ids: readonly string[]): Promise<SessionRecord[]> {
    const upToDate = this.touches.overlay();
    const found = await this.connection.read((runner) => this.sessions.findMany(runner, ids));
    return found.map(upToDate);
  }

  async latestChange(): Promise<number> {
    return (await this.writes()).order.latest();
  }

  async findLive(userId: string, now: number, page: SessionPage): Promise<SessionRecord[]> {
    await this.alphabets.assertHeld('userId', userId);
    await this.touches.flush();
    return this.connection.read((runner) => this.sessions.findLive(runner, userId, now, page));
  }

  override countLive(below: string, now: number): Promise<number> {
    return this.connection.read((runner) => this.sessions.countLive(runner, below, now));
  }

  async insert(given: SessionRecord, admission: Admission | null): Promise<Admitted> {
    const deadline = Deadline.current;
    await this.alphabets.assertHeld('userId', given.userId ?? undefined);
    const record = await this.alphabets.fitting(given);
    const stored = this.schedule.entering(record, admission);
    const { statements, sql, users } = await this.writes();
    if (admission === null) {
      await statements.until(deadline).run(sql.insertLive, { ...stored });
      return { outcome: 'admitted', evicted: [] };
    }
    if (admission.limit) await this.touches.flush();
    return users.until(deadline).insert(stored, admission);
  }

  async admit(id: string, expected: ExpectedOwner, given: Change, admission: Admission): Promise<Admitted> {
    const deadline = Deadline.current;
    await this.alphabets.assertHeld('userId', admission.userId);
    const change = this.schedule.stored(await this.alphabets.fitting(given));
    const isClaim = expected.userId === null;
    if (admission.limit && isClaim) await this.touches.flush();
    const users = (await this.writes()).users.until(deadline);
    return users.admit(id, expected, isClaim ? { ...change, begun: admission.begun } : change, admission);
  }

  change(id: string, expected: Expected, change: Change): Promise<boolean> {
    const stored = this.schedule.stored(change);
    return this.write((runner) => this.sessions.change(runner, id, expected, stored));
  }

  async touch(touch: Touch, durably: boolean): Promise<void> {
    const sent = this.touches.note(touch);
    await (durably || this.isShuttingDown ? this.touches.settle(touch.id) : sent);
  }

  flush(): Promise<void> {
    return this.touches.flush();
  }

  async mark(userId: string | null): Promise<number> {
    const deadline = Deadline.current;
    await this.alphabets.assertHeld('userId', userId ?? undefined);
    return (await this.writes()).order.mark(userId, deadline);
  }

  async setRoles(userId: string, change: RolesChange, batch: ChangeBatch): Promise<BatchDone<number>> {
    const deadline = Deadline.current;
    await this.touches.flush();
    return (await this.writes()).batches.setRoles(userId, change, this.schedule.step, batch, deadline);
  }

  async delete(id: string, userId?: string): Promise<SessionRecord | null> {
    const deadline = Deadline.current;
    await this.alphabets.assertHeld('userId', userId);
    const record = await this.connection.read((runner) => this.sessions.findById(runner, id));
    if (record === null) return null;
    const isGone = await this.write((runner) => this.sessions.delete(runner, id, userId), deadline);
    return isGone ? record : null;
  }

  deleteExpected(id: string, expected: Expected): Promise<boolean> {
    return this.write((runner) => this.sessions.deleteExpected(runner, id, expected));
  }

  deleteReused(judgement: ReuseJudgement): Promise<boolean> {
    return this.write((runner) => this.sessions.deleteReused(runner, judgement));
  }

  async deleteByUser(
    userId: string,
    except: string | null,
    batch: ChangeBatch,
  ): Promise<BatchDone<readonly EndedSession[]>> {
    const deadline = Deadline.current;
    return (await this.writes()).batches.deleteByUser(userId, except, batch, deadline);
  }

  async deleteAll(createdBefore: number | null, batch: ChangeBatch): Promise<BatchDone<number>> {
    const deadline = Deadline.current;
    return (await this.writes()).batches.deleteAll(createdBefore, batch, deadline);
  }

  async purgeExpired(now: number, signal?: AbortSignal): Promise<number> {
    await this.touches.flush();
    return (await this.writes()).purge.run(now, signal);
  }

  override clockSkew(): Promise<number> {
    return this.clock.skew();
  }

  /** From now on activity is written at once: later hooks may close the data source. */
  async beforeApplicationShutdown(): Promise<void> {
    this.isShuttingDown = true;
    await Promise.race([this.touches.flush(), wait(SHUTDOWN_PATIENCE, undefined, { ref: false })]);
  }

  private write<T>(work: Work<T>, deadline = Deadline.current): Promise<T> {
    return this.connection.write(work, deadline);
  }

  /** Only once there was a connection: what is wrong with the entities, the check of the schema says better. */
  private writes(): Promise<SessionWriting> {
    this.writing ??= this.connection
      .read(() => Promise.resolve())
      .then(this.assemble)
      .catch((error: unknown) => {
        this.writing = null;
        throw error;
      });
    return this.writing;
  }
}
