import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { Settings } from '../command-line.js';
import { addFurther } from '../contestants/our-sessions.js';
import type { SessionService } from '../library.js';
import { print } from '../print.js';
import { writeSection } from '../report/document.js';
import { describeMachine } from '../report/machine.js';
import { type Cell, figure, megabytes, table } from '../report/table.js';
import { withOurs } from './our-application.js';

const [USER, LIMITED] = ['many', 'limited'];

type Step = (sessions: SessionService) => Promise<number>;

/** Each says how many sessions it was about. */
const STEPS: Readonly<Record<string, Step>> = {
  'list(userId)': async (sessions) => (await sessions.list(USER)).length,
  'setRoles(userId, …)': (sessions) => sessions.setRoles(USER, ['customer']),
  'revokeAll(userId)': (sessions) => sessions.revokeAll(USER),
  'sign-in, limit just set to 5': async (sessions) => {
    await sessions.create({ userId: LIMITED });
    return 1;
  },
};

/** What it costs that one user has very many sessions. */
export async function largeUser({ isSmoke }: Settings): Promise<void> {
  const sizes = isSmoke ? [2_000] : [20_000, 300_000];
  const rows: Cell[][] = [];
  for (const size of sizes) {
    const options = { maxSessionsPerUser: 5, audit: false as const };
    await withOurs({ live: 1, options }, async ({ sessions, dataSource }) => {
      for (const [nth, user] of [USER, LIMITED].entries()) {
        await addFurther(dataSource, size, user, {
          id: idBefore(nth),
          created_at: 'created_at - n',
          user_id: `'${user}'`,
        });
      }
      await dataSource.query('VACUUM ANALYZE');
      let events = 0;
      sessions.events.subscribe(() => events++);
      for (const [name, step] of Object.entries(STEPS)) {
        events = 0;
        rows.push([name, figure(size), ...(await measure(() => step(sessions))), events]);
      }
    });
  }
  const head = ['', 'sessions', 'answer', 'seconds', 'event loop held, ms', 'more memory, MB', 'events'];
  const report = [await describeMachine(), table(head, rows)].join('\n\n');
  print(report);
  if (!isSmoke) await writeSection('large-user', report);
}

/** A UUIDv7, so that ids sort by time. */
function idBefore(nth: number): string {
  const time = "regexp_replace(lpad(to_hex(created_at - n), 12, '0'), '(.{8})', '\\1-')";
  return `${time} || '-7000-800${nth}-' || lpad(to_hex(n), 12, '0')`;
}

/** What it answers, how long it takes, for how long nothing else is done meanwhile, and by how much the process grows. */
async function measure(work: () => Promise<number>): Promise<Cell[]> {
  globalThis.gc?.();
  const before = process.memoryUsage.rss();
  let most = before;
  const look = () => void (most = Math.max(most, process.memoryUsage.rss()));
  const looking = setInterval(look, 10);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const began = performance.now();
  const answer = await work().then(figure, (error: { status?: number }) => String(error.status ?? error));
  const seconds = (performance.now() - began) / 1_000;
  await new Promise((resolve) => setTimeout(resolve, 50));
  delay.disable();
  clearInterval(looking);
  look();
  return [answer, figure(seconds), figure(delay.max / 1e6), megabytes(most - before)];
}
