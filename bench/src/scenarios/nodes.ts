import type { Settings } from '../command-line.js';
import { print } from '../print.js';
import { type SectionName, writeSection } from '../report/document.js';
import { describeMachine } from '../report/machine.js';
import { describeDatabase } from './nodes-database.js';
import { describeHits } from './nodes-hits.js';
import { describeLatency } from './nodes-latency.js';
import { describeMemory } from './nodes-memory.js';

type Part = Extract<SectionName, `nodes-${string}`>;

const PARTS: Readonly<Record<Part, (isSmoke: boolean) => string | Promise<string>>> = {
  'nodes-hits': (isSmoke) => describeHits(isSmoke ? 2 : 50),
  'nodes-memory': (isSmoke) => describeMemory(isSmoke ? 1_000 : 100_000),
  'nodes-latency': (isSmoke) => describeLatency(isSmoke ? 20 : 500),
  'nodes-database': (isSmoke) => describeDatabase(isSmoke ? 200 : 5_000, isSmoke ? 1_000 : 100_000),
};

/** What the near cache spares, what it takes, and what calls pay for it; `--only` some parts of it. */
export async function nodes({ isSmoke, only }: Settings): Promise<void> {
  const machine = await describeMachine();
  for (const [name, describe] of Object.entries(PARTS) as [Part, (typeof PARTS)[Part]][]) {
    if (only.length > 0 && !only.some((part) => name.includes(part))) continue;
    const report = `${machine}\n\n${await describe(isSmoke)}`;
    print(`${name}\n\n${report}\n`);
    if (!isSmoke) await writeSection(name, report);
  }
}
