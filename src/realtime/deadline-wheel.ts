/** How exact it is, in milliseconds. */
export const TICK = 100;

/** What has a place in the wheel. */
interface Entry {
  readonly sessionId: string;
  due: number;
}

/** Thousands of deadlines with one timer: they are sorted into ticks, and a tick is looked at when its time has come. */
export class DeadlineWheel {
  private readonly ticks = new Map<number, Set<Entry>>();

  /** @param at epoch milliseconds */
  plan(entry: Entry, at: number): void {
    const due = Math.ceil(at / TICK);
    if (entry.due === due) return;
    this.drop(entry);
    entry.due = due;
    const tick = this.ticks.get(due);
    if (tick) tick.add(entry);
    else this.ticks.set(due, new Set([entry]));
  }

  drop(entry: Entry): void {
    const tick = this.ticks.get(entry.due);
    tick?.delete(entry);
    if (tick?.size === 0) this.ticks.delete(entry.due);
    entry.due = 0;
  }

  /** Whose time has come; they have no place any more. */
  take(now: number): string[] {
    const taken: string[] = [];
    for (const [due, entries] of this.ticks) {
      if (due * TICK > now) continue;
      this.ticks.delete(due);
      for (const entry of entries) {
        entry.due = 0;
        taken.push(entry.sessionId);
      }
    }
    return taken;
  }
}
