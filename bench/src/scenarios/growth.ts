import { performance } from 'node:perf_hooks';
import type { Settings } from '../command-line.js';
import { median, ratioOf } from '../measure/statistics.js';
import { print } from '../print.js';
import { writeSection } from '../report/document.js';
import { describeMachine } from '../report/machine.js';
import { type Cell, figure, table, verdict } from '../report/table.js';
import { type OurApplication, withOurs } from './our-application.js';

const LIVE = 1_000;
const LOOKUPS = 3_000;
const GOAL = 1.3;

/** Whether lookups become slower as the table grows. */
export async function growth({ isSmoke }: Settings): Promise<void> {
  const sizes = isSmoke ? [1_000, 10_000] : [1_000, 100_000, 1_000_000, 5_000_000];
  const rounds = isSmoke ? 2 : 15;
  const medians = await withTables(sizes, [], async (applications) => {
    const results: number[][] = sizes.map(() => []);
    for (const { sessions, tokens } of applications) await timeLookups(sessions, tokens);
    for (let round = 0; round < rounds; round++) {
      for (const [at, { sessions, tokens }] of applications.entries()) {
        results[at]?.push(await timeLookups(sessions, tokens));
      }
    }
    return results;
  });
  const report = `${await describeMachine()}\n\n${describe(sizes, medians)}`;
  print(report);
  if (!isSmoke) await writeSection('growth', report);
}

/** All of them at the same time, so that they can be measured side by side. */
function withTables<T>(
  sizes: readonly number[],
  open: readonly OurApplication[],
  job: (applications: readonly OurApplication[]) => Promise<T>,
): Promise<T> {
  const [size, ...further] = sizes;
  if (size === undefined) return job(open);
  print(`filling a table with ${figure(size)} sessions`);
  return withOurs({ live: LIVE, sessions: size }, (ours) => withTables(further, [...open, ours], job));
}

/** One after the other. @returns the median in microseconds */
async function timeLookups(sessions: OurApplication['sessions'], tokens: readonly string[]): Promise<number> {
  const times: number[] = [];
  for (let count = 0; count < LOOKUPS; count++) {
    const token = tokens[Math.floor(Math.random() * tokens.length)] ?? '';
    const begin = performance.now();
    const { session } = await sessions.validate(token);
    times.push((performance.now() - begin) * 1000);
    if (session === null) throw new Error('A live session was refused.');
  }
  return median(times);
}

function describe(sizes: readonly number[], medians: readonly (readonly number[])[]): string {
  const [smallest = []] = medians;
  const rows = sizes.map((size, at): Cell[] => {
    const ratio = ratioOf(medians[at] ?? [], smallest);
    return [
      figure(size),
      figure(median(medians[at] ?? [])),
      figure(ratio.median),
      `${figure(ratio.low)}–${figure(ratio.high)}`,
    ];
  });
  const last = ratioOf(medians.at(-1) ?? [], smallest).median;
  return [
    table(['sessions', 'p50 µs', '× the smallest', 'spread'], rows),
    `Goal: the largest at most ${GOAL} times the smallest; ${verdict(last <= GOAL)}.`,
  ].join('\n\n');
}
