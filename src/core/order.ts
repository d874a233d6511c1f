/**
 * Says which came first, a sign-in's request or a change to that user's sessions, also within one millisecond and
 * with a clock that stands still: stamps of arrivals before a change are smaller than the change's, those after it
 * are not. Between processes it is as good as their clocks.
 */
export class ArrivalOrder {
  private latest = 0;

  constructor(private readonly clock: () => number) {}

  arrival(): number {
    this.latest = Math.max(this.latest, this.clock());
    return this.latest;
  }

  change(): number {
    this.latest = Math.max(this.latest + 1, this.clock());
    return this.latest;
  }
}
