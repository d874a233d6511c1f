import ms from 'ms';

type Unit = 'ms' | 's' | 'm' | 'h' | 'd' | 'w';

/** A length of time: milliseconds, or a string with a unit: `'30s'`, `'15m'`, `'12h'`, `'30d'`. */
export type Duration = number | `${number}${Unit}` | `${number} ${Unit}`;

/** Milliseconds, or `null` for anything that is not a duration. A string needs its unit: `'15'` is nobody's 15 ms. */
export function toMilliseconds(value: unknown): number | null {
  if (typeof value === 'string' && /^\s*[\d.]+\s*[a-z]+\s*$/i.test(value) && value.length <= 100) {
    return wholeOrNull(ms(value as ms.StringValue));
  }
  return typeof value === 'number' ? wholeOrNull(value) : null;
}

function wholeOrNull(milliseconds: number): number | null {
  return Number.isFinite(milliseconds) && milliseconds >= 0 ? Math.floor(milliseconds) : null;
}
