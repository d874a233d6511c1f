import type { DataSource } from 'typeorm';
import type { Settings } from '../command-line.js';
import { print } from '../print.js';
import { writeSection } from '../report/document.js';
import { describeMachine } from '../report/machine.js';
import { type Cell, figure, table, verdict } from '../report/table.js';
import { type OurApplication, withOurs } from './our-application.js';

/** The default of `touchEvery`. */
const APART = 30_000;
const ROUNDS_AN_HOUR = 120;
/** As often as autovacuum would, or less. */
const ROUNDS_A_VACUUM = 20;
const LANES = 64;
/** What the migration leaves free in each page; `synchronize` leaves nothing. */
const FILLFACTOR = 85;
const GOALS = { hot: 0.95, bytes: 600 };

interface Figures {
  readonly updated: number;
  readonly hot: number;
  readonly wal: number;
  readonly indexes: number;
}

/** What it costs PostgreSQL that sessions are in use: each is touched whenever it may be, for some hours. */
export async function touches({ isSmoke }: Settings): Promise<void> {
  const [live, hours, rounds] = isSmoke ? [100, 1, 2] : [2_000, 3, ROUNDS_AN_HOUR];
  let now = Date.now();
  const options = { touchEvery: 0, clock: () => now };
  const rows = await withOurs({ live, options }, async (ours) => {
    const { dataSource } = ours;
    await dataSource.query(`ALTER TABLE sessions SET (fillfactor = ${FILLFACTOR}, autovacuum_enabled = off)`);
    await dataSource.query('VACUUM FULL sessions');
    await dataSource.query('CHECKPOINT');
    const measured: Cell[][] = [];
    let before = await figuresOf(dataSource, 0);
    for (let hour = 1; hour <= hours; hour++) {
      for (let round = 1; round <= rounds; round++) {
        now += APART;
        await touchAll(ours);
        if (round % ROUNDS_A_VACUUM === 0) await dataSource.query('VACUUM sessions');
      }
      const after = await figuresOf(dataSource, before.updated + live * rounds);
      measured.push(describe(hour, before, after));
      before = after;
    }
    return measured;
  });
  const head = [
    'hour',
    'touches',
    'heap-only (HOT), goal: ≥ 95 %',
    'log of each, goal: ≤ 600 bytes',
    'all indexes',
  ];
  const report = [await describeMachine(), table(head, rows)].join('\n\n');
  print(report);
  if (!isSmoke) await writeSection('touches', report);
}

async function touchAll({ sessions, tokens }: OurApplication): Promise<void> {
  const waiting = [...tokens];
  const lane = async () => {
    for (let token = waiting.pop(); token !== undefined; token = waiting.pop())
      await sessions.validate(token);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

/** A connection that idles tells what it has counted some seconds later. */
async function figuresOf(dataSource: DataSource, atLeast: number): Promise<Figures> {
  for (;;) {
    const [row] = (await dataSource.query(
      `SELECT n_tup_upd AS updated, n_tup_hot_upd AS hot, pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') AS wal,
         pg_indexes_size('sessions') AS indexes
       FROM pg_stat_user_tables WHERE relname = 'sessions' AND schemaname = current_schema()`,
    )) as [Record<keyof Figures, string>];
    const [updated, hot] = [Number(row.updated), Number(row.hot)];
    if (updated >= atLeast) return { updated, hot, wal: Number(row.wal), indexes: Number(row.indexes) };
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

function describe(hour: number, before: Figures, after: Figures): Cell[] {
  const updated = after.updated - before.updated;
  const hot = (after.hot - before.hot) / updated;
  const bytes = (after.wal - before.wal) / updated;
  return [
    hour,
    figure(updated),
    `${figure(hot * 100)} %, ${verdict(hot >= GOALS.hot)}`,
    `${figure(bytes)}, ${verdict(bytes <= GOALS.bytes)}`,
    `${kilobytes(before.indexes)} to ${kilobytes(after.indexes)} kB`,
  ];
}

function kilobytes(bytes: number): string {
  return figure(bytes / 2 ** 10);
}
