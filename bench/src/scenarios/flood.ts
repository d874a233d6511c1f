import { setTimeout as wait } from 'node:timers/promises';
import { randomBytes } from 'node:crypto';
import { countQueries, queries } from '../application/queries.js';
import type { Settings } from '../command-line.js';
import { bearer } from '../contestants/bearer.js';
import { forgeToken } from '../contestants/our-sessions.js';
import { load, type Load } from '../load/wrk.js';
import { print } from '../print.js';
import { writeSection } from '../report/document.js';
import { describeMachine } from '../report/machine.js';
import { type Cell, figure, milliseconds, table } from '../report/table.js';
import { type OurApplication, withOurs } from './our-application.js';

const LIVE = 1_000;
const FORGED = 20_000;
const HONEST = { connections: 16, perSecond: 500 };
const FLOOD = { connections: 64, perSecond: 5_000 };

interface Outcome {
  readonly alone: Load;
  readonly flooded: Load;
  readonly flood: Load;
  /** Per request, during the flood. */
  readonly queries: number;
}

/** What honest clients notice of a flood of forged tokens. */
export async function flood({ isSmoke }: Settings): Promise<void> {
  countQueries();
  const seconds = isSmoke ? 2 : 20;
  const outcomes: [string, Outcome][] = [];
  for (const secret of [undefined, randomBytes(32).toString('hex')]) {
    const what = secret === undefined ? 'without `secret`' : 'with `secret`';
    print(`flood, ${what}`);
    const size = { live: LIVE, sessions: isSmoke ? LIVE : 100_000, options: { ...(secret && { secret }) } };
    outcomes.push([what, await withOurs(size, (ours) => runFlood(ours, seconds))]);
  }
  const report = `${await describeMachine()}\n\n${describe(outcomes)}`;
  print(report);
  if (!isSmoke) await writeSection('flood', report);
}

async function runFlood({ origin, headers }: OurApplication, seconds: number): Promise<Outcome> {
  const forged = Array.from({ length: FORGED }, () => bearer(forgeToken()));
  const honestly = () => load(origin, headers, { ...HONEST, seconds });
  await load(origin, headers, { connections: 64, seconds: Math.ceil(seconds / 3) });
  const alone = await honestly();
  const before = queries();
  const [flooded, flooding] = await Promise.all([honestly(), load(origin, forged, { ...FLOOD, seconds })]);
  await wait(100);
  if (flooding.refused !== flooding.requests) throw new Error('A forged token was let in.');
  if (alone.refused + flooded.refused > 0) throw new Error('An honest client was refused.');
  const perRequest = (queries() - before) / (flooded.requests + flooding.requests);
  return { alone, flooded, flood: flooding, queries: perRequest };
}

function describe(outcomes: readonly [string, Outcome][]): string {
  const perSecond = ({ requests, duration }: Load) => figure(requests / (duration / 1e6));
  const rows = outcomes.map(([what, { alone, flooded, flood: flooding, queries: perRequest }]): Cell[] => [
    what,
    milliseconds(alone.p99),
    milliseconds(flooded.p99),
    perSecond(alone),
    perSecond(flooded),
    perSecond(flooding),
    figure(perRequest),
  ]);
  const head = [
    '',
    'honest p99 alone, ms',
    'in the flood, ms',
    'honest requests/s alone',
    'in the flood',
    'forged requests/s',
    'queries per request',
  ];
  const { connections, perSecond: offered } = FLOOD;
  return [
    `Honest clients ask ${HONEST.perSecond} times a second at most; the flood, over ${connections} connections, ${figure(offered)} times.`,
    table(head, rows),
  ].join('\n\n');
}
