import { Session, type Profiler } from 'node:inspector/promises';
import { writeFile } from 'node:fs/promises';
import type { ProfiledFunction } from './messages.js';

const SAMPLE_EVERY = 200; // microseconds
const inspector = new Session();

export async function startProfile(): Promise<void> {
  inspector.connect();
  await inspector.post('Profiler.enable');
  await inspector.post('Profiler.setSamplingInterval', { interval: SAMPLE_EVERY });
  await inspector.post('Profiler.start');
}

/** Writes the profile for other tools, too. @returns functions by the time spent in themselves */
export async function stopProfile(file: string): Promise<readonly ProfiledFunction[]> {
  const { profile } = await inspector.post('Profiler.stop');
  inspector.disconnect();
  await writeFile(file, JSON.stringify(profile));
  return selfTimes(profile);
}

function selfTimes({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): ProfiledFunction[] {
  const nodeOf = new Map(nodes.map((node) => [node.id, node]));
  const times = new Map<string, { name: string; place: string; time: number }>();
  let busy = 0;
  samples.forEach((id, at) => {
    const frame = nodeOf.get(id)?.callFrame;
    if (frame === undefined || frame.functionName === '(idle)') return;
    const name = frame.functionName || '(anonymous)';
    const place = frame.url && `${shorten(frame.url)}:${frame.lineNumber + 1}`;
    const entry = times.get(`${name} ${place}`) ?? { name, place, time: 0 };
    entry.time += timeDeltas[at] ?? 0;
    busy += timeDeltas[at] ?? 0;
    times.set(`${name} ${place}`, entry);
  });
  return [...times.values()]
    .toSorted((one, other) => other.time - one.time)
    .map(({ name, place, time }) => ({ name, place, share: time / busy }));
}

/** Without what all of them begin with. */
function shorten(url: string): string {
  const root = new URL('../../../', import.meta.url).href;
  return url.replace(root, '').replace('node_modules/', '');
}
