import type { QueryRunner } from 'typeorm';
import type { ServerDialect } from './dialects/dialect.js';

/**
 * Runs work on a connection, and ends the connection when that takes longer. TCP needs a quarter of an hour to notice
 * that a server has vanished; until then a pool full of such connections would keep the application from the database
 * that is back. The pool makes a new one.
 */
export async function endingSilentConnection<T>(
  runner: QueryRunner,
  { endConnection }: Pick<ServerDialect, 'endConnection'>,
  milliseconds: number,
  work: (connection: object) => Promise<T>,
): Promise<T> {
  const connection = (await runner.connect()) as object;
  const timer = setTimeout(() => endConnection(connection), milliseconds).unref();
  try {
    return await work(connection);
  } finally {
    clearTimeout(timer);
  }
}
