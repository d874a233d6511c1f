/** A node that may answer from memory, as others see it. */
export interface Member {
  readonly id: string;
  /** How long it may answer after it has asked whether it may, in milliseconds. */
  readonly lease: number;
}

/** All members, at one moment. */
export interface Membership {
  readonly members: readonly Member[];
  /** The server that has answered, where it is not the one that was there until now; else `null`. */
  readonly newServer: string | null;
}

/**
 * Which nodes may answer from memory: rows of a table on the primary, without times. A row means that its node may. It
 * says which server it was written on: after a fail-over rows may be there that had been deleted, and others be gone.
 */
export interface NodeRegistry {
  /** The same for all nodes of the application, and for no other application. */
  namespace(): Promise<string>;
  /** Inserts a row. By the node's own connection, as `renew` and `leave`: the pool may be exhausted. */
  join(id: string, lease: number): Promise<void>;
  /** Whether the row is there, is not evicted, and was written on the server that answers. */
  renew(id: string): Promise<boolean>;
  /** Deletes rows of the node's own. */
  leave(ids: readonly string[]): Promise<void>;
  /** All rows, evicted or not. */
  members(): Promise<Membership>;
  /** From now on `renew` says no to them. */
  evict(ids: readonly string[]): Promise<void>;
  /** Deletes rows of others that have been evicted for long enough. */
  remove(ids: readonly string[]): Promise<void>;
  /** Notes the server that is there from now on. */
  acceptServer(server: string): Promise<void>;
  /** Closes the node's own connection. */
  close(): Promise<void>;
}
