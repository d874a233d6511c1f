import type { Contestant } from '../contestants/catalogue.js';
import type { Platform } from '../contestants/contestant.js';
import { type Goal, GOAL_CONNECTIONS, GOALS } from '../measure/goals.js';
import type { Pair, Series } from '../measure/rounds.js';
import type { Sample } from '../measure/sample.js';
import { median, middleHalfOf, type Spread } from '../measure/statistics.js';
import { type Cell, figure, megabytes, milliseconds, table, verdict } from './table.js';

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
export function resultsOf({ pairs }: Series): Result[] {
  return pairs
    .map((pair) => ({
      contestant: pair.contestant,
      samples: pair.own,
      ratio: middleHalfOf(multiplesOfBare(pair)),
    }))
    .toSorted((one, other) => other.ratio.median - one.ratio.median);
}

export function describeSeries(series: Series): string {
  const head = [
    '',
    '× bare',
    'middle half',
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
      `${figure(ratio.low)}–${figure(ratio.high)}`,
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
  return [title, table(head, rows)].join('\n\n');
}

export function describeGoals(allSeries: readonly Series[]): string {
  const rows = GOALS.map((goal): Cell[] => {
    const ratio = ratioFor(goal, allSeries);
    return [
      `${PLATFORM_TITLES[goal.platform]}: ${goal.what}`,
      `≥ ${figure(goal.atLeast)}`,
      ratio === null ? '' : figure(ratio),
      judge(goal, ratio),
    ];
  });
  return ['### Goals', table(['', 'goal', 'measured', ''], rows)].join('\n\n');
}

function judge({ atLeast }: Goal, ratio: number | null): string {
  if (ratio === null) return 'not measured';
  return verdict(ratio >= atLeast);
}

/** Both were measured beside the bare handler, not beside each other. */
function ratioFor({ platform, contestant, reference }: Goal, allSeries: readonly Series[]): number | null {
  const series = allSeries.find((one) => one.platform === platform && one.connections === GOAL_CONNECTIONS);
  const [own, other] = [contestant, reference].map((id) =>
    series?.pairs.find((pair) => pair.contestant.id === id),
  );
  if (own === undefined || other === undefined) return null;
  return median(multiplesOfBare(own)) / median(multiplesOfBare(other));
}

/** Of each round: machines are not equally fast all the time. */
function multiplesOfBare({ own, bare }: Pair): number[] {
  return own.map(({ perSecond }, round) => perSecond / (bare[round]?.perSecond ?? NaN));
}
