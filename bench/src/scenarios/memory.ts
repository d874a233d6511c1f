import { setTimeout as wait } from 'node:timers/promises';
import type { Settings } from '../command-line.js';
import { bearer } from '../contestants/bearer.js';
import type { Header } from '../contestants/contestant.js';
import { forgeToken } from '../contestants/our-sessions.js';
import { load } from '../load/wrk.js';
import { heapInUse } from '../measure/heap.js';
import { print } from '../print.js';
import { writeSection } from '../report/document.js';
import { describeMachine } from '../report/machine.js';
import { type Cell, figure, megabytes, table } from '../report/table.js';
import { type OurApplication, withOurs } from './our-application.js';

const MINUTE = 60_000;
const HOUR = 60;
const FORGED_PER_MINUTE = 500;
const SIGN_INS_PER_MINUTE = 50;
/** Later growth by no more than this is noise of the heap. */
const TOLERANCE = 2 * 2 ** 20;
/** Activity is written down after a second, and that takes a moment too. */
const UNTIL_WRITTEN = 2_000;

interface Point {
  readonly minute: number;
  readonly heap: number;
}

/** What live sessions cost in the process, and whether anything piles up in an hour. */
export async function memory({ isSmoke }: Settings): Promise<void> {
  const live = isSmoke ? 500 : 10_000;
  const [minutes, every] = isSmoke ? [6, 2] : [HOUR, 10];
  let now = Date.now();
  const options = { clock: () => now };
  const report = await withOurs({ live, options }, async (ours) => {
    await warmUp(ours);
    const idle = await settledHeap();
    now += MINUTE; // Each use counts as activity.
    for (const token of ours.tokens) await ours.sessions.validate(token);
    const used = await settledHeap();
    const points: Point[] = [];
    for (let minute = 1; minute <= minutes; minute++) {
      now += MINUTE;
      await simulateMinute(ours, minute);
      if (minute % every === 0) points.push({ minute, heap: await settledHeap() });
    }
    return describe(live, used - idle, points);
  });
  const complete = `${await describeMachine()}\n\n${report}`;
  print(complete);
  if (!isSmoke) await writeSection('memory', complete);
}

/** Code and pools have their final size before anything is counted. */
async function warmUp({ origin, headers }: OurApplication): Promise<void> {
  await loadHonestly(origin, headers.slice(0, 10), 5);
}

async function simulateMinute(
  { origin, sessions, headers, tokens }: OurApplication,
  minute: number,
): Promise<void> {
  await loadHonestly(origin, headers, 1);
  // Each is heard of within its idle timeout, as a client at work would be.
  for (const token of tokens.filter((_, at) => at % 10 === minute % 10)) await sessions.validate(token);
  for (let count = 0; count < SIGN_INS_PER_MINUTE; count++) {
    const { session, token } = await sessions.create({ userId: `guest-${minute}-${count}` });
    await sessions.validate(token);
    await sessions.revoke(session.id);
  }
  const forged = Array.from({ length: FORGED_PER_MINUTE }, () => bearer(forgeToken()));
  await load(origin, forged, { connections: 8, seconds: 1 });
}

async function loadHonestly(origin: string, headers: readonly Header[], seconds: number): Promise<void> {
  const { refused } = await load(origin, headers, { connections: 64, seconds });
  if (refused > 0) throw new Error(`An honest client was refused ${refused} times.`);
}

async function settledHeap(): Promise<number> {
  await wait(UNTIL_WRITTEN);
  return heapInUse();
}

function describe(live: number, forAll: number, points: readonly Point[]): string {
  const [first, last] = [points[0]?.heap ?? NaN, points.at(-1)?.heap ?? NaN];
  const rows = points.map(({ minute, heap }): Cell[] => [`${minute} min`, megabytes(heap)]);
  const traces = forAll > 0 ? `leave ${figure(forAll / live)} bytes each` : 'leave nothing behind';
  return [
    `${live.toLocaleString('en')} live sessions, each used once, ${traces} in the process.`,
    table(['after', 'heap in use, MB'], rows),
    `From the first to the last: ${megabytes(last - first)} MB; ${last - first <= TOLERANCE ? 'no growth' : '**growth**'}.`,
  ].join('\n\n');
}
