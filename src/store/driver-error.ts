import { QueryFailedError } from 'typeorm';

/** What PostgreSQL, MySQL, SQLite and their drivers put on an error; on TypeORM's it is there as well. */
interface DriverError {
  readonly code?: unknown;
  /** Of MySQL. PostgreSQL has it as `code`. */
  readonly sqlState?: unknown;
}

/** The driver's own error. Prepared statements do not go through TypeORM, which wraps those of drivers. */
export function causeOf(error: unknown): unknown {
  return error instanceof QueryFailedError ? error.driverError : error;
}

/** "Data exception" and "integrity constraint violation". */
const DATA_CLASSES = /^2[23][0-9A-Z]{3}$/;

/** MySQL gives some errors of data the SQLSTATE that means "any error". */
const DATA_CODES: ReadonlySet<unknown> = new Set([
  'ER_CANT_AGGREGATE_2COLLATIONS',
  'ER_CANT_AGGREGATE_3COLLATIONS',
  'ER_CANT_AGGREGATE_NCOLLATIONS',
  'ER_CANNOT_CONVERT_CHARACTER',
  'ER_CANNOT_CONVERT_STRING',
  'ER_CHECK_CONSTRAINT_VIOLATED',
  'ER_INVALID_CHARACTER_STRING',
  'ER_NO_DEFAULT_FOR_FIELD',
  'ER_TRUNCATED_WRONG_VALUE',
  'ER_TRUNCATED_WRONG_VALUE_FOR_FIELD',
  'WARN_DATA_TRUNCATED',
]);

const SQLITE_DATA = /^SQLITE_(?:CONSTRAINT|MISMATCH|TOOBIG)/;

/** Whether the database is there and refuses the data: the same statement would fail again. */
export function isDataRefused(error: unknown): boolean {
  const { code, sqlState } = (error ?? {}) as DriverError;
  if (DATA_CODES.has(code)) return true;
  if (typeof sqlState === 'string') return DATA_CLASSES.test(sqlState);
  return typeof code === 'string' && (DATA_CLASSES.test(code) || SQLITE_DATA.test(code));
}

const LOST_CODES: ReadonlySet<unknown> = new Set([
  '57P01', // admin_shutdown, also by pg_terminate_backend
  '57P02', // crash_shutdown
  '57P05', // idle_session_timeout
  'ECONNABORTED',
  'ECONNRESET',
  'EPIPE',
  'ER_CLIENT_INTERACTION_TIMEOUT',
  'ER_CONNECTION_KILLED',
  'ER_SERVER_SHUTDOWN',
  'PROTOCOL_CONNECTION_LOST',
]);
const CONNECTION_EXCEPTION = /^08[0-9A-Z]{3}$/;
/** The drivers' own, which have no code. */
const LOST_MESSAGE =
  /Connection terminated|(?:has encountered a connection error|was closed) and is not queryable|in closed state/;

/** Whether the connection is gone, as opposed to the database: another one may answer. */
export function isConnectionLost(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as DriverError;
  if (code === undefined) return LOST_MESSAGE.test(error.message);
  return LOST_CODES.has(code) || (typeof code === 'string' && CONNECTION_EXCEPTION.test(code));
}
