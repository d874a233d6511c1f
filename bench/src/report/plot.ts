import type { Series } from '../measure/rounds.js';
import { PLATFORM_TITLES, type Result, resultsOf } from './comparison.js';
import { figure } from './table.js';

const WIDTH = 860;
const LABELS = 330;
const BAR = 18;
const ROW = 26;
const HEADING = 52;

/** Bars of requests per second as a multiple of the bare handler's, for light and dark pages. */
export function plot(allSeries: readonly Series[]): string {
  let top = 0;
  const panels = allSeries.map((series) => {
    const results = resultsOf(series);
    const panel = drawPanel(series, results, top);
    top += HEADING + results.length * ROW;
    return panel;
  });
  const height = top + 16;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="Requests per second as a multiple of the bare handler's">
<style>
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .heading { font-weight: 600; font-size: 15px; }
  .figure { font-variant-numeric: tabular-nums; }
  .bar { fill: #8c959f; }
  .ours { fill: #0969da; }
  .spread { stroke: #1f2328; stroke-width: 1.5; }
  .ours-label { font-weight: 600; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .bar { fill: #6e7681; }
    .ours { fill: #4493f8; }
    .spread { stroke: #e6edf3; }
  }
</style>
${panels.join('\n')}
</svg>
`;
}

function drawPanel({ platform, connections }: Series, results: readonly Result[], top: number): string {
  const longest = Math.max(...results.map(({ ratio }) => ratio.high));
  const scale = (WIDTH - LABELS - 70) / longest;
  const heading = `${PLATFORM_TITLES[platform]}: requests per second × bare handler (${connections} connections)`;
  const rows = results.map((result, at) => drawRow(result, top + HEADING + at * ROW, scale));
  return [`<text class="heading" x="0" y="${top + 30}">${heading}</text>`, ...rows].join('\n');
}

function drawRow({ contestant, ratio }: Result, top: number, scale: number): string {
  const isOurs = contestant.name === 'ours';
  const middle = top + BAR / 2;
  const x = (value: number) => (LABELS + value * scale).toFixed(1);
  const title = escape(contestant.title.replaceAll(/[*`]/g, ''));
  return [
    `<text class="${isOurs ? 'ours-label' : ''}" x="${LABELS - 10}" y="${middle + 4}" text-anchor="end">${title}</text>`,
    `<rect class="${isOurs ? 'ours' : 'bar'}" x="${LABELS}" y="${top}" width="${(ratio.median * scale).toFixed(1)}" height="${BAR}" rx="2"/>`,
    `<line class="spread" x1="${x(ratio.low)}" x2="${x(ratio.high)}" y1="${middle}" y2="${middle}"/>`,
    `<text class="figure" x="${Number(x(ratio.high)) + 8}" y="${middle + 4}">${figure(ratio.median)}</text>`,
  ].join('');
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
