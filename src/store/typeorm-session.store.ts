import { type BeforeApplicationShutdown, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { setTimeout as wait } from 'node:timers/promises';
import type { DataSource, EntityTarget } from 'typeorm';
import { Patience } from '../core/outage/patience.js';
import { SHUTDOWN_PATIENCE } from '../core/outage/time-budgets.js';
import { SessionSchemaError } from '../core/model/errors.js';
import type { SessionRecord } from '../core/model/record.js';
import {
  type Admission,
  type Admitted,
  type Change,
  type Expected,
  type ReuseJudgement,
  type RolesChange,
  SessionStore,
  type Touch,
} from '../core/model/store.js';
import { dialectOf } from './dialects/dialect-of.js';
import { GroupedReads } from './grouped-reads.js';
import { LockingWrites } from './locking-writes.js';
import type { PrimaryConnection, Work } from './primary-connection.js';
import { Purge } from './purge.js';
import type { BaseSessionEntity } from './session.entity.js';
import type { SchemaCheck } from './schema-check.js';
import { SeriesRead } from './series-read.js';
import { SessionMarks } from './session-marks.js';
import { ServerConnection } from './server-connection.js';
import { SessionStatements } from './session-statements.js';
import { SharedConnection } from './shared-connection.js';
import { SingleStatementWrites } from './single-statement-writes.js';
import { type NotedTouch, TouchBuffer } from './touch-buffer.js';
import type { UserWrites } from './user-writes.js';

/** In one statement; a pause for everybody else on SQLite. */
const TOUCHES_AT_ONCE = 100;
/** Each looks for several series. */
const LARGEST_LATER_GROUP = 32;

export interface TypeOrmSessionStoreOptions {
  readonly entity: EntityTarget<BaseSessionEntity>;
  /** `null`: as fits the database. */
  readonly purgeBatchSize: number | null;
  /** Made with the first connection, at boot where the database is there. Default: none. */
  readonly schema?: SchemaCheck | null;
}

/** Keeps sessions in the application's database. */
export class TypeOrmSessionStore
  extends SessionStore
  implements OnApplicationBootstrap, BeforeApplicationShutdown
{
  private readonly logger = new Logger('SessionStore');
  private readonly connection: PrimaryConnection;
  private readonly sessions: SessionStatements;
  private readonly userWrites: UserWrites;
  private readonly purge: Purge;
  private readonly reads: GroupedReads<SessionRecord>;
  /** Apart, since most of them are for tokens that nobody has: a flood of those is not to hold up the others. */
  private readonly laterReads: GroupedReads<SessionRecord>;
  private readonly touches: TouchBuffer;
  private readonly patience = new Patience();
  private isShuttingDown = false;

  /** @throws SessionOptionsError for a database that is not supported */
  constructor(
    private readonly dataSource: DataSource,
    { entity, purgeBatchSize, schema = null }: TypeOrmSessionStoreOptions,
  ) {
    super();
    const dialect = dialectOf(dataSource);
    const sessions = new SessionStatements(dataSource, entity, dialect);
    const marks = new SessionMarks(dataSource, dialect);
    const batchSize = purgeBatchSize ?? dialect.purge.batchSize;
    this.sessions = sessions;
    if (dialect.server === null) {
      const connection = new SharedConnection(dataSource, schema);
      const alone = <T>(work: Work<T>) => connection.write(work);
      this.connection = connection;
      this.userWrites = new SingleStatementWrites(connection, dialect, sessions, marks);
      this.purge = new Purge(dialect, connection, alone, sessions, marks, batchSize);
    } else {
      const connection = new ServerConnection(dataSource, dialect.server, schema);
      const inTransaction = <T>(work: Work<T>) => connection.transaction(work);
      this.connection = connection;
      this.userWrites = new LockingWrites(connection, dialect.server, sessions, marks);
      this.purge = new Purge(dialect, connection, inTransaction, sessions, marks, batchSize);
    }
    const series = new SeriesRead(dataSource, dialect, sessions, (record) => this.touches.apply(record));
    const load = (hashes: readonly string[]) => this.connection.read((runner) => series.read(runner, hashes));
    this.reads = new GroupedReads(load);
    this.laterReads = new GroupedReads(load, LARGEST_LATER_GROUP);
    this.touches = new TouchBuffer((touches) => this.writeTouches(touches));
  }

  /**
   * Makes the first connection, and with it the check of the schema. After `onModuleInit`, where applications may run
   * their migrations. Where the database is away the application starts, and whoever connects first is told.
   *
   * @throws SessionSchemaError
   */
  async onApplicationBootstrap(): Promise<void> {
    // `manualInitialization`: the application does that when it likes.
    if (!this.dataSource.isInitialized) return;
    try {
      await this.patience.within(this.connection.read(() => Promise.resolve()));
    } catch (error) {
      if (error instanceof SessionSchemaError) throw error;
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
    const record = await this.connection.read((runner) => this.sessions.findById(runner, id));
    return record && this.touches.apply(record);
  }

  async findLive(userId: string, now: number): Promise<SessionRecord[]> {
    await this.touches.flush();
    return this.connection.read((runner) => this.sessions.findLive(runner, userId, now));
  }

  async insert(record: SessionRecord, admission: Admission | null): Promise<Admitted> {
    if (admission === null) {
      await this.connection.write((runner) => this.sessions.insert(runner, record));
      return { outcome: 'admitted', evicted: [] };
    }
    if (admission.limit) await this.touches.flush();
    return this.userWrites.insert(record, admission);
  }

  async admit(id: string, expected: Expected, change: Change, admission: Admission): Promise<Admitted> {
    if (admission.limit) await this.touches.flush();
    return this.userWrites.admit(id, expected, change, admission);
  }

  change(id: string, expected: Expected, change: Change): Promise<boolean> {
    return this.connection.write((runner) => this.sessions.change(runner, id, expected, change));
  }

  async touch(touch: Touch, durably: boolean): Promise<void> {
    this.touches.note(touch);
    if (durably || this.isShuttingDown) await this.touches.flush();
  }

  flush(): Promise<void> {
    return this.touches.flush();
  }

  async setRoles(userId: string, change: RolesChange): Promise<number> {
    await this.touches.flush();
    return this.userWrites.setRoles(userId, change);
  }

  delete(id: string, userId?: string): Promise<SessionRecord | null> {
    return this.connection.write(async (runner) => {
      const record = await this.sessions.findById(runner, id);
      return record !== null && (await this.sessions.delete(runner, id, userId)) ? record : null;
    });
  }

  deleteExpected(id: string, expected: Expected): Promise<boolean> {
    return this.connection.write((runner) => this.sessions.deleteExpected(runner, id, expected));
  }

  deleteReused(judgement: ReuseJudgement): Promise<boolean> {
    return this.connection.write((runner) => this.sessions.deleteReused(runner, judgement));
  }

  deleteByUser(userId: string, changedAt: number, except?: string): Promise<SessionRecord[]> {
    return this.userWrites.deleteByUser(userId, changedAt, except);
  }

  deleteAll(changedAt: number): Promise<number> {
    return this.userWrites.deleteAll(changedAt);
  }

  async purgeExpired(now: number, signal?: AbortSignal): Promise<number> {
    await this.touches.flush();
    return this.purge.run(now, signal);
  }

  /** From now on activity is written at once: later hooks may close the data source. */
  async beforeApplicationShutdown(): Promise<void> {
    this.isShuttingDown = true;
    await Promise.race([this.touches.flush(), wait(SHUTDOWN_PATIENCE, undefined, { ref: false })]);
  }

  /** Activity that cannot be written is lost, and nothing else is: the next request notes it again. */
  private async writeTouches(touches: readonly NotedTouch[]): Promise<void> {
    try {
      for (const some of inStatements(touches)) {
        await this.patience.within(this.connection.write((runner) => this.sessions.touch(runner, some)));
      }
    } catch (error) {
      this.logger.warn(`Activity of ${touches.length} session(s) could not be written: ${String(error)}`);
    }
  }
}

/** In one order on all nodes, so that they do not lock each other out, and each session once in a statement. */
function inStatements(touches: readonly NotedTouch[]): NotedTouch[][] {
  const statements: NotedTouch[][] = [];
  for (const touch of touches.toSorted((one, other) => (one.id < other.id ? -1 : 1))) {
    const latest = statements.at(-1);
    const fits = latest !== undefined && latest.length < TOUCHES_AT_ONCE && latest.at(-1)?.id !== touch.id;
    if (fits) latest.push(touch);
    else statements.push([touch]);
  }
  return statements;
}
