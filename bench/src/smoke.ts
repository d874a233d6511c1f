import type { Settings } from './command-line.js';
import { type Contestant, contestants } from './contestants/catalogue.js';
import { RunningApplication } from './load/application.js';
import { check } from './load/check.js';
import { load } from './load/wrk.js';
import { print } from './print.js';

/** How many start while another is under load. */
const PARALLEL = 2;

/**
 * Runs each contestant for a moment, and sees that it still works: the figures mean nothing. What fails beside others is
 * run once more alone, since some peers do not bear a machine that is busy.
 */
export async function smoke(settings: Settings): Promise<void> {
  const waiting = [...contestants(settings)];
  const failing: Contestant[] = [];
  let passed = 0;
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      if (await isPassed(next, settings)) passed++;
      else failing.push(next);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
  let failed = 0;
  for (const contestant of failing) {
    if (await isPassed(contestant, settings)) passed++;
    else failed++;
  }
  print(`${passed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}

async function isPassed(contestant: Contestant, settings: Settings): Promise<boolean> {
  try {
    await run(contestant, settings);
    print(`passed  ${contestant.id}`);
    return true;
  } catch (error) {
    print(`FAILED  ${contestant.id}: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}

async function run(contestant: Contestant, { sizes, seconds, connections }: Settings): Promise<void> {
  const { id, platform } = contestant;
  const application = await RunningApplication.start({ id, platform, ...sizes });
  try {
    const live = await check(contestant, application);
    const { requests, refused, failed } = await load(application.origin, live, {
      connections: connections[0] ?? 64,
      seconds,
    });
    if (requests === 0 || refused > 0 || failed > 0) {
      throw new Error(`${refused} of ${requests} requests were refused, ${failed} got no answer.`);
    }
  } finally {
    await application.stop();
  }
}
