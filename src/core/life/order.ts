/**
 * Says which came first, a sign-in's request or a change to that user's sessions, also within one millisecond and
 * with a clock that stands still: stamps of arrivals before a change are smaller than the change's, those after it
 * are not. Between processes it is as good as their clocks.
 */
export class ArrivalOrder {
  private static readonly orders = new WeakMap<() => number, ArrivalOrder>();
  private latest = 0;

  private constructor(private readonly clock: () => number) {}

  /** Whoever goes by the same clock goes by the same order. */
  static of(clock: () => number): ArrivalOrder {
    let order = ArrivalOrder.orders.get(clock);
    if (order === undefined) ArrivalOrder.orders.set(clock, (order = new ArrivalOrder(clock)));
    return order;
  }

  arrival(): number {
    this.latest = Math.max(this.latest, this.clock());
    return this.latest;
  }

  change(): number {
    this.latest = Math.max(this.latest + 1, this.clock());
    return this.latest;
  }
}
