import { type Duration, toMilliseconds } from '../core/model/duration.js';
import { InvalidArgumentError } from '../core/model/errors.js';

/**
 * A clock that stands still until it is moved, so that sessions expire when a test says so:
 *
 * ```ts
 * const clock = new TestClock();
 * SessionModule.forRoot({ clock: clock.now });
 * clock.advance('31m');
 * ```
 */
export class TestClock {
  private time: number;

  /** Default: the present. */
  constructor(start: Date | number = Date.now()) {
    this.time = toTime('start', start);
  }

  /** Epoch milliseconds. Bound: it is to be passed as the option `clock`. */
  readonly now = (): number => this.time;

  /**
   * Moves the time on: milliseconds, or a string with a unit.
   *
   * @throws InvalidArgumentError for what is no duration
   */
  advance(by: Duration): void {
    const milliseconds = toMilliseconds(by);
    if (milliseconds === null) {
      throw new InvalidArgumentError('by', by, "use milliseconds, or a string with a unit such as '31m'.");
    }
    this.time += milliseconds;
  }

  /** Also back, as when the time of a machine is corrected. */
  set(to: Date | number): void {
    this.time = toTime('to', to);
  }
}

function toTime(argument: string, value: Date | number): number {
  const time = Math.floor(Number(value));
  if (!Number.isFinite(time))
    throw new InvalidArgumentError(argument, value, 'use a date or epoch milliseconds.');
  return time;
}
