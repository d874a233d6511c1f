import { fork } from 'node:child_process';
import { once } from 'node:events';
import { pathToFileURL } from 'node:url';
import type { Boot } from '../application/messages.js';
import type { Settings } from '../command-line.js';
import { median } from '../measure/statistics.js';
import { print } from '../print.js';
import { writeSection } from '../report/document.js';
import { describeMachine } from '../report/machine.js';
import { type Cell, figure, megabytes, table } from '../report/table.js';

const MAIN = new URL('../application/boot.js', import.meta.url);
const LIBRARY = new URL('../../../dist/entries/index.js', import.meta.url);
const ROUNDS = 20;

/** What it takes to start an application that uses none of the integrations. `BENCH_AGAINST` is a build to compare with. */
export async function boot({ isSmoke }: Settings): Promise<void> {
  const against = process.env['BENCH_AGAINST'];
  const builds = new Map<string, readonly string[]>([
    ['without sessions', []],
    ['with `SessionModule`', [LIBRARY.href]],
    ...(against === undefined
      ? []
      : [['with the build to compare with', [pathToFileURL(against).href]] as const]),
  ]);
  const boots = new Map([...builds.keys()].map((name) => [name, [] as Boot[]]));
  for (let round = 0; round < (isSmoke ? 1 : ROUNDS); round++) {
    for (const [name, args] of builds) boots.get(name)?.push(await start(args));
  }
  const rows = [...boots].map(([name, all]): Cell[] => {
    const of = (field: keyof Boot) => median(all.map((each) => each[field]));
    return [name, figure(of('milliseconds')), megabytes(of('heapUsed')), megabytes(of('rss'))];
  });
  const report = [
    await describeMachine(),
    table(['application', 'ms until it listens', 'heap in use, MB', 'process, MB'], rows),
  ].join('\n\n');
  print(report);
  if (!isSmoke) await writeSection('boot', report);
}

async function start(args: readonly string[]): Promise<Boot> {
  const child = fork(MAIN, args, { execArgv: ['--expose-gc'] });
  const ended = once(child, 'exit');
  const [said] = (await once(child, 'message')) as [Boot];
  await ended;
  return said;
}
