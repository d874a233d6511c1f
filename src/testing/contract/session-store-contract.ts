import type { SessionStore } from '../../core/model/store.js';
import { admission } from './admission.js';
import { batches } from './batches.js';
import { changes } from './changes.js';
import type { Checks } from './checks.js';
import { deletions } from './deletions.js';
import { ordering } from './ordering.js';
import { purging } from './purging.js';
import { reads } from './reads.js';
import { roles } from './roles.js';
import { touches } from './touches.js';

/** An empty store, and how to get rid of it. */
export interface StoreUnderTest {
  /** The store, without records. */
  readonly store: SessionStore;
  /** Another instance on the same data, as another process has it. Without it, `store` races with itself. */
  readonly second?: SessionStore;
  /** Called after the case, whether it passed or not. */
  dispose?(): Promise<unknown>;
}

/** One promise of the contract; `run` rejects with what the contract wants and what was got. */
export interface StoreContractCase {
  /** What the contract promises. */
  readonly name: string;
  /** Checks it. @throws Error with what the contract wants and what was got */
  run(): Promise<void>;
}

const CHECKS: Checks = {
  ...reads,
  ...changes,
  ...touches,
  ...admission,
  ...ordering,
  ...roles,
  ...deletions,
  ...batches,
  ...purging,
};

/**
 * The contract of `SessionStore` as test cases, for those who write one:
 *
 * ```ts
 * describe('MyStore', () => {
 *   for (const { name, run } of sessionStoreContract(create)) it(name, run);
 * });
 * ```
 *
 * @param create called for each case: the store must be empty
 */
export function sessionStoreContract(create: () => Promise<StoreUnderTest>): StoreContractCase[] {
  return Object.entries(CHECKS).map(([name, check]) => ({
    name,
    async run() {
      const made = await create();
      try {
        await check({ store: made.store, second: made.second ?? made.store });
      } finally {
        await made.dispose?.();
      }
    },
  }));
}
