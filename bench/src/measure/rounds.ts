import type { Settings } from '../command-line.js';
import { type Contestant, contestant, contestants } from '../contestants/catalogue.js';
import type { Header, Platform } from '../contestants/contestant.js';
import { RunningApplication } from '../load/application.js';
import { check } from '../load/check.js';
import { load } from '../load/wrk.js';
import { print } from '../print.js';
import { measure, type Sample } from './sample.js';
import { shuffled } from './shuffle.js';

/** All that was measured on one platform with one number of connections. */
export interface Series {
  readonly platform: Platform;
  readonly connections: number;
  readonly pairs: readonly Pair[];
}

/** A contestant beside the bare handler: one sample of each round. */
export interface Pair {
  readonly contestant: Contestant;
  readonly own: readonly Sample[];
  readonly bare: readonly Sample[];
}

interface Runner {
  readonly contestant: Contestant;
  readonly application: RunningApplication;
  /** Keeps the sessions of the load in their clients' present state. */
  readonly sessions: () => Promise<readonly Header[]>;
}

/**
 * Each contestant runs alone with the bare handler: processes that are alive cost contestants with a database more than
 * those without. The bare handler also runs beside itself, which shows how much is noise.
 */
export async function runPlatform(platform: Platform, settings: Settings): Promise<Series[]> {
  const series = settings.connections.map((connections) => ({
    platform,
    connections,
    pairs: [] as Pair[],
  }));
  await withRunner(contestant(`bare-${platform}`), settings, async (bare) => {
    for (const each of contestants({ only: settings.only, platforms: [platform] })) {
      await withRunner(each, settings, async (own) => {
        for (const { connections, pairs } of series)
          pairs.push(await runPair({ own, bare }, connections, settings));
      });
    }
  });
  return series;
}

async function withRunner(
  each: Contestant,
  settings: Settings,
  work: (runner: Runner) => Promise<void>,
): Promise<void> {
  const { id, platform } = each;
  print(`starting ${id}`);
  const application = await RunningApplication.start({ id, platform, ...settings.sizes });
  try {
    const live = await check(each, application);
    // All but the first, which has been revoked.
    const sessions = async () => (await application.ask('credentials')).slice(-live.length);
    const [connections = 64] = settings.connections;
    await load(application.origin, await sessions(), { connections, seconds: settings.warmUp });
    await work({ contestant: each, application, sessions });
  } finally {
    await application.stop();
  }
}

async function runPair(
  pair: { readonly own: Runner; readonly bare: Runner },
  connections: number,
  { rounds, seconds }: Settings,
): Promise<Pair> {
  const samples = { own: [] as Sample[], bare: [] as Sample[] };
  for (let round = 0; round < rounds; round++) {
    for (const side of shuffled(['own', 'bare'] as const)) {
      const { application, sessions } = pair[side];
      samples[side].push(await measure(application, await sessions(), { connections, seconds }));
    }
  }
  return { contestant: pair.own.contestant, ...samples };
}
