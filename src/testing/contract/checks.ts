import type { SessionStore } from '../../core/model/store.js';

/** What checks a promise on an empty store. */
export type Check = (stores: {
  readonly store: SessionStore;
  readonly second: SessionStore;
}) => Promise<void>;
export type Checks = Readonly<Record<string, Check>>;
