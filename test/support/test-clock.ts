import ms from 'ms';

/** A clock that stands still until it is moved. */
export class TestClock {
  now = Date.UTC(2026, 0, 1);

  /** To be passed as the option `clock`. */
  readonly read = (): number => this.now;

  advance(by: number | ms.StringValue): void {
    this.now += typeof by === 'number' ? by : ms(by);
  }
}
