import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import type { Header } from '../contestants/contestant.js';
import { load, type Load } from '../load/wrk.js';

const SECONDS = 1;
/** Of each of the two loads. */
const CONNECTIONS = 32;

/**
 * Does a job while a load is really under way: of two loads one always runs while the other starts anew.
 *
 * @returns the requests per second of the load, too
 * @throws Error when a request of the load was refused, or there was none
 */
export async function underLoad<T>(
  origin: string,
  sessions: readonly Header[],
  job: () => Promise<T>,
): Promise<readonly [result: T, perSecond: number]> {
  const over = new AbortController();
  const loads: Load[] = [];
  const keepLoading = async () => {
    while (!over.signal.aborted)
      loads.push(await load(origin, sessions, { connections: CONNECTIONS, seconds: SECONDS }));
  };
  const begin = performance.now();
  const [result] = await Promise.all([
    wait(SECONDS * 1000)
      .then(job)
      .finally(() => over.abort()),
    keepLoading(),
    wait(SECONDS * 500).then(keepLoading),
  ]);
  const seconds = (performance.now() - begin) / 1000;
  const sum = (field: keyof Load) => loads.reduce((total, one) => total + one[field], 0);
  if (sum('requests') === 0 || sum('refused') > 0)
    throw new Error(`Of ${sum('requests')} requests of the load ${sum('refused')} were refused.`);
  return [result, sum('requests') / seconds];
}
