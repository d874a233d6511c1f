/**
 * Who waits for what, and how long, in milliseconds. They depend on each other (test/unit/time-budgets.test.ts holds it):
 *
 * - `GATE_PATIENCE`, `LOCK_TIMEOUT` < `STORE_PATIENCE`: what waits inside the database gives up before its caller does.
 *   Otherwise a sign-in that was answered 503 would go on waiting, and sign somebody in after all.
 * - `LOCK_TIMEOUT` < `CONNECTION_SILENCE` < `LONG_SILENCE`: a connection that waits for a lock is not dead, nor is one
 *   that changes very many rows.
 * - `CONNECTION_SILENCE` ≥ `STORE_PATIENCE`: a connection is ended only once nobody waits for its answer.
 * - `TOUCH_DELAY` + `LOCK_TIMEOUT` < `WRITE_BEHIND_MARGIN`: activity that waits to be written is written before its
 *   session would end without it, also where another transaction has the row.
 * - `TOKEN_CHANGE_MEMORY` ≥ 2 × `STORE_PATIENCE` + `RENEWAL_LAPSE`: what overtakes a renewal is known until its answer has
 *   brought the token or is too old to: it may wait for activity to be written, for the token, and for its handler.
 * - `SHUTDOWN_PATIENCE` ≥ `STORE_PATIENCE`: a shutdown waits as long as the last activity may take to be written.
 */

/** The store answers within this time, or is taken for unavailable. */
export const STORE_PATIENCE = 5_000;

/** After this a connection that does not answer is taken for dead, and is ended. */
export const CONNECTION_SILENCE = 5_000;

/** The same for statements on very many rows. */
export const LONG_SILENCE = 300_000;

/** How long a transaction waits for a lock that another one has. */
export const LOCK_TIMEOUT = 3_000;

/** How long a write waits for the application's transaction on the same connection of SQLite. */
export const GATE_PATIENCE = 1_000;

/** How long activity waits to be written together with that of other sessions. */
export const TOUCH_DELAY = 1_000;

/** Activity is written behind only where the session has longer than this to live. */
export const WRITE_BEHIND_MARGIN = 5_000;

/** How long a shutdown waits for the last activity to be written. */
export const SHUTDOWN_PATIENCE = 5_000;

/** How long an answer may take to bring a renewed token. */
export const RENEWAL_LAPSE = 5_000;

/** How long a process remembers that a session was given another token, or was ended. */
export const TOKEN_CHANGE_MEMORY = 20_000;
