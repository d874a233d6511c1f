import type { QueryRunner } from 'typeorm';
import { SessionOptionsError } from '../../core/model/errors.js';
import { assertPrimary } from '../standby.js';

/** Reads, and updates and deletions, wait until the node has what the others had committed before. */
const CAUSAL = 1 | 2;

type Settings = Readonly<Record<'modes' | 'role', unknown>>;

/**
 * What must be true of a connection before it is used.
 * @param role an expression: what the server is
 * @throws SessionOptionsError where sessions would not be safe on it, and StandbyError
 */
export async function vetConnection(runner: QueryRunner, role: string): Promise<void> {
  const [{ modes, role: found }] = (await runner.query(
    `SELECT @@SESSION.sql_mode AS modes, ${role} AS role`,
  )) as [Settings];
  assertBackslashesEscape(modes);
  assertPrimary(found);
  await vetCluster(runner);
}

/**
 * The drivers put values into the text of a statement, with a backslash before each quote. Where that escapes nothing,
 * a quote in a user id or a label ends the string, and what follows is SQL.
 */
function assertBackslashesEscape(modes: unknown): void {
  if (!String(modes).split(',').includes('NO_BACKSLASH_ESCAPES')) return;
  throw new SessionOptionsError(
    'dataSource',
    'a connection with NO_BACKSLASH_ESCAPES in its sql_mode',
    'take that mode away, for the driver escapes values with backslashes: text of a client could become SQL.',
  );
}

/** Where several servers take writes: a node of Galera is told to wait for the others, before it says what there is. */
async function vetCluster(runner: QueryRunner): Promise<void> {
  const rows = (await runner.query(
    "SHOW VARIABLES WHERE Variable_name IN ('wsrep_on', 'group_replication_group_name', " +
      "'group_replication_single_primary_mode')",
  )) as { Variable_name: string; Value: string }[];
  const settings = new Map(rows.map(({ Variable_name, Value }) => [Variable_name.toLowerCase(), Value]));
  if (
    settings.get('group_replication_group_name') &&
    settings.get('group_replication_single_primary_mode') === 'OFF'
  ) {
    throw new SessionOptionsError(
      'dataSource',
      'a server of a replication group that has several primaries',
      'use single-primary mode (`group_replication_single_primary_mode`): a revocation on one of several would not hold ' +
        'on the others at once.',
    );
  }
  if (settings.get('wsrep_on') !== 'ON') return;
  await runner.query(`SET SESSION wsrep_sync_wait = @@SESSION.wsrep_sync_wait | ${CAUSAL}`);
}
