import type { DataSource, QueryRunner } from 'typeorm';
import { StoreRejectedError } from '../core/model/errors.js';
import type { Deadline } from '../core/outage/deadline.js';
import { isDataRefused } from './driver-error.js';

/** Statements on one connection. */
export type Work<T> = (runner: QueryRunner) => Promise<T>;

/**
 * Runs statements on the primary: TypeORM sends reads to replicas, where a revoked session still lives. How that is done
 * depends on the database, hence two of them: `ServerConnection` and `SharedConnection`.
 */
export interface PrimaryConnection {
  /** Statements that change nothing. @param deadline that of a read by default */
  read<T>(work: Work<T>, deadline?: Deadline): Promise<T>;
  /** Statements that hold by themselves, each of them. */
  write<T>(work: Work<T>, deadline: Deadline): Promise<T>;
  /** Statements that hold together or not at all, and wait for locks only so long. Not on SQLite. */
  transaction?<T>(work: Work<T>, deadline: Deadline): Promise<T>;
  /** The same, with no limit and with the isolation of the connection: to set them would be more statements than its own. */
  briefly?<T>(work: Work<T>, deadline: Deadline): Promise<T>;
}

/**
 * Takes a connection to the primary, and gives it back.
 * @throws StoreRejectedError where the database refuses the data; other errors as they are
 */
export async function withPrimary<T>(dataSource: DataSource, work: Work<T>): Promise<T> {
  const runner = dataSource.createQueryRunner('master');
  try {
    return await work(runner);
  } catch (error) {
    throw isDataRefused(error) ? rejection(error as Error) : error;
  } finally {
    await runner.release();
  }
}

/** Without its cause: drivers put the statement's parameters on it, and whatever logs errors would show them. */
function rejection({ message }: Error): StoreRejectedError {
  return new StoreRejectedError(`The database is there, and refuses what it was given: ${message}`);
}
