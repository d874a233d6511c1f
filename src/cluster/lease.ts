import { randomUUID } from 'node:crypto';
import type { NodeRegistry } from '../core/model/node-registry.js';
import type { Permission } from './near-cache.js';
import type { NodeTime } from './node-time.js';

/** So many ids that were given up are still acknowledged under. */
const PAST_IDS = 4;

/**
 * The right of this node to answer from memory: a row in the registry, and an answer that it is there, which is good for
 * the length of the lease. Whoever takes the row away waits until that has run out.
 */
export class Lease implements Permission {
  private id: string | null = null;
  /** Its row may be there already: what is announced now is acknowledged under it too. */
  private joining: string | null = null;
  private past: readonly string[] = [];
  /** Rows of the past that may be there. */
  private readonly leftovers = new Set<string>();
  private until = -Infinity;
  private untilWall = -Infinity;

  /** @param forgetAll also what is being read */
  constructor(
    private readonly registry: NodeRegistry,
    private readonly time: NodeTime,
    private readonly length: number,
    private readonly forgetAll: () => void,
  ) {}

  get isMember(): boolean {
    return this.id !== null;
  }

  /** All ids by which others may know this node: the present one, one that is being joined, and the latest before. */
  get ids(): readonly string[] {
    return [this.id, this.joining, ...this.past].filter((id) => id !== null);
  }

  /** By both clocks: one stands still while the machine sleeps, the other may be set back. */
  mayAnswer(): boolean {
    return this.time.monotonic() < this.until && this.time.wall() < this.untilWall;
  }

  /** Asks whether it may go on; joins anew where it may not. @returns whether it has joined */
  async renew(): Promise<boolean> {
    if (this.id === null) return this.join();
    if (await this.extend(this.id)) return false;
    return this.id === null && this.join();
  }

  /** Forgets, and only then lets others know: nobody waits for a node that has no row. */
  async giveUp(): Promise<void> {
    this.drop();
    await this.deleteLeftovers();
  }

  private async join(): Promise<boolean> {
    await this.deleteLeftovers();
    const id = randomUUID();
    this.joining = id;
    try {
      await this.registry.join(id, this.length);
    } catch (error) {
      this.leave(id);
      throw error;
    } finally {
      this.joining = null;
    }
    // What is read now may be from before the row was there, when nobody waited for this node.
    this.forgetAll();
    this.id = id;
    await this.extend(id);
    return this.id === id;
  }

  /** @returns false where it was not so, or may not be */
  private async extend(id: string): Promise<boolean> {
    const [sent, sentWall] = [this.time.monotonic(), this.time.wall()];
    const isThere = await this.registry.renew(id);
    if (this.id !== id) return false; // given up meanwhile
    if (!isThere) {
      this.drop();
      return false;
    }
    this.until = sent + this.length;
    this.untilWall = sentWall + this.length;
    return true;
  }

  private drop(): void {
    this.until = -Infinity;
    const { id } = this;
    this.id = null;
    this.forgetAll();
    if (id !== null) this.leave(id);
  }

  private leave(id: string): void {
    this.past = [id, ...this.past].slice(0, PAST_IDS);
    this.leftovers.add(id);
  }

  private async deleteLeftovers(): Promise<void> {
    const ids = [...this.leftovers];
    if (ids.length === 0) return;
    await this.registry.leave(ids);
    for (const id of ids) this.leftovers.delete(id);
  }
}
