/**
 * Carries messages between the processes of an application. Extend it for a bus of your own, and pass an instance as the
 * option `cluster.bus`. Its test cases are `sessionBusContract` in `nestjs-sessions/testing`.
 *
 * Nothing that is promised of sessions depends on it: a bus may lose, repeat and reorder messages. What is lost makes
 * calls slow, up to two and a half seconds. Messages name sessions and users, and hold no tokens; who can publish on the
 * bus can make nodes forget what they hold in memory, and tell them of events that never were.
 */
export abstract class SessionBus {
  /** The longest message that it carries, in bytes of UTF-8. Default: 7,000, which fits into a NOTIFY of PostgreSQL. */
  readonly maxMessageBytes: number = 7_000;

  /**
   * Hears a channel from now on, until the bus is closed: what anybody publishes, this process too. Where the connection
   * is lost, the bus makes a new one by itself, and hears the same channels again.
   *
   * @param channel of letters, digits and `_`, 60 characters at most
   * @param hear never throws
   */
  abstract subscribe(channel: string, hear: (message: string) => void): Promise<void>;

  /** Tells everybody who hears the channel. It need not have arrived when this returns. */
  abstract publish(channel: string, message: string): Promise<void>;

  /** Hears nothing any more, and lets the process end. Connections that the application brought along stay open. */
  abstract close(): Promise<void>;
}
