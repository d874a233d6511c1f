import { SessionOptionsError } from '../../core/model/errors.js';
import { SessionBus } from '../../core/model/session-bus.js';

/** A connected client of `ioredis` or of `redis`, for publishing. */
export interface RedisPublisher {
  /** As Redis has it. */
  publish(channel: string, message: string): Promise<unknown>;
}

/** A client of its own for hearing: a connection of Redis that has subscribed does nothing else. */
export interface RedisSubscriber {
  /** As the client has it. */
  // oxlint-disable-next-line typescript/no-explicit-any -- the two clients take different arguments
  subscribe(...args: any[]): unknown;
  /** As of any emitter. */
  // oxlint-disable-next-line typescript/no-explicit-any -- as above
  on(event: string, listener: (...args: any[]) => void): unknown;
}

/** Two clients of the application, which stay its own: connected, and with an `error` listener. */
export interface RedisBusClients {
  /** Publishes. It may be the application's usual one. */
  readonly publisher: RedisPublisher;
  /** Hears, and does nothing else: `publisher.duplicate()`. */
  readonly subscriber: RedisSubscriber;
}

/**
 * Announcements over Redis, for the option `cluster.bus`. Both clients make new connections by themselves, and subscribe
 * again: leave that on. Nothing is kept in Redis.
 *
 * @throws SessionOptionsError for what are no two clients
 */
export function redisBus(clients: RedisBusClients): SessionBus {
  const { publisher, subscriber } = clients ?? {};
  if (typeof publisher?.publish !== 'function' || typeof subscriber?.subscribe !== 'function') {
    throw refusal(clients, 'pass { publisher, subscriber }, two clients of `ioredis` or `redis`.');
  }
  if ((publisher as unknown) === subscriber) {
    throw refusal(
      clients,
      'pass two clients: one that has subscribed cannot publish. `publisher.duplicate()` makes one.',
    );
  }
  return new RedisBus(publisher, subscriber);
}

class RedisBus extends SessionBus {
  override readonly maxMessageBytes = 1_000_000;
  private readonly hearers = new Map<string, (message: string) => void>();
  private isClosed = false;

  constructor(
    private readonly publisher: RedisPublisher,
    private readonly subscriber: RedisSubscriber,
  ) {
    super();
    if (!this.takesListener)
      subscriber.on('message', (channel: string, text: string) => this.hear(channel, text));
  }

  async subscribe(channel: string, hear: (message: string) => void): Promise<void> {
    const { subscriber } = this;
    if (this.takesListener) await subscriber.subscribe(channel, (text: string) => this.hear(channel, text));
    else await subscriber.subscribe(channel);
    this.hearers.set(channel, hear);
  }

  async publish(channel: string, message: string): Promise<void> {
    await this.publisher.publish(channel, message);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.hearers.clear();
  }

  /** `redis` does; `ioredis` tells all channels by one event. */
  private get takesListener(): boolean {
    return 'pSubscribe' in this.subscriber;
  }

  private hear(channel: string, text: string): void {
    if (!this.isClosed) this.hearers.get(channel)?.(text);
  }
}

function refusal(value: unknown, fix: string): SessionOptionsError {
  return new SessionOptionsError('cluster.bus', value, fix);
}
