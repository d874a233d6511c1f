import type { NodeRegistry } from './node-registry.js';

/** What a cluster needs of the database beside the sessions. */
export interface ClusterDatabase {
  readonly registry: NodeRegistry;
  readonly messages: MessageTable;
  /** A connection that hears what is told on channels; `null` where the database has none. */
  readonly listen: ((directUrl: string | null) => Promise<ListeningConnection>) | null;
}

/** A connection of its own to a database that carries messages. */
export interface ListeningConnection {
  listen(channel: string): Promise<void>;
  notify(channel: string, message: string): Promise<void>;
  /** @param onEnd called once, however it ends */
  on(onMessage: (channel: string, message: string) => void, onEnd: () => void): void;
  end(): Promise<void>;
}

/** A message in the table. */
export interface TableMessage {
  readonly id: string;
  readonly channel: string;
  readonly message: string;
}

/** A table of messages, for databases that carry none otherwise. */
export interface MessageTable {
  write(messages: readonly TableMessage[]): Promise<void>;
  /** All there are on these channels. */
  read(channels: readonly string[]): Promise<readonly TableMessage[]>;
  delete(ids: readonly string[]): Promise<void>;
  close(): void;
}
