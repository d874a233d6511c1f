import type { Settings } from '../command-line.js';
import { type Contestant, contestants } from '../contestants/catalogue.js';
import type { Header, Platform } from '../contestants/contestant.js';
import { RunningApplication } from '../load/application.js';
import { check } from '../load/check.js';
import { load } from '../load/wrk.js';
import { print } from '../print.js';
import { measure, type Sample } from './sample.js';
import { shuffled } from './shuffle.js';

/** All rounds of one platform with one number of connections. */
export interface Series {
  readonly platform: Platform;
  readonly connections: number;
  /** By contestant's id, one of each round. */
  readonly samples: ReadonlyMap<string, readonly Sample[]>;
  /** The bare handler, once more at the end of each round: how steady was the machine? */
  readonly again: readonly Sample[];
}

interface Runner {
  readonly contestant: Contestant;
  readonly application: RunningApplication;
  /** Keeps the sessions of the load in their clients' present state. */
  readonly sessions: () => Promise<readonly Header[]>;
}

/**
 * Runs the contestants of a platform side by side: each in every round, in a random order, so that nobody always has the
 * same neighbours. The bare handler is the first and the last of every round.
 */
export async function runPlatform(platform: Platform, settings: Settings): Promise<Series[]> {
  const runners: Runner[] = [];
  try {
    for (const contestant of withBare(platform, settings)) {
      print(`starting ${contestant.id}`);
      runners.push(await startRunner(contestant, settings));
    }
    for (const { contestant, application, sessions } of runners) {
      print(`warming ${contestant.id}`);
      const [connections = 64] = settings.connections;
      await load(application.origin, await sessions(), { connections, seconds: settings.warmUp });
    }
    const series: Series[] = [];
    for (const connections of settings.connections)
      series.push(await runSeries(platform, connections, runners, settings));
    return series;
  } finally {
    for (const { application } of runners) await application.stop();
  }
}

export const bareOn = (platform: Platform): string => `bare-${platform}`;

function withBare(platform: Platform, settings: Settings): Contestant[] {
  const bare = contestants({ only: [bareOn(platform)], platforms: [platform] });
  const chosen = contestants({ only: settings.only, platforms: [platform] });
  return [...new Set([...bare, ...chosen])];
}

async function startRunner(contestant: Contestant, settings: Settings): Promise<Runner> {
  const { id, platform } = contestant;
  const application = await RunningApplication.start({ id, platform, ...settings.sizes });
  try {
    const live = await check(contestant, application);
    // All but the first, which has been revoked.
    const sessions = async () => (await application.ask('credentials')).slice(-live.length);
    return { contestant, application, sessions };
  } catch (error) {
    await application.stop();
    throw error;
  }
}

async function runSeries(
  platform: Platform,
  connections: number,
  runners: readonly Runner[],
  { rounds, seconds }: Settings,
): Promise<Series> {
  const samples = new Map<string, Sample[]>(runners.map(({ contestant }) => [contestant.id, []]));
  const again: Sample[] = [];
  const run = async ({ application, sessions }: Runner) =>
    measure(application, await sessions(), { connections, seconds });
  for (let round = 0; round < rounds; round++) {
    print(`round ${round + 1} of ${rounds}, ${platform}, ${connections} connections`);
    const [bare, ...others] = runners;
    if (bare === undefined) break;
    for (const runner of [bare, ...shuffled(others)]) {
      samples.get(runner.contestant.id)?.push(await run(runner));
    }
    again.push(await run(bare));
  }
  return { platform, connections, samples, again };
}
