import { FULL, type Settings } from './command-line.js';
import { contestants } from './contestants/catalogue.js';
import { PLATFORMS } from './contestants/contestant.js';
import { GOAL_CONNECTIONS } from './measure/goals.js';
import { runPlatform, type Series } from './measure/rounds.js';
import { print } from './print.js';
import { describeGoals, describeSeries } from './report/comparison.js';
import { writePlot, writeSection } from './report/document.js';
import { describeMachine } from './report/machine.js';
import { plot } from './report/plot.js';

/** Measures all contestants side by side. A run of everything is written into the documentation. */
export async function compare(settings: Settings): Promise<void> {
  const allSeries: Series[] = [];
  const chosen = contestants(settings);
  const platforms = settings.platforms.filter((each) => chosen.some(({ platform }) => platform === each));
  for (const platform of platforms) allSeries.push(...(await runPlatform(platform, settings)));
  const report = [
    `${await describeMachine()} ${describeRun(settings)}`,
    describeGoals(allSeries),
    ...allSeries.map(describeSeries),
  ].join('\n\n');
  print(report);
  if (!isComplete(settings)) return;
  await writeSection('comparison', report);
  await writePlot(plot(allSeries.filter(({ connections }) => connections === GOAL_CONNECTIONS)));
}

/** Everything, for as long as it takes by default: a quick run is not to be written down. */
function isComplete({ only, platforms, connections, rounds, seconds, warmUp }: Settings): boolean {
  const isEverything =
    only.length === 0 &&
    PLATFORMS.every((each) => platforms.includes(each)) &&
    FULL.connections.every((each) => connections.includes(each));
  return isEverything && rounds >= FULL.rounds && seconds >= FULL.seconds && warmUp >= FULL.warmUp;
}

function describeRun({ sizes, warmUp, rounds, seconds }: Settings): string {
  const [live, all] = [sizes.live.toLocaleString('en'), sizes.sessions.toLocaleString('en')];
  return (
    `Random ones of ${live} live sessions among ${all}; ${warmUp} s of warm-up for each process; ${rounds} rounds of ` +
    `${seconds} s for each. Figures are medians of the rounds, and ratios are medians of the ratios within a round.`
  );
}
