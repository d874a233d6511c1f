import { type BeforeApplicationShutdown, Logger } from '@nestjs/common';
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
import { clockSkew } from './clock-skew.js';
import { GroupedReads } from './grouped-reads.js';
import { LockingWrites } from './locking-writes.js';
import { isSqlite, PrimaryConnection } from './primary-connection.js';
import type { BaseSessionEntity } from './session.entity.js';
import { SeriesRead } from './series-read.js';
import { SessionMarks } from './session-marks.js';
import { SessionStatements } from './session-statements.js';
import { SingleStatementWrites } from './single-statement-writes.js';
import { type NotedTouch, TouchBuffer } from './touch-buffer.js';
import type { UserWrites } from './user-writes.js';

/** SQLite does nothing else while it deletes: small batches, with pauses for the others. */
const SQLITE_PURGE = { batchSize: 200, pause: 10 };
const SERVER_PURGE = { batchSize: 5_000, pause: 0 };
/** In milliseconds, as the pauses are. */
const MAX_CLOCK_SKEW = 5_000;
/** In one statement; a pause for everybody else on SQLite. */
const TOUCHES_AT_ONCE = 100;
/** Each looks for several series. */
const LARGEST_LATER_GROUP = 32;
const SUPPORTED: ReadonlySet<string> = new Set(['sqlite', 'better-sqlite3', 'postgres', 'mysql', 'mariadb']);

export interface TypeOrmSessionStoreOptions {
  readonly entity: EntityTarget<BaseSessionEntity>;
  /** `null`: as fits the database. */
  readonly purgeBatchSize: number | null;
}

/** Keeps sessions in the application's database. */
export class TypeOrmSessionStore extends SessionStore implements BeforeApplicationShutdown {
  private readonly logger = new Logger('SessionStore');
  private readonly connection: PrimaryConnection;
  private readonly sessions: SessionStatements;
  private readonly marks = new SessionMarks();
  private readonly userWrites: UserWrites;
  private readonly reads: GroupedReads<SessionRecord>;
  /** Apart, since most of them are for tokens that nobody has: a flood of those is not to hold up the others. */
  private readonly laterReads: GroupedReads<SessionRecord>;
  private readonly touches: TouchBuffer;
  private readonly patience = new Patience();
  private readonly purging: { readonly batchSize: number; readonly pause: number };
  private isShuttingDown = false;

  constructor(
    private readonly dataSource: DataSource,
    { entity, purgeBatchSize }: TypeOrmSessionStoreOptions,
  ) {
    super();
    const { type } = dataSource.options;
    if (!SUPPORTED.has(type)) {
      throw new SessionOptionsError('dataSource', type, `use a data source of ${[...SUPPORTED].join(', ')}.`);
    }
    this.connection = new PrimaryConnection(dataSource);
    this.sessions = new SessionStatements(dataSource, entity);
    this.userWrites = isSqlite(dataSource)
      ? new SingleStatementWrites(this.connection, this.sessions, this.marks)
      : new LockingWrites(this.connection, this.sessions, this.marks);
    const read = new SeriesRead(dataSource, this.sessions, (record) => this.touches.apply(record));
    const load = (hashes: readonly string[]) => this.connection.read((runner) => read.find(runner, hashes));
    this.reads = new GroupedReads(load);
    this.laterReads = new GroupedReads(load, LARGEST_LATER_GROUP);
    this.touches = new TouchBuffer((touches) => this.writeTouches(touches));
    const purging = isSqlite(dataSource) ? SQLITE_PURGE : SERVER_PURGE;
    this.purging = { ...purging, batchSize: purgeBatchSize ?? purging.batchSize };
  }

  findBySeries(seriesHash: string): Promise<SessionRecord | null> {
    return this.reads.find(seriesHash);
  }

  findByAnySeries(seriesHashes: readonly string[]): Promise<SessionRecord | null> {
    return this.laterReads.find(...seriesHashes);
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
    if (admission?.limit) await this.touches.flush();
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
    if (await this.isClockWrong()) return 0;
    await this.touches.flush();
    const { batchSize, pause } = this.purging;
    const isStopped = () => signal?.aborted ?? false;
    let total = 0;
    let batch = { count: batchSize, cursor: 0 };
    while (batch.count === batchSize && !isStopped()) {
      if (total > 0) await wait(pause);
      batch = await this.userWrites.purge(now, batch.cursor, batchSize);
      total += batch.count;
    }
    while (!isStopped() && (await this.userWrites.forget(now)) > 0) await wait(pause);
    return total;
  }

  /** From now on activity is written at once: later hooks may close the data source. */
  async beforeApplicationShutdown(): Promise<void> {
    this.isShuttingDown = true;
    await Promise.race([this.touches.flush(), wait(SHUTDOWN_PATIENCE, undefined, { ref: false })]);
  }

  /** A clock that runs ahead would delete sessions that the other nodes still take for live. */
  private async isClockWrong(): Promise<boolean> {
    const skew = await this.connection.read((runner) => clockSkew(runner, this.dataSource.options.type));
    if (Math.abs(skew) <= MAX_CLOCK_SKEW) return false;
    this.logger.error(
      `Nothing was purged: the clock of this machine is ${Math.abs(skew)} ms ${skew > 0 ? 'behind' : 'ahead of'} that ` +
        'of the database. Synchronise both (NTP).',
    );
    return true;
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
