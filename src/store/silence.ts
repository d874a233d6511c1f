import type { QueryRunner } from 'typeorm';

/** The connection of `pg` ends with its query; that of `mysql2` only says goodbye, and so its socket must go. */
interface Endable {
  readonly stream?: { destroy(error: Error): unknown };
  end?(): unknown;
}

/**
 * Runs work on a connection, and ends the connection when that takes longer. TCP needs a quarter of an hour to notice
 * that a server has vanished; until then a pool full of such connections would keep the application from the database
 * that is back. The pool makes a new one.
 */
export async function endingSilentConnection<T>(
  runner: QueryRunner,
  milliseconds: number,
  work: () => Promise<T>,
): Promise<T> {
  const connection = (await runner.connect()) as Endable;
  const timer = setTimeout(() => end(connection), milliseconds).unref();
  try {
    return await work();
  } finally {
    clearTimeout(timer);
  }
}

function end(connection: Endable): void {
  if (connection.stream) {
    connection.stream.destroy(new Error('The database does not answer.'));
    return;
  }
  const ending = connection.end?.();
  if (ending instanceof Promise) ending.catch(() => {}); // it is gone either way
}
