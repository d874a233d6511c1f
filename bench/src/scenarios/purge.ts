import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { Client } from 'pg';
import type { Settings } from '../command-line.js';
import { addFurther } from '../contestants/our-sessions.js';
import { quantile } from '../measure/statistics.js';
import { print } from '../print.js';
import { writeSection } from '../report/document.js';
import { describeMachine } from '../report/machine.js';
import { type Cell, figure, table, verdict } from '../report/table.js';
import { type OurApplication, withOurs } from './our-application.js';
import { rowsOf, rowsPerSecondOf, watchBatches } from './purge-batches.js';
import { validateSteadily } from './steady-validations.js';

const LIVE = 1_000;
const VALIDATIONS_PER_SECOND = 1_000;
const QUIET_SECONDS = 5;
const GOALS = { rowsPerSecond: 100_000, p99: 2 };

interface Outcome {
  readonly rows: number;
  readonly rowsPerSecond: number;
  /** The same, in the first and in the last quarter. */
  readonly first: number;
  readonly last: number;
  /** Of validations, in milliseconds: without a purge, and during it. */
  readonly quiet: number;
  readonly during: number;
  /** How late they were asked, during the purge. */
  readonly lag: number;
}

/** How fast expired sessions go, and what requests notice of it. */
export async function purge({ isSmoke }: Settings): Promise<void> {
  const rows = isSmoke ? 20_000 : 1_000_000;
  const outcomes: [string, Outcome][] = [];
  for (const hasSnapshot of [false, true]) {
    const what = hasSnapshot ? 'an old snapshot is open' : 'no old snapshot';
    print(`purge, ${what}`);
    const size = { live: LIVE, sessions: rows / 10 };
    outcomes.push([what, await withOurs(size, (ours) => runPurge(ours, (rows * 9) / 10, hasSnapshot))]);
  }
  const report = `${await describeMachine()}\n\n${describe(outcomes)}`;
  print(report);
  if (!isSmoke) await writeSection('purge', report);
}

async function runPurge(ours: OurApplication, expired: number, hasSnapshot: boolean): Promise<Outcome> {
  const { sessions, dataSource, tokens } = ours;
  await addFurther(dataSource, expired, 'expired', {
    expires_at: `${Date.now()} - n`,
    purge_after: `${Date.now()} - n`,
  });
  await dataSource.query('VACUUM ANALYZE');
  const closeSnapshot = hasSnapshot ? await openSnapshot(ours.url) : async () => {};

  const stopQuiet = validateSteadily(sessions, tokens, VALIDATIONS_PER_SECOND);
  await wait(QUIET_SECONDS * 1000);
  const quiet = await stopQuiet();

  const stop = validateSteadily(sessions, tokens, VALIDATIONS_PER_SECOND);
  const batches = watchBatches(dataSource);
  const begin = performance.now();
  const rows = await sessions.purgeExpired();
  const seconds = (performance.now() - begin) / 1000;
  const during = await stop();
  await closeSnapshot();
  if (rows !== expired) throw new Error(`The purge deleted ${rows} rows of ${expired}.`);
  if (rowsOf(batches) !== rows) throw new Error(`Batches of ${rowsOf(batches)} rows of ${rows} were seen.`);
  const quarter = Math.ceil(batches.length / 4);
  return {
    rows,
    rowsPerSecond: rows / seconds,
    first: rowsPerSecondOf(batches.slice(0, quarter)),
    last: rowsPerSecondOf(batches.slice(-quarter)),
    quiet: quantile(quiet.latencies, 0.99),
    during: quantile(during.latencies, 0.99),
    lag: quantile(during.lags, 0.99),
  };
}

/** A transaction that still sees every row, as that of a backup does. */
async function openSnapshot(url: string): Promise<() => Promise<void>> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  await client.query('SELECT count(*) FROM sessions');
  return () => client.end();
}

function describe(outcomes: readonly [string, Outcome][]): string {
  const { rowsPerSecond, p99 } = GOALS;
  const rows = outcomes.map(([what, outcome]): Cell[] => [
    what,
    figure(outcome.rows),
    figure(outcome.rowsPerSecond),
    verdict(outcome.rowsPerSecond >= rowsPerSecond),
    figure(outcome.first),
    figure(outcome.last),
    figure(outcome.quiet),
    figure(outcome.during),
    verdict(outcome.during <= p99),
    figure(outcome.lag),
  ]);
  const head = [
    '',
    'rows',
    'rows/s',
    `goal: ≥ ${figure(rowsPerSecond)}`,
    'in the first quarter',
    'in the last',
    'validation p99 before, ms',
    'during, ms',
    `goal: ≤ ${p99}`,
    'late by at p99, ms',
  ];
  return [
    table(head, rows),
    'A validation takes from when it was asked to its answer. During the purge, it was asked late by what the last ' +
      'column says: it waited until the process got round to asking.',
  ].join('\n\n');
}
