import { performance } from 'node:perf_hooks';
import type { Settings } from '../command-line.js';
import type { SessionService } from '../library.js';
import { print } from '../print.js';
import { writeSection } from '../report/document.js';
import { describeMachine } from '../report/machine.js';
import { type Cell, figure, table } from '../report/table.js';
import { withOurs } from './our-application.js';

type Verb = (sessions: SessionService, id: string) => Promise<unknown>;

const VERBS: Readonly<Record<string, Verb>> = {
  update: (sessions, id) => sessions.update(id, (data) => ({ ...data, n: Number(data['n'] ?? 0) + 1 })),
  rotate: (sessions, id) => sessions.rotate(id),
  authenticate: (sessions, id) => sessions.authenticate(id, { userId: 'contended' }),
};

/** What many changes of one session at the same time cost. */
export async function contention({ isSmoke }: Settings): Promise<void> {
  const sizes = isSmoke ? [5] : [1, 50, 500];
  const rows = await withOurs({ live: 1 }, async ({ sessions, dataSource }) => {
    let statements = 0;
    dataSource.logger.logQuery = () => void statements++;
    const measured: Cell[][] = [];
    for (const [name, verb] of Object.entries(VERBS)) {
      const { session } = await sessions.create({ userId: 'contended' });
      for (let warmUp = 0; warmUp < 20; warmUp++) await verb(sessions, session.id);
      for (const size of sizes) {
        statements = 0;
        const began = performance.now();
        const all = Array.from({ length: size }, () => verb(sessions, session.id));
        const done = (await Promise.allSettled(all)).filter(({ status }) => status === 'fulfilled').length;
        const milliseconds = performance.now() - began;
        measured.push([
          name,
          size.toString(),
          done.toString(),
          figure(milliseconds),
          figure(statements / done),
        ]);
      }
    }
    return measured;
  });
  const head = ['verb', 'at once', 'done', 'after, ms', 'statements each'];
  const report = [await describeMachine(), table(head, rows)].join('\n\n');
  print(report);
  if (!isSmoke) await writeSection('contention', report);
}
