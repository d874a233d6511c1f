import { hash } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { LiveEstimate } from '../../src/core/life/live-estimate.js';
import type { SessionStore } from '../../src/core/model/store.js';

const series = Array.from({ length: 100_000 }, (_, at) => hash('sha256', `session ${at}`));

/** What is estimated of so many sessions, and how many rows were counted for it. */
async function estimateOf(sessions: number) {
  let rows = 0;
  const countLive = async (below: string) => {
    const count = series.slice(0, sessions).filter((hash) => hash < below).length;
    rows += count;
    return count;
  };
  const store = { countLive } as unknown as SessionStore;
  return { estimate: await new LiveEstimate(store, Date.now).estimate(), rows };
}

it.each([0, 1, 999, 1_000, 12_000])('%i sessions are counted', async (sessions) => {
  expect((await estimateOf(sessions)).estimate).toBe(sessions);
});

it.each([30_000, 100_000])('%i sessions are estimated by a part of them', async (sessions) => {
  const { estimate, rows } = await estimateOf(sessions);
  // Three times as far from the truth as is usual; the hashes are the same every time.
  expect(Math.abs(estimate! - sessions) / sessions).toBeLessThan(0.1);
  expect(rows).toBeLessThan(10_000);
});

it('is not said by a store that cannot say', async () => {
  const store = { countLive: async () => null } as unknown as SessionStore;
  expect(await new LiveEstimate(store, Date.now).estimate()).toBeNull();
});
