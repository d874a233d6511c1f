import { toMilliseconds } from '../model/duration.js';
import { SessionOptionsError } from '../model/errors.js';

interface Range {
  readonly min: number;
  readonly max?: number;
}

/** Reads one object of options: what is left out has a default, what is wrong is refused by name. */
export class OptionReader<T extends object> {
  private readonly values: Readonly<Record<string, unknown>>;

  /** @param refusals why an option is not there, for those that people look for */
  constructor(
    value: unknown,
    private readonly path: string,
    names: readonly (keyof T & string)[],
    refusals: Readonly<Record<string, string>> = {},
  ) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new SessionOptionsError(path || 'options', value, 'pass an object.');
    }
    this.values = value as Record<string, unknown>;
    for (const [name, given] of Object.entries(this.values)) {
      if (given === undefined || names.includes(name as keyof T & string)) continue;
      const why = Object.hasOwn(refusals, name)
        ? refusals[name]
        : `there is no such option; there are ${names.map((known) => `\`${known}\``).join(', ')}.`;
      throw new SessionOptionsError(this.nameOf(name), given, why ?? '');
    }
  }

  get(name: keyof T & string): unknown {
    return Object.hasOwn(this.values, name) ? this.values[name] : undefined;
  }

  choice<C extends string>(name: keyof T & string, choices: readonly C[], fallback: C): C {
    const value = this.getOr(name, fallback);
    if (choices.includes(value as C)) return value as C;
    throw this.refuse(name, `use ${choices.map((choice) => `'${choice}'`).join(' or ')}.`);
  }

  boolean(name: keyof T & string, fallback: boolean): boolean {
    const value = this.getOr(name, fallback);
    if (typeof value === 'boolean') return value;
    throw this.refuse(name, 'use true or false.');
  }

  integer<F extends number | null>(name: keyof T & string, range: Range, fallback: F): number | F {
    const value = this.get(name);
    if (value === undefined) return fallback;
    if (Number.isInteger(value) && isWithin(value as number, range)) return value as number;
    throw this.refuse(name, `use a whole number, ${rangeText(range, '')}.`);
  }

  duration<F extends number | null>(name: keyof T & string, range: Range, fallback: F): number | F {
    const value = this.get(name);
    if (value === undefined) return fallback;
    const milliseconds = toMilliseconds(value);
    if (milliseconds !== null && isWithin(milliseconds, range)) return milliseconds;
    throw this.refuse(
      name,
      `use milliseconds, or a string with a unit such as '15m', ${rangeText(range, ' ms')}.`,
    );
  }

  list(name: keyof T & string): readonly string[] {
    const value = this.getOr(name, []);
    if (Array.isArray(value) && Array.from(value).every((item) => typeof item === 'string' && item !== ''))
      return value;
    throw this.refuse(name, 'use an array of non-empty strings.');
  }

  refuse(name: keyof T & string, fix: string): SessionOptionsError {
    return new SessionOptionsError(this.nameOf(name), this.get(name), fix);
  }

  nameOf(name: string): string {
    return this.path ? `${this.path}.${name}` : name;
  }

  /** Only what is left out has a default: `null` is wrong. */
  private getOr(name: keyof T & string, fallback: unknown): unknown {
    const value = this.get(name);
    return value === undefined ? fallback : value;
  }
}

function isWithin(value: number, { min, max = Infinity }: Range): boolean {
  return value >= min && value <= max;
}

function rangeText({ min, max }: Range, unit: string): string {
  return max === undefined ? `at least ${min}${unit}` : `from ${min}${unit} to ${max}${unit}`;
}
