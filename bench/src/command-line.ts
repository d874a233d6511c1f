import { parseArgs } from 'node:util';
import { type Platform, PLATFORMS } from './contestants/contestant.js';

export interface Settings {
  readonly command: string;
  readonly rounds: number;
  /** Of each measurement. */
  readonly seconds: number;
  /** Of each process, in seconds. */
  readonly warmUp: number;
  /** Parts of contestants' ids. */
  readonly only: readonly string[];
  readonly connections: readonly number[];
  readonly platforms: readonly Platform[];
  readonly sizes: { readonly sessions: number; readonly live: number };
  readonly isSmoke: boolean;
}

/** @throws Error for an unknown flag or a value that is none */
export function readCommandLine(args: readonly string[]): Settings {
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      warmup: { type: 'string' },
      only: { type: 'string', default: '' },
      connections: { type: 'string' },
      platform: { type: 'string', default: PLATFORMS.join(',') },
      smoke: { type: 'boolean', default: false },
    },
  });
  const isSmoke = values.smoke;
  const defaults = isSmoke ? SMOKE : FULL;
  return {
    command: positionals[0] ?? 'compare',
    rounds: number('rounds', values.rounds, defaults.rounds),
    seconds: number('seconds', values.seconds, defaults.seconds),
    warmUp: number('warmup', values.warmup, defaults.warmUp),
    only: list(values.only),
    connections:
      values.connections === undefined ? defaults.connections : list(values.connections).map(Number),
    platforms: list(values.platform).map(platform),
    sizes: defaults.sizes,
    isSmoke,
  };
}

/** What a run of everything takes. Rounds are short and many, since machines change their speed within seconds. */
export const FULL = {
  rounds: 15,
  seconds: 1,
  warmUp: 8,
  connections: [64],
  sizes: { sessions: 100_000, live: 1_000 },
};
const SMOKE = { rounds: 1, seconds: 1, warmUp: 0, connections: [64], sizes: { sessions: 1_000, live: 100 } };

function number(name: string, text: string | undefined, fallback: number): number {
  const value = text === undefined ? fallback : Number(text);
  if (!Number.isSafeInteger(value) || value < 0)
    throw new Error(`--${name} takes a whole number, not ${text}.`);
  return value;
}

function list(text: string): string[] {
  return text.split(',').filter((part) => part !== '');
}

function platform(name: string): Platform {
  const found = PLATFORMS.find((one) => one === name);
  if (found === undefined) throw new Error(`--platform takes ${PLATFORMS.join(' or ')}, not ${name}.`);
  return found;
}
