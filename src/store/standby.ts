import type { QueryRunner } from 'typeorm';
import { causeOf } from './driver-error.js';

/** What the expression `ServerDialect.role` is on a server that takes writes. */
const PRIMARY = 'primary';

/** The server at the other end takes no writes: what it has may be of an earlier time, with sessions that were ended since. */
export class StandbyError extends Error {
  /** @param isEnded whether the connection was ended, so that the pool may have a better one */
  constructor(readonly isEnded = false) {
    super(
      'The server takes no writes: it is a standby, or read-only. Sessions are kept on the primary alone.',
    );
  }
}

/** What statements fail with there. Nothing was done. */
const REFUSALS: ReadonlySet<unknown> = new Set([
  '25006', // read_only_sql_transaction
  'ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION',
  'ER_INNODB_READ_ONLY',
  'ER_OPTION_PREVENTS_STATEMENT',
  'ER_READ_ONLY_MODE',
  'ER_UNKNOWN_COM_ERROR', // by a node of Galera that has lost the others
]);

export function isOfStandby(error: unknown): boolean {
  const cause = causeOf(error);
  return cause instanceof StandbyError || REFUSALS.has((cause as { code?: unknown } | null)?.code);
}

/** @throws StandbyError */
export function assertPrimary(role: unknown): void {
  if (String(role) !== PRIMARY) throw new StandbyError();
}

/** The same by a statement of its own. @throws StandbyError */
export async function askForPrimary(runner: QueryRunner, expression: string): Promise<void> {
  const [row] = (await runner.query(`SELECT ${expression} AS role`)) as [{ role: unknown }];
  assertPrimary(row.role);
}

/** Connections to standbys that may be ended in a second: where there is no primary, new ones would be as bad. */
const ENDED_PER_SECOND = 20;

/** Says whether one more may be ended. */
export class EndingBudget {
  private left = ENDED_PER_SECOND;
  private refilledAt = performance.now();

  take(): boolean {
    const now = performance.now();
    const earned = ((now - this.refilledAt) / 1_000) * ENDED_PER_SECOND;
    this.left = Math.min(ENDED_PER_SECOND, this.left + earned);
    this.refilledAt = now;
    if (this.left < 1) return false;
    this.left--;
    return true;
  }
}
