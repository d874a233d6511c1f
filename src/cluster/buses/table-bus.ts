import { randomUUID } from 'node:crypto';
import type { MessageTable, TableMessage } from '../../core/model/cluster-database.js';
import { SessionBus } from '../../core/model/session-bus.js';
import { TABLE_BUS_MEMORY, TABLE_BUS_POLL } from '../../core/outage/time-budgets.js';

/** What a crashed node has left is deleted by another one, after so many times as long. */
const LEFT_BY_OTHERS = 10;

/**
 * A table that is read again and again, for databases that carry no messages. Who writes a message deletes it a little
 * later; until then everybody has read it many times, and knows it by its id. No order of ids is relied on: the row that
 * is committed first need not have the smaller one.
 */
export class TableBus extends SessionBus {
  private readonly hearers = new Map<string, (message: string) => void>();
  /** The messages that are there, and when each was first seen; of the own ones, when they were written. */
  private readonly seen = new Map<string, number>();
  private readonly own = new Map<string, number>();
  private pending: TableMessage[] = [];
  private timer: NodeJS.Timeout | null = null;
  private isClosed = false;

  constructor(private readonly table: MessageTable) {
    super();
  }

  async subscribe(channel: string, hear: (message: string) => void): Promise<void> {
    await this.table.read([channel]);
    this.hearers.set(channel, hear);
    this.timer ??= this.schedule();
  }

  async publish(channel: string, message: string): Promise<void> {
    if (this.isClosed) throw new Error('The bus is closed.');
    this.pending.push({ id: randomUUID(), channel, message });
    if (this.pending.length > 1) return;
    // Those of one turn of the event loop go together.
    await new Promise((resolve) => setImmediate(resolve));
    const messages = this.pending;
    this.pending = [];
    await this.table.write(messages);
    for (const { id } of messages) this.own.set(id, performance.now());
  }

  async close(): Promise<void> {
    this.isClosed = true;
    if (this.timer !== null) clearTimeout(this.timer);
    if (this.own.size > 0) await this.table.delete([...this.own.keys()]).catch(() => {});
    this.table.close();
  }

  private schedule(): NodeJS.Timeout {
    return setTimeout(() => {
      void this.poll()
        .catch(() => {}) // nothing was heard: it is tried again
        .finally(() => {
          if (!this.isClosed) this.timer = this.schedule();
        });
    }, TABLE_BUS_POLL).unref();
  }

  private async poll(): Promise<void> {
    const messages = await this.table.read([...this.hearers.keys()]);
    const now = performance.now();
    const there = new Set(messages.map(({ id }) => id));
    for (const id of this.seen.keys()) if (!there.has(id)) this.seen.delete(id);
    for (const { id, channel, message } of messages) {
      if (this.seen.has(id)) continue;
      this.seen.set(id, now);
      this.hearers.get(channel)?.(message);
    }
    await this.deleteOld(now);
  }

  private async deleteOld(now: number): Promise<void> {
    const own = olderThan(this.own, now - TABLE_BUS_MEMORY);
    const left = olderThan(this.seen, now - LEFT_BY_OTHERS * TABLE_BUS_MEMORY);
    if (own.length + left.length === 0) return;
    await this.table.delete([...new Set([...own, ...left])]);
    for (const id of own) this.own.delete(id);
  }
}

function olderThan(times: ReadonlyMap<string, number>, time: number): string[] {
  return Array.from(times)
    .filter(([, at]) => at < time)
    .map(([id]) => id);
}
