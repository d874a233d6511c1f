/** How long a slice may take, in milliseconds: what waits for the event loop waits no longer. */
const SLICE = 10;

/** Does small things one after the other, and lets others come in between: thousands of sockets are closed at once. */
export class SlicedWork {
  private waiting: (() => void)[] = [];
  private next = 0;
  private isUnderWay = false;

  constructor(private readonly report: (error: unknown) => void) {}

  /** Does it now, where nothing else waits. */
  add(work: () => void): void {
    this.waiting.push(work);
    if (!this.isUnderWay) this.slice();
  }

  private slice(): void {
    this.isUnderWay = true;
    const end = performance.now() + SLICE;
    while (this.next < this.waiting.length && performance.now() < end) this.do(this.waiting[this.next++]!);
    if (this.next < this.waiting.length) return void setImmediate(() => this.slice());
    this.waiting = [];
    this.next = 0;
    this.isUnderWay = false;
  }

  private do(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.report(error);
    }
  }
}
