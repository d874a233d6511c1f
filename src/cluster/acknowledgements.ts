import { ACK_PATIENCE, LONGEST_ACK_PATIENCE } from '../core/outage/time-budgets.js';

/** Which nodes have acknowledged one announcement. */
export class Acknowledgements {
  private readonly acknowledged = new Set<string>();
  private awaited: readonly string[] | null = null;
  private whenComplete: () => void = () => {};

  note(ids: readonly string[]): void {
    for (const id of ids) this.acknowledged.add(id);
    if (this.awaited !== null && this.missing(this.awaited).length === 0) this.whenComplete();
  }

  missing(ids: readonly string[]): string[] {
    return ids.filter((id) => !this.acknowledged.has(id));
  }

  /** Resolves once all of these have. */
  of(ids: readonly string[]): Promise<void> {
    return new Promise((resolve) => {
      this.awaited = ids;
      this.whenComplete = resolve;
      this.note([]);
    });
  }
}

/** How long to wait for them: longer where they have been late, since a node that is taken out forgets all it has. */
export class AckPatience {
  milliseconds = ACK_PATIENCE;

  inTime(): void {
    this.milliseconds = Math.max(ACK_PATIENCE, 0.98 * this.milliseconds);
  }

  late(after: number): void {
    this.milliseconds = Math.min(LONGEST_ACK_PATIENCE, Math.max(this.milliseconds, 1.5 * after));
  }
}
