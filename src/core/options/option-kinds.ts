import { type Duration, toMilliseconds } from '../model/duration.js';
import { type AnyTable, type Needs, type Option, readAll, type Resolved } from './option.js';

interface Range {
  readonly min: number;
  readonly max?: number;
}

export function choice<const Choice extends string, const Fallback extends Choice | null>(
  choices: readonly Choice[],
  fallback: Fallback,
): Option<Choice | Fallback> {
  return {
    fallback,
    values: choices.map((each) => `\`'${each}'\``).join(', '),
    read(given) {
      if (given.isLeftOut) return fallback;
      if (choices.includes(given.value as Choice)) return given.value as Choice;
      throw given.refuse(`use ${choices.map((each) => `'${each}'`).join(' or ')}.`);
    },
  };
}

export function boolean(fallback: boolean): Option<boolean> {
  return {
    fallback,
    values: '`true`, `false`',
    read(given) {
      if (given.isLeftOut) return fallback;
      if (typeof given.value === 'boolean') return given.value;
      throw given.refuse('use true or false.');
    },
  };
}

export function integer<Fallback extends number | null>(
  range: Range,
  fallback: Fallback,
): Option<number | Fallback> {
  return {
    fallback,
    values: boundsText(range, (bound) => bound.toLocaleString('en')),
    read(given) {
      if (given.isLeftOut) return fallback;
      if (Number.isInteger(given.value) && isWithin(given.value as number, range)) {
        return given.value as number;
      }
      throw given.refuse(`use a whole number, ${boundsText(range, String)}.`);
    },
  };
}

/** Comes to milliseconds. */
export function duration<Fallback extends Duration | null>(
  range: Range,
  fallback: Fallback,
): Option<number | (Fallback extends null ? null : never)> {
  type Value = number | (Fallback extends null ? null : never);
  return {
    fallback,
    values: boundsText(range, withUnit),
    read(given) {
      if (given.isLeftOut) return toMilliseconds(fallback) as Value;
      const milliseconds = toMilliseconds(given.value);
      if (milliseconds !== null && isWithin(milliseconds, range)) return milliseconds;
      const bounds = boundsText(range, (bound) => `${bound} ms`);
      throw given.refuse(`use milliseconds, or a string with a unit such as '15m', ${bounds}.`);
    },
  };
}

export function list(fallback: readonly string[] = []): Option<readonly string[]> {
  return {
    fallback,
    read(given) {
      if (given.isLeftOut) return fallback;
      const { value } = given;
      if (
        Array.isArray(value) &&
        Array.from(value).every((item) => typeof item === 'string' && item !== '')
      ) {
        return value;
      }
      throw given.refuse('use an array of non-empty strings.');
    },
  };
}

/** An object of options of its own, or `false` for none at all. */
export function objectOrFalse<Table extends AnyTable>(
  parts: Table & Needs<Table>,
): Option<Resolved<Table> | null> {
  return {
    parts,
    read: (given) => (given.value === false ? null : readAll(parts, given.orEmpty())),
  };
}

/** The same, but nothing where it is left out. */
export function optionalObject<Table extends AnyTable>(
  parts: Table & Needs<Table>,
): Option<Resolved<Table> | null> {
  return {
    parts,
    read: (given) => (given.isLeftOut || given.value === false ? null : readAll(parts, given)),
  };
}

function isWithin(value: number, { min, max = Infinity }: Range): boolean {
  return value >= min && value <= max;
}

function boundsText({ min, max }: Range, show: (bound: number) => string): string {
  return max === undefined ? `at least ${show(min)}` : `from ${show(min)} to ${show(max)}`;
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** As people write it: 86,400,000 ms are `1d`. */
function withUnit(milliseconds: number): string {
  const [unit, length] = UNITS.find(([, each]) => milliseconds > 0 && milliseconds % each === 0) ?? ['ms', 1];
  return `${(milliseconds / length).toLocaleString('en')} ${unit}`;
}
