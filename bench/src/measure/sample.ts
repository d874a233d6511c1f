import type { RunningApplication } from '../load/application.js';
import type { Header } from '../contestants/contestant.js';
import { load } from '../load/wrk.js';

/** One measurement of one application; times in microseconds. */
export interface Sample {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly cpuPerRequest: number;
  readonly queriesPerRequest: number;
  readonly rss: number;
}

/** wrk counts an answer that takes longer than 2 s as none; the slow ones are to be in the table, not to end the run. */
const UNANSWERED = 0.01;

export async function measure(
  application: RunningApplication,
  sessions: readonly Header[],
  { connections, seconds }: { connections: number; seconds: number },
): Promise<Sample> {
  const before = await application.ask('usage');
  const { requests, duration, p50, p99, refused, failed } = await load(application.origin, sessions, {
    connections,
    seconds,
  });
  const after = await application.ask('usage');
  if (refused > 0 || failed > requests * UNANSWERED) {
    throw new Error(`Of ${requests} requests ${refused} were refused, and ${failed} got no answer.`);
  }
  return {
    perSecond: requests / (duration / 1e6),
    p50,
    p99,
    cpuPerRequest: (after.cpu - before.cpu) / requests,
    queriesPerRequest: (after.queries - before.queries) / requests,
    rss: after.rss,
  };
}
