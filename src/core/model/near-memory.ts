import type { SessionRecord } from './record.js';

/** What this process may answer from, in the place of the store. */
export interface NearMemory {
  /** The record of a series; `null` where the store is to be asked. */
  recall(seriesHash: string): SessionRecord | null;
  /** To be called before the store is asked. */
  beginRead(): ReadBegun;
  /** Keeps what came of that read, unless it may have changed meanwhile. */
  keep(record: SessionRecord, read: ReadBegun): void;
  /** Gives what is kept of a session its activity, which is on its way to the store. */
  touch(active: SessionRecord): void;
}

/** When a read began. */
export interface ReadBegun {
  /** By a clock that never goes back. */
  readonly at: number;
  /** How many changes were heard of by then. */
  readonly changesHeard: number;
}
