/**
 * Who waits for what, and how long, in milliseconds. They depend on each other (test/unit/time-budgets.test.ts holds it):
 *
 * - `WORK_PATIENCE` + `CANCEL_PATIENCE` ≤ `STORE_PATIENCE`: what waits inside the database is given up before its caller
 *   gives up, and the caller still hears what became of it. Otherwise a sign-in or a revocation that was answered 503
 *   would go on waiting, and happen after all.
 * - `GATE_PATIENCE`, `LOCK_TIMEOUT` < `WORK_PATIENCE`: whoever waits for the application's transaction is told so.
 * - `LOCK_TIMEOUT` < `CONNECTION_SILENCE`: a connection that waits for a lock is not dead.
 * - `CONNECTION_SILENCE` ≥ `STORE_PATIENCE`: a connection is ended only once nobody waits for its answer.
 * - `READ_RETRY_WITHIN` < `CONNECTION_SILENCE`: a read is not made again on behalf of a caller who has given up, nor
 *   because its connection was ended as dead.
 * - `TOUCH_PATIENCE` < `WRITE_BEHIND_MARGIN`: activity that is not awaited is written before its session would end
 *   without it, or not at all. Later it would bring back a session that a change of roles has passed over as ended.
 * - `TOUCH_PATIENCE` < `STORE_PATIENCE`: a request that waits for its activity to be written is answered, though another
 *   transaction has the row.
 * - `TOKEN_CHANGE_MEMORY` ≥ 2 × `STORE_PATIENCE` + `RENEWAL_LAPSE`: what overtakes a renewal is known until its answer has
 *   brought the token or is too old to: it may wait for activity to be written, for the token, and for its handler.
 * - `LONGEST_ACK_PATIENCE` + `LEASE_MARGIN` × `LEASE` < `STORE_PATIENCE`: a change that waits for a node which has stopped
 *   is done before its caller gives up.
 * - `RENEWALS_PER_LEASE` ≥ 3: a lease survives that one renewal is late.
 * - `SHUTDOWN_PATIENCE` ≥ `STORE_PATIENCE`: a shutdown waits as long as the last activity may take to be written.
 * - `SIGN_IN_LAPSE` < `MARK_MEMORY`: a sign-in finds the marks of all changes since it began. With room for a clock that
 *   is wrong by hours.
 */

/** The store answers within this time, or is taken for unavailable. Each batch of a change has as much for itself. */
export const STORE_PATIENCE = 5_000;

/** Nothing that changes anything starts later than this after it was asked for; what still runs is cancelled. */
export const WORK_PATIENCE = 4_500;

/** After this a connection that does not answer is taken for dead, and is ended. */
export const CONNECTION_SILENCE = 5_000;

/** How long a statement that was cancelled has to say what became of it. After that its connection is ended. */
export const CANCEL_PATIENCE = 400;

/** A read whose connection is lost within this time is made again: the caller still waits for it. */
export const READ_RETRY_WITHIN = 2_500;

/** How long a transaction waits for a lock that another one has. */
export const LOCK_TIMEOUT = 3_000;

/** How long a write waits for the application's transaction on the same connection of SQLite. */
export const GATE_PATIENCE = 1_000;

/** How long a request waits for its activity to be on its way to the database. */
export const TOUCH_DISPATCH = 100;

/** How long it is tried to write activity. */
export const TOUCH_PATIENCE = 3_000;

/** After this activity of a session whose row was locked is tried again. */
export const TOUCH_RETRY = 100;

/** Requests wait for their activity to be written where the session has no longer than this to live. */
export const WRITE_BEHIND_MARGIN = 5_000;

/** How long a shutdown waits for the last activity to be written. */
export const SHUTDOWN_PATIENCE = 5_000;

/** How long an answer may take to bring a renewed token. */
export const RENEWAL_LAPSE = 5_000;

/** How long a sign-in may take, from when it begins to look at credentials. */
export const SIGN_IN_LAPSE = 12 * 60 * 60_000;

/** How long the mark of a change is kept. */
export const MARK_MEMORY = 24 * 60 * 60_000;

/** How long a process remembers that a session was given another token, or was ended. */
export const TOKEN_CHANGE_MEMORY = 20_000;

/** How long a node may answer from memory after it has asked whether it may. */
export const LEASE = 2_000;

/** The same where no bus tells nodes what to forget: each change waits for all leases to run out. */
export const LEASE_WITHOUT_BUS = 500;

/** How much longer than a lease one waits for its end: no two clocks run alike. */
export const LEASE_MARGIN = 1.1;

/** How often a node asks, within a lease, whether it may go on. */
export const RENEWALS_PER_LEASE = 4;

/** How long a change waits for the acknowledgements of the other nodes before it takes their leases away. */
export const ACK_PATIENCE = 250;

/** The same at most, where acknowledgements have come late. */
export const LONGEST_ACK_PATIENCE = 1_000;

/** What is kept in memory is never older. */
export const NEAR_CACHE_AGE = 60_000;

/** How long a bus may take to deliver, at boot, what a node tells itself. */
export const BUS_TEST = 5_000;

/** How often a bus that is a table is read. */
export const TABLE_BUS_POLL = 100;

/** How long a message stays in that table. */
export const TABLE_BUS_MEMORY = 3_000;
