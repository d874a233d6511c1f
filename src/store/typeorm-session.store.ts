import { type BeforeApplicationShutdown, Logger, type OnModuleInit } from '@nestjs/common';
import { setTimeout as wait } from 'node:timers/promises';
import type { DataSource, EntityTarget } from 'typeorm';
import { SessionOptionsError } from '../core/model/errors.js';
import { Patience } from '../core/outage/patience.js';
import { SHUTDOWN_PATIENCE } from '../core/outage/time-budgets.js';
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
import { ColumnAlphabets } from './column-alphabets.js';
import { dialectOf } from './dialects/dialect-of.js';
import { GroupedReads } from './grouped-reads.js';
import { LockingWrites } from './locking-writes.js';
import type { PrimaryConnection, Work } from './primary-connection.js';
import { Purge } from './purge.js';
import type { BaseSessionEntity } from './session.entity.js';
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
}

/** Keeps sessions in the application's database. */
export class TypeOrmSessionStore extends SessionStore implements OnModuleInit, BeforeApplicationShutdown {
  private readonly logger = new Logger('SessionStore');
  private readonly connection: PrimaryConnection;
  private readonly sessions: SessionStatements;
  private readonly userWrites: UserWrites;
  private readonly alphabets: ColumnAlphabets;
  private readonly purge: Purge;
  private readonly reads: GroupedReads<SessionRecord>;
  /** Apart, since most of them are for tokens that nobody has: a flood of those is not to hold up the others. */
  private readonly laterReads: GroupedReads<SessionRecord>;
  private readonly touches: TouchBuffer;
  private readonly patience = new Patience();
  private isShuttingDown = false;

  /** @throws SessionOptionsError for a database that is not supported */
  constructor(dataSource: DataSource, { entity, purgeBatchSize }: TypeOrmSessionStoreOptions) {
    super();
    const dialect = dialectOf(dataSource);
    const sessions = new SessionStatements(dataSource, entity, dialect);
    const marks = new SessionMarks(dataSource, dialect);
    const batchSize = purgeBatchSize ?? dialect.purge.batchSize;
    this.sessions = sessions;
    if (dialect.server === null) {
      const connection = new SharedConnection(dataSource);
      const alone = <T>(work: Work<T>) => connection.write(work);
      this.connection = connection;
      this.userWrites = new SingleStatementWrites(connection, dialect, sessions, marks);
      this.purge = new Purge(dialect, connection, alone, sessions, marks, batchSize);
    } else {
      const connection = new ServerConnection(dataSource, dialect.server);
      const inTransaction = <T>(work: Work<T>) => connection.transaction(work);
      this.connection = connection;
      this.userWrites = new LockingWrites(connection, dialect.server, sessions, marks);
      this.purge = new Purge(dialect, connection, inTransaction, sessions, marks, batchSize);
    }
    this.alphabets = new ColumnAlphabets(this.connection, dialect.server, sessions);
    const series = new SeriesRead(dataSource, dialect, sessions, (record) => this.touches.apply(record));
    const load = (hashes: readonly string[]) => this.connection.read((runner) => series.read(runner, hashes));
    this.reads = new GroupedReads(load);
    this.laterReads = new GroupedReads(load, LARGEST_LATER_GROUP);
    this.touches = new TouchBuffer((touches) => this.writeTouches(touches));
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
    await this.alphabets.assertHeld('userId', userId);
    await this.touches.flush();
    return this.connection.read((runner) => this.sessions.findLive(runner, userId, now));
  }

  async insert(given: SessionRecord, admission: Admission | null): Promise<Admitted> {
    await this.alphabets.assertHeld('userId', given.userId ?? undefined);
    const record = await this.alphabets.fitting(given);
    if (admission === null) {
      await this.connection.write((runner) => this.sessions.insert(runner, record));
      return { outcome: 'admitted', evicted: [] };
    }
    if (admission.limit) await this.touches.flush();
    return this.userWrites.insert(record, admission);
  }

  async admit(id: string, expected: Expected, given: Change, admission: Admission): Promise<Admitted> {
    await this.alphabets.assertHeld('userId', admission.userId);
    const change = await this.alphabets.fitting(given);
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
    await this.alphabets.assertHeld('userId', userId);
    await this.touches.flush();
    return this.userWrites.setRoles(userId, change);
  }

  async delete(id: string, userId?: string): Promise<SessionRecord | null> {
    await this.alphabets.assertHeld('userId', userId);
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

  async deleteByUser(userId: string, changedAt: number, except?: string): Promise<SessionRecord[]> {
    await this.alphabets.assertHeld('userId', userId);
    await this.alphabets.assertHeld('except', except);
    return this.userWrites.deleteByUser(userId, changedAt, except);
  }

  deleteAll(changedAt: number): Promise<number> {
    return this.userWrites.deleteAll(changedAt);
  }

  async purgeExpired(now: number, signal?: AbortSignal): Promise<number> {
    await this.touches.flush();
    return this.purge.run(now, signal);
  }

  /**
   * What would stop every connection stops the boot. A database that is away does not: it may come back.
   * @throws SessionOptionsError
   */
  async onModuleInit(): Promise<void> {
    await this.patience.within(this.connection.read(async () => {})).catch((error: unknown) => {
      if (error instanceof SessionOptionsError) throw error;
    });
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
