/** How much is done in one turn of the event loop, in milliseconds. What the clients answer takes several times as long. */
const SLICE = 5;

/** Does small things one after the other, and lets others come in between: thousands of sockets are closed at once. */
export class SlicedWork {
  private waiting: (() => void)[] = [];
  private next = 0;
  private sliceEnd = 0;
  private isUnderWay = false;

  constructor(private readonly report: (error: unknown) => void) {}

  /** Does it now, where there is time left in this turn. */
  add(work: () => void): void {
    this.waiting.push(work);
    if (!this.isUnderWay) this.beginSlice();
    this.workOn();
  }

  private beginSlice(): void {
    this.isUnderWay = true;
    this.sliceEnd = performance.now() + SLICE;
    setImmediate(() => this.nextTurn());
  }

  private nextTurn(): void {
    this.isUnderWay = this.next < this.waiting.length;
    if (this.isUnderWay) this.beginSlice();
    this.workOn();
  }

  private workOn(): void {
    while (this.next < this.waiting.length && performance.now() < this.sliceEnd) {
      this.do(this.waiting[this.next++]!);
    }
    if (this.next < this.waiting.length) return;
    this.waiting = [];
    this.next = 0;
  }

  private do(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.report(error);
    }
  }
}
