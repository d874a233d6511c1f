import type { Settings } from '../command-line.js';
import { print } from '../print.js';
import { writeSection } from '../report/document.js';
import { describeMachine } from '../report/machine.js';
import { describeHits } from './nodes-hits.js';
import { describeLatency } from './nodes-latency.js';
import { describeMemory } from './nodes-memory.js';

/** What the near cache spares, what it takes, and what calls pay for it. */
export async function nodes({ isSmoke }: Settings): Promise<void> {
  const report = [
    await describeMachine(),
    '### How long a revocation takes',
    await describeLatency(isSmoke ? 20 : 500),
    '### Look-ups in the database for each request',
    await describeHits(isSmoke ? 2 : 50),
    '### Memory',
    describeMemory(isSmoke ? 1_000 : 100_000),
  ].join('\n\n');
  print(report);
  if (!isSmoke) await writeSection('nodes', report);
}
