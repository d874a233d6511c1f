import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { type Cell, figure, table } from '../report/table.js';
import { type OurApplication, withOurs } from './our-application.js';

const MINUTE = 60_000;
/** At once: as many requests of one process share queries. */
const TOGETHER = 64;
/** Activity is on its way for a moment after the request was answered. */
const UNTIL_WRITTEN = 1_000;
/** Of a processor, in microseconds, as Linux counts it. */
const TICK = 10_000;

type Work = (ours: OurApplication, index: number) => Promise<unknown>;

/**
 * What each kind of call costs the database: processor time of its processes, which a busy machine changes little, and
 * bytes of the write-ahead log. The server must be on this machine, and this Linux.
 */
export async function describeDatabase(live: number, sessions: number): Promise<string> {
  let now = Date.now();
  const validate: Work = ({ sessions: service, tokens }, index) => service.validate(tokens[index] ?? '');
  const rows = await withOurs({ live, sessions, options: { clock: () => now } }, async (ours) => {
    const ids: string[] = [];
    for (const token of ours.tokens) ids.push((await ours.sessions.validate(token)).session?.id ?? '');
    const works: readonly (readonly [name: string, together: number, work: Work])[] = [
      ['look-up, one at a time', 1, validate],
      [`look-up, ${TOGETHER} at a time`, TOGETHER, validate],
      ['look-up with activity', TOGETHER, validate],
      ['sign-in', TOGETHER, ({ sessions: service }, index) => service.create({ userId: `new-${index}` })],
      [
        'change of data',
        TOGETHER,
        ({ sessions: service }, index) => service.update(ids[index] ?? '', () => ({ index })),
      ],
      ['revocation', TOGETHER, ({ sessions: service }, index) => service.revoke(ids[index] ?? '')],
    ];
    const measured: Cell[][] = [];
    for (const [name, together, work] of works) {
      if (name.endsWith('activity')) now += MINUTE;
      measured.push([name, ...(await costOf(ours, live, together, work))]);
    }
    return measured;
  });
  return table(['call', 'processor of the database, µs', 'write-ahead log, bytes'], rows);
}

async function costOf(ours: OurApplication, count: number, together: number, work: Work): Promise<Cell[]> {
  const before = await usageOf(ours.dataSource);
  for (let index = 0; index < count; index += together) {
    const group = Array.from({ length: Math.min(together, count - index) }, (_, at) =>
      work(ours, index + at),
    );
    await Promise.all(group);
  }
  await wait(UNTIL_WRITTEN);
  const after = await usageOf(ours.dataSource);
  return [figure((after.cpu - before.cpu) / count), figure((after.log - before.log) / count)];
}

async function usageOf(dataSource: DataSource): Promise<{ cpu: number; log: number }> {
  const [{ log } = { log: NaN }] = await dataSource.query<{ log: number }[]>(
    "SELECT CAST(pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') AS float) AS log",
  );
  const backends = await dataSource.query<{ pid: number }[]>(
    'SELECT pid FROM pg_stat_activity WHERE datname = current_database()',
  );
  const times = await Promise.all(backends.map(({ pid }) => cpuOf(pid)));
  return { cpu: times.reduce((sum, time) => sum + time, 0), log };
}

async function cpuOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The name of the program, which comes before, may hold blanks.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK;
}
