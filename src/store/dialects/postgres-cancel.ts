import { connect } from 'node:net';
import { CANCEL_PATIENCE } from '../../core/outage/time-budgets.js';

/** Where a connection leads, and by what the server knows it. */
export interface PostgresBackend {
  /** Of a Unix socket, its folder. */
  readonly host: string;
  readonly port: number;
  readonly processID: number | null;
  readonly secretKey: number | null;
}

/** In the place of a version of the protocol. */
const CANCEL_REQUEST = 80_877_102;

/**
 * Sends a `CancelRequest` (PostgreSQL's protocol, "Canceling Requests in Progress"), which has a connection of its own.
 * `pg_cancel_backend` would need a free one of the pool, and behind a pooler the id is that of another process.
 */
export function cancelOnPostgres({ host, port, processID, secretKey }: PostgresBackend): void {
  if (processID === null || secretKey === null) return;
  const request = Buffer.alloc(16);
  for (const [at, value] of [request.length, CANCEL_REQUEST, processID, secretKey].entries()) {
    request.writeInt32BE(value, 4 * at);
  }
  const socket = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
  socket.setTimeout(CANCEL_PATIENCE, () => socket.destroy()).unref();
  // Where it does not arrive, the connection is ended a little later.
  socket.on('error', () => {}).end(request);
}
