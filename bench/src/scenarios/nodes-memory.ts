import { performance } from 'node:perf_hooks';
import { NearCache } from '../../../dist/cluster/near-cache.js';
import { MACHINE_TIME } from '../../../dist/cluster/node-time.js';
import type { SessionRecord } from '../library.js';
import { heapInUse } from '../measure/heap.js';
import { figure, verdict } from '../report/table.js';
import { record } from './records.js';

const GIBIBYTE = 2 ** 30;
const ROUNDS = 20;
const AGENT =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';

/** What an entry takes, and what a look-up of one takes. */
export function describeMemory(entries: number): string {
  const cache = new NearCache({ isMember: true, mayAnswer: () => true }, MACHINE_TIME, GIBIBYTE);
  const before = heapInUse();
  for (let index = 0; index < entries; index++) {
    // As a driver gives them: no two records share a text.
    const text = JSON.stringify({ ...record(index), userAgent: AGENT, data: '{}' });
    cache.keep(JSON.parse(text) as SessionRecord, cache.beginRead());
  }
  const bytes = (heapInUse() - before) / entries;
  const hashes = Array.from({ length: entries }, (_, index) => record(index).seriesHash);
  const times = Array.from({ length: ROUNDS }, () => {
    const begin = performance.now();
    for (const hash of hashes) cache.recall(hash);
    return ((performance.now() - begin) * 1e6) / entries;
  });
  const [kept, each] = [cache.size.toLocaleString('en'), figure(Math.min(...times))];
  return (
    `${kept} sessions without data take ${figure(bytes)} bytes each. A look-up of one of them, in order, takes ${each} ns ` +
    `(best of ${ROUNDS} rounds). Goal: at most 1,000 ns; ${verdict(Math.min(...times) <= 1_000)}.`
  );
}
