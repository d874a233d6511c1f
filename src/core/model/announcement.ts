/**
 * Names what has changed: ids and hashes only, never a record. It does not say what has become of that: whoever hears it
 * looks again.
 */
export type Announcement =
  | { readonly scope: 'session'; readonly id: string }
  /** By the hash of a token's series, where no session is known any more. */
  | { readonly scope: 'series'; readonly id: string }
  | { readonly scope: 'user'; readonly id: string }
  | { readonly scope: 'all' };

/** Makes all nodes forget what they hold in memory. */
export interface Announcer {
  /**
   * To be called once the change is committed, and answered. When it returns, no node answers from a state before the
   * change.
   *
   * @throws Error where that is not certain
   */
  announce(changes: readonly Announcement[]): Promise<void>;
}

/** Where there is one process, or nobody answers from memory. */
export const NOBODY_TO_TELL: Announcer = { announce: async () => {} };
