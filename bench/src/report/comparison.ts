import { CONTESTANTS, type Contestant } from '../contestants/catalogue.js';
import type { Platform } from '../contestants/contestant.js';
import { type Goal, GOAL_CONNECTIONS, GOALS } from '../measure/goals.js';
import { bareOn, type Series } from '../measure/rounds.js';
import type { Sample } from '../measure/sample.js';
import { median, ratioOf, type Spread } from '../measure/statistics.js';
import { type Cell, figure, megabytes, milliseconds, table } from './table.js';

export const PLATFORM_TITLES: Readonly<Record<Platform, string>> = { express: 'Express', fastify: 'Fastify' };

const REVOCATION: Readonly<Record<Contestant['revocation'], string>> = {
  'at once': 'at once',
  'when the cookie expires': 'after up to 5 min',
  never: 'never',
  open: '',
};

/** A contestant with its figures in one series. */
export interface Result {
  readonly contestant: Contestant;
  /** Requests per second as a multiple of the bare handler's. */
  readonly ratio: Spread;
  readonly samples: readonly Sample[];
}

/** The fastest first. */
export function resultsOf({ platform, samples }: Series): Result[] {
  const bare = perSecond(samples.get(bareOn(platform)));
  return CONTESTANTS.flatMap((contestant) => {
    const own = samples.get(contestant.id);
    return own === undefined ? [] : [{ contestant, samples: own, ratio: ratioOf(perSecond(own), bare) }];
  }).toSorted((one, other) => other.ratio.median - one.ratio.median);
}

export function describeSeries(series: Series): string {
  const head = [
    '',
    '× bare',
    'spread',
    'requests/s',
    'p50 ms',
    'p99 ms',
    'CPU µs',
    'queries',
    'memory MB',
    'revoked',
  ];
  const rows = resultsOf(series).map(({ contestant, ratio, samples }): Cell[] => {
    const of = (field: keyof Sample) => median(samples.map((sample) => sample[field]));
    return [
      contestant.title,
      figure(ratio.median),
      `${figure(ratio.min)}–${figure(ratio.max)}`,
      figure(of('perSecond')),
      milliseconds(of('p50')),
      milliseconds(of('p99')),
      figure(of('cpuPerRequest')),
      figure(of('queriesPerRequest')),
      megabytes(of('rss')),
      REVOCATION[contestant.revocation],
    ];
  });
  const title = `### ${PLATFORM_TITLES[series.platform]}, ${series.connections} connections`;
  return [title, table(head, rows), describeNoise(series)].join('\n\n');
}

/** How far two measurements of the same thing in one round lie apart. */
function describeNoise({ platform, samples, again }: Series): string {
  const first = perSecond(samples.get(bareOn(platform)));
  const differences = perSecond(again).map((value, round) => Math.abs(value / (first[round] ?? NaN) - 1));
  const percent = (share: number) => `${figure(share * 100)} %`;
  return (
    `Noise: the bare handler, measured at the start and at the end of each round, differed from itself by ` +
    `${percent(median(differences))} in the median and by ${percent(Math.max(...differences))} at most.`
  );
}

export function describeGoals(allSeries: readonly Series[]): string {
  const rows = GOALS.map((goal): Cell[] => {
    const ratio = ratioFor(goal, allSeries);
    return [
      `${PLATFORM_TITLES[goal.platform]}: ${goal.what}`,
      `≥ ${figure(goal.atLeast)}`,
      ratio === null ? '' : figure(ratio.median),
      judge(goal, ratio),
    ];
  });
  return ['### Goals', table(['', 'goal', 'measured', ''], rows)].join('\n\n');
}

function judge({ canBeMeasured, atLeast }: Goal, ratio: Spread | null): string {
  if (!canBeMeasured) return 'does not exist yet';
  if (ratio === null) return 'not measured';
  return ratio.median >= atLeast ? 'met' : '**missed**';
}

function ratioFor({ platform, contestant, reference }: Goal, allSeries: readonly Series[]): Spread | null {
  const series = allSeries.find((one) => one.platform === platform && one.connections === GOAL_CONNECTIONS);
  const [own, other] = [series?.samples.get(contestant), series?.samples.get(reference)];
  return own === undefined || other === undefined ? null : ratioOf(perSecond(own), perSecond(other));
}

function perSecond(samples: readonly Sample[] = []): number[] {
  return samples.map((sample) => sample.perSecond);
}
