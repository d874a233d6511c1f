import { measure } from '../core/model/measurements.js';
import { Patience } from '../core/outage/patience.js';
import { STORE_PATIENCE } from '../core/outage/time-budgets.js';

/** Lookups in one query. */
const LARGEST_GROUP = 256;
/** So many waiting lookups are worth a second query beside the first: the database then works while we decode. */
const WORTHWHILE_GROUP = 48;
/** A query that takes longer than this does not hold up the next, in milliseconds. */
const SLOW = 5;
const MAX_IN_FLIGHT = 4;

interface Lookup<V> {
  readonly keys: readonly string[];
  readonly askedAt: number;
  resolve(value: V | null): void;
  reject(error: unknown): void;
}

/**
 * Lets concurrent lookups share queries. The first is sent at once; those that come while it is under way go together
 * in the next one, or in one beside it once they are many. So each query begins after all the lookups that it answers:
 * nothing is ever stale.
 */
export class GroupedReads<V> {
  private readonly patience = new Patience();
  private waiting: Lookup<V>[] = [];
  private inFlight = 0;
  private impatience: NodeJS.Timeout | null = null;

  /** @param load finds what there is of some different keys */
  constructor(
    private readonly load: (keys: readonly string[]) => Promise<ReadonlyMap<string, V>>,
    private readonly largestGroup = LARGEST_GROUP,
  ) {}

  /** The value of the first of these keys that has one. */
  read(...keys: readonly string[]): Promise<V | null> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ keys, askedAt: performance.now(), resolve, reject });
      this.sendWhenDue();
    });
  }

  private sendWhenDue(): void {
    const isWorthwhile = this.inFlight === 1 && this.waiting.length >= WORTHWHILE_GROUP;
    if (this.inFlight === 0 || isWorthwhile) this.send();
    else this.sendWhenSlow();
  }

  private send(): void {
    // The timer was for the query before this one.
    if (this.impatience !== null) clearTimeout(this.impatience);
    this.impatience = null;
    this.failForsaken();
    const group = this.waiting.splice(0, this.largestGroup);
    if (group.length > 0) void this.answer(group);
    this.sendWhenSlow();
  }

  /**
   * Fails the lookups that have waited for so long that whoever asked has given up. While the database is silent they
   * would fill the memory; and once it is back they would be looked up first, for nobody.
   */
  private failForsaken(): void {
    const limit = performance.now() - STORE_PATIENCE;
    let forsaken = 0;
    for (const { askedAt, reject } of this.waiting) {
      if (askedAt > limit) break;
      reject(new Error(`The database was silent for ${STORE_PATIENCE} ms.`));
      forsaken++;
    }
    this.waiting.splice(0, forsaken);
  }

  /**
   * Sends one query. When it never comes back, its place becomes free all the same. When it fails, the lookups of its
   * group fail, and no others.
   */
  private async answer(group: readonly Lookup<V>[]): Promise<void> {
    this.inFlight++;
    measure('lookupGroup', { size: group.length });
    try {
      const found = await this.patience.within(this.load(keysOf(group)));
      for (const { keys, resolve } of group) resolve(firstOf(keys, found));
    } catch (error) {
      for (const { reject } of group) reject(error);
    } finally {
      this.inFlight--;
      // It may be that another query is still under way: then a small group goes on waiting.
      this.sendWhenDue();
    }
  }

  private sendWhenSlow(): void {
    if (this.waiting.length === 0 || this.impatience !== null) return;
    this.impatience = setTimeout(() => {
      this.impatience = null;
      if (this.inFlight < MAX_IN_FLIGHT) this.send();
      else this.sendWhenSlow();
    }, SLOW);
  }
}

function keysOf(group: readonly Lookup<unknown>[]): string[] {
  const different = new Set<string>();
  for (const { keys } of group) for (const key of keys) different.add(key);
  return [...different];
}

function firstOf<V>(keys: readonly string[], found: ReadonlyMap<string, V>): V | null {
  for (const key of keys) {
    const value = found.get(key);
    if (value !== undefined) return value;
  }
  return null;
}
